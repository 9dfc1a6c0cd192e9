// Keys of a component. What is pressed inside it stays there: Streamlit binds R (run again) and C (clear every
// cache) on the whole
// document, and a person who meant a button of ours must not hit those.

/**
 * Calls `onKey` for every key pressed in the component, and for those pressed nowhere in particular.
 * @param {HTMLElement} root
 * @param {(event: KeyboardEvent) => void} onKey
 * @returns {() => void} stops listening
 */
export function listenToKeys(root, onKey) {
  const stay = (/** @type {KeyboardEvent} */ event) => event.stopPropagation()
  const inside = (/** @type {KeyboardEvent} */ event) => {
    onKey(event)
    event.stopPropagation()
  }
  root.addEventListener("keydown", inside)
  root.addEventListener("keyup", stay)
  root.addEventListener("keypress", stay)
  document.addEventListener("keydown", onKey)
  return () => {
    root.removeEventListener("keydown", inside)
    root.removeEventListener("keyup", stay)
    root.removeEventListener("keypress", stay)
    document.removeEventListener("keydown", onKey)
  }
}

const TYPING = "input:not([type=range]), textarea, select, [contenteditable=true], [role=combobox]"

/**
 * Whether a key is somebody's typing or a shortcut of browser or system, which no component takes for its own.
 * @param {KeyboardEvent} event
 */
export function isTyping(event) {
  const modified = event.ctrlKey || event.metaKey || event.altKey
  return modified || (event.target instanceof Element && event.target.closest(TYPING) !== null)
}
