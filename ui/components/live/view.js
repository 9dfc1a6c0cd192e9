// The part that lives in the page: one state for each mounted view, drawn anew when events arrive, never rebuilt.

const VIEWS = new WeakMap()
const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false, showTips: false }

function loadPlotly(url) {
  // One copy for all views of the page; after a failure the next attempt starts afresh.
  window.__mfxPlotly ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: url, async: true })
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => { window.__mfxPlotly = undefined; script.remove(); reject(new Error("plotly.js did not load")) }
    document.head.append(script)
  })
  return window.__mfxPlotly
}

function makeView(root) {
  const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map(el => [el.dataset.part, el]))
  const view = { root, part, run: freshRun(""), data: {}, look: {}, log: undefined, closer: false, metric: "", zoomed: {}, sawItGoing: false, ended: false, failures: 0, axis: "epoch", smoothing: 0, others: new Map(), picture: freshPicture() }
  part.scale.onclick = () => { view.log = !view.logShown; view.zoomed.loss = false; draw(view) }
  part.closer.onclick = () => { view.closer = !view.closer; view.zoomed.metric = false; draw(view) }
  part.metric.onchange = () => { view.metric = part.metric.value; view.zoomed.metric = false; draw(view) }
  for (const name of ["loss", "metric"]) part[`zoom-${name}`].onclick = () => { view.zoomed[name] = false; draw(view) }
  part.smoothing.oninput = () => { view.smoothing = Number(part.smoothing.value); draw(view) }
  part.axis.replaceChildren(...Object.keys(AXES).map(axis => {
    const button = make("button", { type: "button", textContent: axis, onclick: () => chooseAxis(view, axis) })
    button.setAttribute("aria-pressed", String(axis === view.axis))
    return button
  }))
  wireTransport(view)
  wireCompare(view)
  wirePicture(view)
  view.unwatch = watchProjector(root, () => { if (!view.closed && view.shown) { readLook(view); draw(view); resize(view) } })
  view.wake = () => { if (document.visibilityState === "visible" && view.polling) schedule(view, 0) }
  document.addEventListener("visibilitychange", view.wake)
  view.resizer = new ResizeObserver(() => requestAnimationFrame(() => resize(view)))
  view.resizer.observe(root)
  return view
}

function chooseAxis(view, axis) {
  Object.assign(view, { axis, zoomed: {} })
  for (const button of view.part.axis.children) button.setAttribute("aria-pressed", String(button.textContent === axis))
  draw(view)
}

function resize(view) {
  // On the projector heights follow the window's; else only widths do.
  if (view.shown && view.room !== roomOf(view)) { readLook(view); draw(view) }
  repaint(view)
  if (!window.Plotly) return
  for (const name of ["loss", "metric"]) {
    const node = view.part[`plot-${name}`]
    if (node.data && node.offsetWidth && node._fullLayout?.width !== node.offsetWidth) window.Plotly.relayout(node, { autosize: true })
  }
}

const roomOf = view => (projecting() && !view.data.compact ? innerHeight : 0)

function readLook(view) {
  const style = getComputedStyle(view.root)
  const ground = style.getPropertyValue("--st-background-color").trim()
  const [r, g, b] = (ground.match(/^#([0-9a-f]{6})/i) ? [1, 3, 5].map(i => parseInt(ground.slice(i, i + 2), 16)) : (ground.match(/[\d.]+/g) || [255, 255, 255]).map(Number))
  const dark = 0.299 * r + 0.587 * g + 0.114 * b < 128, shades = view.data.colours[dark ? "dark" : "light"]
  const large = projecting() && !view.data.compact
  view.root.classList.toggle("mfx-stage", !view.data.compact)
  // On the projector everything fits the screen: what bar, captions and sentences leave goes to curves and picture.
  const room = Math.max(340, innerHeight - 386), height = large ? Math.round(0.56 * room) + 44 : view.data.height
  Object.assign(view, { colours: null, room: roomOf(view), look: {
    ...shades, dark, font: style.fontFamily, fontSize: large ? 20 : 12, lineWidth: large ? 3.5 : 2, plotHeight: height - 44,
    pictureHeight: large ? 0.44 * room : 232, touch: matchMedia("(pointer: coarse)").matches,
  } })
  for (const name of ["grid", "muted", "warning", "bad", "good"]) view.root.style.setProperty(`--mfx-${name}`, shades[name])
  view.root.style.setProperty("--mfx-height", `${height}px`)
  view.root.style.colorScheme = dark ? "dark" : "light"
  repaint(view)
}

function follow(view, runId) {
  clearTimeout(view.timer)
  Object.assign(view, { run: freshRun(runId), zoomed: {}, sawItGoing: false, ended: false, failures: 0, polling: false, metric: "", log: undefined, closer: false, others: new Map(), parentLaid: "", branching: null, wished: null, picture: freshPicture() })
  for (const canvas of [view.part.known, view.part.believed]) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height)
  showPicture(view, Boolean(runId))
  setText(view.part.cell, "")
  view.part.branch.hidden = true
  for (const input of view.root.querySelectorAll("[data-setting]")) delete input.dataset.touched
  refuse(view, "")
  view.since = performance.now()
  setText(view.part.note, "")
  if (runId) schedule(view, 0)
}

function bringIntoView(view) {
  // On a narrow screen the charts stand below the form: whoever pressed Train there should see them.
  if (view.root.getBoundingClientRect().top < 0.6 * innerHeight || view.data.compact) return
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
  view.root.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" })
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".mfx-live")
  if (!root) return undefined
  let view = VIEWS.get(root)
  if (!view) VIEWS.set(root, (view = makeView(root)))
  const changed = view.run.runId !== data.run_id
  Object.assign(view, { data, send: setTriggerValue, closed: false })
  root.dataset.compact = String(Boolean(data.compact))
  readLook(view)
  if (changed) follow(view, data.run_id)
  else if (data.going && data.going !== view.going && OVER.includes(view.run.state) && !view.polling) {
    // The same run goes on where it was interrupted; or else it is over all the same, and the page hears so again.
    Object.assign(view, { ended: false, since: performance.now() })
    schedule(view, 0)
  }
  // A short run may be over before it is first asked for; the page around it, drawn for one that is going, has to hear of that.
  if (data.going) view.sawItGoing = true
  view.going = data.going
  if (changed && view.shown) bringIntoView(view)
  view.shown = true
  draw(view)
  loadPlotly(data.base + data.plotly).then(() => view.closed || draw(view), () => setText(view.part.note, "The charts could not be loaded; reload the page."))
  return () => {
    view.closed = true
    view.polling = false
    clearTimeout(view.timer)
    view.resizer.disconnect()
    cancelAnimationFrame(view.frame)
    document.removeEventListener("visibilitychange", view.wake)
    document.removeEventListener("keydown", view.keys)
    document.removeEventListener("pointerdown", view.outside)
    view.unwatch()
    for (const node of [view.part["plot-loss"], view.part["plot-metric"]]) {
      if (window.Plotly && node.data) window.Plotly.purge(node)
      delete node.dataset.listening
    }
    VIEWS.delete(root)
  }
}
