// Links between pages as a browser should follow them: one step in the history each, so that Back finds the page before
// as it was, and the run on screen goes along. Streamlit by itself empties the address of the page that is left, as a
// step of its own, and forgets the run.

const BAR = "[data-testid=stTopNavLink], [data-testid=stTopNavDropdownLink], [data-testid=stSidebarNavLink]"
const OURS = `${BAR}, [data-testid=stPageLink-NavLink], .mfx-page`
const IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
const JUST_NOW = 500 // milliseconds
const NOTE = 600 // milliseconds without a key after which a note is sent
const NARROW = 768 // pixels; below, the list of pages covers the page

/**
 * Where a link leads: to its page, about the run that is on screen where the link names none.
 * @param {string} href
 * @param {string} here the address now
 * @param {boolean} keepsRun
 */
export function targetOf(href, here, keepsRun) {
  const target = new URL(href, here),
    run = new URL(here).searchParams.get("run")
  if (keepsRun && run && !target.searchParams.has("run")) target.searchParams.set("run", run)
  return target
}

/** What was typed is sent when its field is left, and a page that is left before the answer would come back with it. */
let leftField = -Infinity

/** @param {Event} event */
function left(event) {
  if (event.target instanceof Element && event.target.matches("input, textarea")) leftField = performance.now()
}

/** Once the script has run with what was typed, or after three seconds. @param {() => void} then */
function whenKept(then) {
  const began = performance.now()
  const look = setInterval(() => {
    const waited = performance.now() - began
    if ((waited > 200 && document.querySelector(IDLE)) || waited > 3000) {
      clearInterval(look)
      then()
    }
  }, 50)
}

/** @param {Event} event @returns {HTMLAnchorElement | null} */
const linkOf = event => (event.target instanceof Element ? event.target.closest(`a:is(${OURS})`) : null)

/** Before it is opened in a new tab, or copied, a link says where it leads. @param {Event} event */
function complete(event) {
  const link = linkOf(event)
  if (link?.matches(BAR)) link.href = targetOf(link.href, location.href, true).href
}

/** @param {MouseEvent} event */
function follow(event) {
  const link = linkOf(event)
  if (!link || event.button) return
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
    event.stopPropagation() // a new tab or window, which is the browser's; Streamlit would open the page in this one
    return
  }
  if (link.target === "_blank" || link.getAttribute("aria-disabled") === "true") return
  const target = targetOf(link.href, location.href, link.matches(BAR))
  if (target.origin !== location.origin) return
  event.preventDefault()
  event.stopPropagation()
  if (performance.now() - leftField < JUST_NOW) whenKept(() => go(link, target))
  else go(link, target)
}

/** @param {HTMLAnchorElement} link @param {URL} target */
function go(link, target) {
  history.pushState({}, "", target)
  dispatchEvent(new PopStateEvent("popstate")) // Streamlit runs the page of this address, as after Back
  if (link.matches("[data-testid=stSidebarNavLink]") && innerWidth < NARROW) {
    ;/** @type {HTMLElement | null} */ (document.querySelector("[data-testid=stSidebarCollapseButton] button"))?.click()
  }
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing

/**
 * A note is sent while it is typed, as its Ctrl+Enter does: a reload takes nothing away. (Streamlit waits until the
 * field is left.)
 * @param {Event} event
 */
function keepNote({ target }) {
  if (!(target instanceof HTMLTextAreaElement) || !target.closest("[class*=st-key-note_]")) return
  clearTimeout(typing)
  const enter = { key: "Enter", ctrlKey: true, bubbles: true }
  typing = setTimeout(() => target.dispatchEvent(new KeyboardEvent("keydown", enter)), NOTE)
}

/** @type {HTMLElement | undefined} */
let listening

/**
 * @param {{ parentElement: HTMLElement }} component
 * @returns {() => void} ends it
 */
export default function listen({ parentElement }) {
  if (!listening) {
    document.addEventListener("click", follow, true)
    document.addEventListener("focusout", left, true)
    document.addEventListener("input", keepNote)
    for (const kind of ["pointerdown", "focusin", "contextmenu"]) document.addEventListener(kind, complete, true)
  }
  listening = parentElement
  return () => {
    if (listening !== parentElement) return
    listening = undefined
    document.removeEventListener("click", follow, true)
    document.removeEventListener("focusout", left, true)
    document.removeEventListener("input", keepNote)
    for (const kind of ["pointerdown", "focusin", "contextmenu"]) document.removeEventListener(kind, complete, true)
  }
}
