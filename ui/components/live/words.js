// Numbers and sentences of the live view. Nothing here touches the page.

import { defined } from "../shared/text.js"

/** @type {[number, string][]} */
const UNITS = [
  [1e9, " G"],
  [1e6, " M"],
  [1e3, " k"],
]

/** @param {number | undefined} value  421337 → "420 k". */
export function short(value) {
  if (!defined(value)) return "–"
  for (const [size, unit] of UNITS) if (value >= size) return Number((value / size).toPrecision(2)).toString() + unit
  return Math.round(value).toString()
}

/** @param {number | undefined} value  of seconds: "80 ms", "4.2 s", "3 min 20 s", "2 h 5 min". */
export function seconds(value) {
  if (!defined(value)) return "–"
  if (value < 1) return `${Math.round(1000 * value)} ms`
  if (value < 10) return `${value.toFixed(1)} s`
  const all = Math.round(value)
  if (all < 60) return `${all} s`
  if (all < 3600) return `${Math.floor(all / 60)} min ${all % 60} s`
  return `${Math.floor(all / 3600)} h ${Math.floor((all % 3600) / 60)} min`
}

/** @param {number | null | undefined} value  Three decimals, or powers of ten where those would run over. */
export function three(value) {
  if (!defined(value)) return "–"
  return Math.abs(value) >= 1e5 ? value.toExponential(2) : value.toFixed(3)
}

/** @param {number | null | undefined} value  A setting as one would type it. */
export function rateText(value) {
  if (!defined(value)) return "–"
  if (Number.isInteger(value)) return value.toString()
  const digits = Number(value.toPrecision(3))
  return Math.abs(digits) < 1e-4 ? digits.toExponential() : digits.toString()
}

/** @param {number} value  Six digits: what is left of 0.1 * 0.1 is 0.01. */
export const rounded = value => Number(value.toPrecision(6))

/** @param {number | undefined} time  seconds since 1970 */
export const clock = time => (defined(time) ? new Date(1000 * time).toLocaleTimeString("en-GB") : "")

/**
 * @param {unknown} text  A sentence with its capital and its stop; a setting's name (batch_size) stays as it is
 * typed.
 */
export function sentence(text) {
  const words = String(text ?? "").trim()
  if (!words) return ""
  const start = /^\w*_/.test(words) ? words[0] : words[0].toUpperCase()
  return start + words.slice(1) + (/[.!?…]$/.test(words) ? "" : ".")
}

/** @param {unknown} text  Plotly reads a little HTML in names and labels; titles come from people. */
export const escapeText = text => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
