// Numbers and words as they stand on screen, for every component. Nothing here touches the page.

/**
 * Whether a value is a number one can show: not missing, not NaN, not infinite.
 * @param {unknown} value
 * @returns {value is number}
 */
export const defined = value => typeof value === "number" && Number.isFinite(value)

/** @param {unknown} value  12345 → "12,345"; "–" where it is undefined. */
export const whole = value => (defined(value) ? Math.round(value).toLocaleString("en-GB") : "–")

/** @param {number} n @param {string} word @param {string} [words]  (2, "epoch") → "2 epochs". */
export const plural = (n, word, words = `${word}s`) => `${whole(n)} ${n === 1 ? word : words}`

/** @param {string} words  "user 4" → "User 4". */
export const capital = words => words.charAt(0).toUpperCase() + words.slice(1)

/** @param {string} noun  "a film", "an item", "a user". */
export const one = noun => `${/^(?:[aeio]|u(?!s|ni))/.test(noun) ? "an" : "a"} ${noun}`

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value))

/**
 * The middle of the defined values; NaN where there is none.
 * @param {ArrayLike<number>} values
 */
export function median(values) {
  const sorted = Array.from(values)
    .filter(defined)
    .sort((a, b) => a - b)
  if (!sorted.length) return NaN
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * Comma-separated lines as spreadsheets read them. Text that one would take for a formula (a title such as "=1+1")
 * is marked as text by an apostrophe; null is an empty cell.
 * @param {(string | number | null)[][]} lines
 */
export const csv = lines => lines.map(line => `${line.map(csvCell).join(",")}\r\n`).join("")

/** @param {string | number | null} value */
function csvCell(value) {
  if (value === null) return ""
  const text = String(value),
    number = typeof value === "number" || (text.trim() !== "" && Number.isFinite(Number(text)))
  const safe = !number && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
