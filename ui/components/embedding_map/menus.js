// Menus that open below a button: closed by Escape, by a click elsewhere, and by the next menu.

/**
 * @param {HTMLElement} root all menus in it are `details`
 * @returns {() => void} stops listening
 */
export function listenToMenus(root) {
  const open = () => /** @type {HTMLDetailsElement[]} */ ([...root.querySelectorAll("details.mfs-more[open]")])
  const outside = (/** @type {Event} */ event) => {
    for (const menu of open()) if (!(event.target instanceof Node && menu.contains(event.target))) menu.open = false
  }
  const escape = (/** @type {KeyboardEvent} */ event) => {
    const menus = event.key === "Escape" ? open() : []
    if (!menus.length) return
    event.stopImmediatePropagation() // it closes the menu, and nothing behind it
    event.preventDefault()
    for (const menu of menus) {
      menu.open = false
      menu.querySelector("summary")?.focus()
    }
  }
  document.addEventListener("pointerdown", outside, true)
  document.addEventListener("focusin", outside)
  document.addEventListener("keydown", escape, true)
  return () => {
    document.removeEventListener("pointerdown", outside, true)
    document.removeEventListener("focusin", outside)
    document.removeEventListener("keydown", escape, true)
  }
}
