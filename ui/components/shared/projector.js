// Projector mode: one view fills the screen in large type. The switch is an attribute on the page and `projector=1`
// in the
// address, so that a link opens it. Needs no answer from the server. See ui/projector.py.

import { isTyping, listenToKeys } from "./keyboard.js"

const SWITCH = "mfxProjector"
const PARAMETER = "projector"
const CHANGED = "mfx-projector"

/** Whether the mode is on. */
export const projecting = () => document.documentElement.dataset[SWITCH] === "true"

/** @param {boolean} on */
export function project(on) {
  const page = document.documentElement
  if (on === projecting()) return
  if (on) page.dataset[SWITCH] = "true"
  else delete page.dataset[SWITCH]
  const address = new URL(location.href)
  if (on) address.searchParams.set(PARAMETER, "1")
  else address.searchParams.delete(PARAMETER)
  history.replaceState(history.state, "", address)
  // The browser may refuse the whole screen; the window filled is good enough then.
  if (on && document.fullscreenEnabled && navigator.userActivation?.isActive) page.requestFullscreen().catch(() => {})
  if (!on && document.fullscreenElement) document.exitFullscreen().catch(() => {})
  window.dispatchEvent(new CustomEvent(CHANGED))
}

/**
 * Starts listening for P and Esc.
 * @param {HTMLElement} root
 * @param {() => void} redraw called at every change
 * @returns {() => void} stops it
 */
export function watchProjector(root, redraw) {
  const stopKeys = listenToKeys(root, event => {
    if (isTyping(event) || !root.isConnected) return
    if (event.key === "Escape" && projecting()) project(false)
    if (event.key.toLowerCase() === "p" && !event.repeat) project(!projecting())
  })
  const left = () => {
    if (!document.fullscreenElement) project(false)
  }
  document.addEventListener("fullscreenchange", left)
  window.addEventListener(CHANGED, redraw)
  if (new URL(location.href).searchParams.get(PARAMETER) === "1") project(true)
  return () => {
    stopKeys()
    document.removeEventListener("fullscreenchange", left)
    window.removeEventListener(CHANGED, redraw)
    if (projecting() && !document.querySelector(".mfx-stage")) project(false)
  }
}
