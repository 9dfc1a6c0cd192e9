// Projector mode: large type on every page; a live view or a map fills the screen. The switch is an attribute on the
// page and `projector=1` in the address, so that a link or a reload opens it. Needs no answer from the server. The
// header (frame/main.js) has the keys and keeps the mode from page to page. See ui/projector.py.

const SWITCH = "mfxProjector"
const PARAMETER = "projector"
export const CHANGED = "mfx-projector"

/** Whether the mode is on. */
export const projecting = () => document.documentElement.dataset[SWITCH] === "true"

/** Whether the address asks for it. */
export const projectorAsked = () => new URL(location.href).searchParams.get(PARAMETER) === "1"

/** @param {boolean} on */
export function project(on) {
  const page = document.documentElement
  if (on === projecting()) return
  if (on) page.dataset[SWITCH] = "true"
  else delete page.dataset[SWITCH]
  keepInAddress()
  // The browser may refuse the whole screen; the window filled is good enough then.
  if (on && document.fullscreenEnabled && navigator.userActivation?.isActive) page.requestFullscreen().catch(() => {})
  if (!on && document.fullscreenElement) document.exitFullscreen().catch(() => {})
  window.dispatchEvent(new CustomEvent(CHANGED))
}

/** The address says whether the mode is on, whatever page it is of. */
export function keepInAddress() {
  if (projectorAsked() === projecting()) return
  const address = new URL(location.href)
  if (projecting()) address.searchParams.set(PARAMETER, "1")
  else address.searchParams.delete(PARAMETER)
  history.replaceState(history.state, "", address)
}

/**
 * Draws a component anew whenever the mode changes.
 * @param {HTMLElement} _root
 * @param {() => void} redraw called at every change
 * @returns {() => void} stops it
 */
export function watchProjector(_root, redraw) {
  window.addEventListener(CHANGED, redraw)
  if (projectorAsked()) project(true)
  return () => window.removeEventListener(CHANGED, redraw)
}
