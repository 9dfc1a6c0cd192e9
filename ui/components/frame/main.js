// Light or dark and projector mode, in the header of every page. One for the whole visit; pages come and go beneath it.

import { isTyping } from "../shared/keyboard.js"
import { keptValue, keepValue } from "../shared/kept.js"
import { CHANGED, keepInAddress, project, projecting, projectorAsked } from "../shared/projector.js"

const THEME = "mf-explorer-theme",
  NO_KEYS = "mf-explorer-no-projector-key"

/** @param {import("../shared/types.js").Mounted<object>} component @returns {() => void} ends it */
export default function show({ parentElement, setTriggerValue }) {
  const root = /** @type {HTMLDetailsElement} */ (parentElement.querySelector(".mfx-frame"))
  const large = /** @type {HTMLInputElement} */ (root.querySelector("[data-part=large]"))
  const keys = /** @type {HTMLInputElement} */ (root.querySelector("[data-part=keys]"))
  const themes = /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("[name=mfx-theme]"))
  const app = /** @type {HTMLElement} */ (root.closest(".stApp"))
  const stop = new AbortController(),
    { signal } = stop
  const themeNow = () => getComputedStyle(app).colorScheme
  let theme = themeNow()

  // Charts that Python draws come in the page's colours and type: they are drawn anew, once, when that has changed.
  const tell = () => setTriggerValue("look", { theme: themeNow(), large: projecting(), at: performance.now() })
  const drawn = new MutationObserver(() => {
    if (themeNow() === theme) return
    theme = themeNow()
    tell()
  })
  drawn.observe(app, { attributes: true, attributeFilter: ["class", "style"] })
  const switched = () => {
    large.checked = projecting()
    keepInAddress()
    tell()
  }
  for (const choice of themes) {
    choice.checked = choice.value === (keptValue(THEME) ?? "system")
    choice.onchange = () => {
      keepValue(THEME, choice.value === "system" ? null : choice.value)
      window.dispatchEvent(new Event("mfx-theme"))
    }
  }
  keys.checked = !keptValue(NO_KEYS)
  keys.onchange = () => keepValue(NO_KEYS, keys.checked ? null : "1")
  large.onchange = () => project(large.checked)
  window.addEventListener(CHANGED, switched, { signal })
  // Before whatever has the focus, since components keep their keys to themselves.
  document.addEventListener("keydown", event => onKey(event, root), { capture: true, signal })
  // The browser takes Esc for itself when it fills the screen: leaving that leaves the mode, on every page.
  const left = () => {
    if (!document.fullscreenElement) project(false)
  }
  document.addEventListener("fullscreenchange", left, { signal })
  const pressed = (/** @type {PointerEvent} */ event) => closeOthers(/** @type {Node} */ (event.target))
  document.addEventListener("pointerdown", pressed, { capture: true, signal })
  if (projectorAsked()) project(true)
  large.checked = projecting()
  keepInAddress()
  return () => {
    stop.abort()
    drawn.disconnect()
  }
}

/** P and Esc, wherever the focus is. @param {KeyboardEvent} event @param {HTMLElement} root */
function onKey(event, root) {
  if (event.key === "Escape") {
    const closed = closeMenu(event)
    if (!closed && projecting() && !isTyping(event)) project(false)
    return
  }
  if (event.key.toLowerCase() !== "p" || event.repeat || isTyping(event) || !root.isConnected) return
  if (!keptValue(NO_KEYS)) project(!projecting())
}

const MENUS = "details:is(.mfx-frame, .mfx-menu, .mfs-more)[open]"

/** Esc closes an open menu of ours and gives the focus back to what opened it. @param {KeyboardEvent} event */
function closeMenu(event) {
  const open = /** @type {HTMLDetailsElement | null} */ (document.querySelector(MENUS))
  if (!open) return false
  open.open = false
  open.querySelector("summary")?.focus()
  event.stopPropagation()
  return true
}

/** A press elsewhere closes them too. @param {Node} target */
function closeOthers(target) {
  for (const open of document.querySelectorAll(MENUS)) if (!open.contains(target)) open.removeAttribute("open")
}
