// Colours: hex to bytes and back into what style sheets and canvases read.

/** @typedef {[number, number, number]} Bytes red, green and blue, 0 … 255 */

/**
 * "#rrggbb" or "rgb(…)" as bytes; a middle grey for what is neither.
 * @param {string} colour
 * @returns {Bytes}
 */
export function bytesOf(colour) {
  const hex = colour.trim().match(/^#([0-9a-f]{6})/i)
  if (hex) return /** @type {Bytes} */ ([0, 2, 4].map(at => parseInt(hex[1].slice(at, at + 2), 16)))
  return /** @type {Bytes} */ ((colour.match(/[\d.]+/g) ?? [128, 128, 128]).slice(0, 3).map(Number))
}

/**
 * A colour with some of it let through.
 * @param {string} colour
 * @param {number} alpha 0 … 1
 */
export const tint = (colour, alpha) => `rgba(${bytesOf(colour).join()},${alpha})`

/**
 * The colour at a share of the way through several.
 * @param {Bytes[]} stops at least two
 * @param {number} share 0 … 1
 * @returns {Bytes}
 */
export function along(stops, share) {
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1)
  const low = Math.min(Math.floor(at), stops.length - 2)
  return /** @type {Bytes} */ (stops[low].map((part, k) => Math.round(part + (at - low) * (stops[low + 1][k] - part))))
}

/**
 * What the page looks like around a component: the theme's own ground, and whether that is dark.
 * @param {Element} root
 */
export function groundOf(root) {
  const style = getComputedStyle(root)
  const background = style.getPropertyValue("--st-background-color").trim()
  const ground = bytesOf(background)
  const theme = 0.299 * ground[0] + 0.587 * ground[1] + 0.114 * ground[2] < 128 ? "dark" : "light"
  return {
    background,
    ground,
    theme,
    font: style.fontFamily || "sans-serif",
  }
}
