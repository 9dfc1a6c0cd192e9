// Numbers and words of the map. Nothing here touches the page.

import { clamp, defined } from "../shared/text.js"

export const fixed = (/** @type {any} */ value, digits = 2) =>
  defined(value) ? value.toFixed(digits).replace(/^-(0(\.0+)?)$/, "$1") : "–"
/** @param {number} share */
export const percent = share =>
  defined(share) ? `${share >= 0.0995 || share < 0.0005 ? Math.round(100 * share) : (100 * share).toFixed(1)} %` : "–"
/** @param {string} text @param {number} limit */
export const shorten = (text, limit) => (text.length <= limit ? text : `${text.slice(0, limit - 1).trimEnd()}…`)

// 1 at rest, quick in the middle: what an eye follows most easily.
/** @param {any} u */
export const ease = u => (u < 0.5 ? 4 * u ** 3 : 1 - (-2 * u + 2) ** 3 / 2)

/** @param {any} sorted @param {number} share */
export function quantile(sorted, share) {
  return sorted.length ? sorted[clamp(Math.round(share * (sorted.length - 1)), 0, sorted.length - 1)] : NaN
}

// What is looked for: words anywhere in a title, in any order; between slashes a regular expression.
/** @param {string} query */
export function matcher(query) {
  const text = query.trim()
  if (!text) return null
  const expression = text.match(/^\/(.+?)\/?$/)
  if (expression) {
    try {
      const compiled = new RegExp(expression[1], "i")
      return (/** @type {string} */ title) => compiled.test(title)
    } catch {
      return undefined
    }
  }
  const plain = (/** @type {string} */ value) =>
    value
      .normalize("NFD")
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase()
  const parts = plain(text).split(/\s+/)
  return (/** @type {string} */ title) => {
    const heap = plain(title)
    return parts.every((/** @type {string} */ part) => heap.includes(part))
  }
}
