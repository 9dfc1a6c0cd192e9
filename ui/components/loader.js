// What Streamlit runs for a component: fetches the component's modules from our own route and hands over what it is
// given. The app may stand under a path that only the browser knows (behind a proxy), so the address is that of the
// page's own script.
/* global MODULES -- their routes, written before this by ui/components/mounting.py */
const prefix = document.querySelector('script[src*="/static/js/"]').src.split("/static/js/")[0]
for (const module of MODULES) {
  document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: prefix + module }))
}
const main = import(prefix + MODULES[0])
const newest = new WeakMap() // the latest call for each place on the page: only that one counts

export default component => {
  const { parentElement } = component,
    call = { end: undefined }
  newest.set(parentElement, call)
  const isNewest = () => newest.get(parentElement) === call
  main.then(
    ({ default: show }) => {
      if (isNewest()) call.end = show({ ...component, setTriggerValue: afterTick(component.setTriggerValue) })
    },
    () => isNewest() && parentElement.append("This part of the page could not be loaded; reload the page."),
  )
  return () => {
    if (!isNewest()) return
    newest.delete(parentElement)
    call.end?.()
  }
}

// A trigger that is sent while the component mounts may be lost.
const afterTick = send => (name, value) => void setTimeout(() => send(name, value))
