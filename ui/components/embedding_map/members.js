// Sets of points as an address holds them: a few by their ids, to be read and typed; many by their indices, packed.

/** @typedef {import("./types.js").Members} Members */

export const MOST_NAMED = 80
export const MOST_LETTERS = 6000
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
const FARTHEST = 2 ** 20 // an index beyond it is nonsense in an address
const SPECIAL = /[%.~*]/g

/** @type {Members} */
export const NOBODY = { ids: [], index: [] }

/** @param {Members} members */
export const isEmpty = ({ ids, index }) => ids.length + index.length === 0

/** @param {Members} members @returns {string} "" for nobody, and for more than an address holds */
export function membersText({ ids, index }) {
  if (ids.length)
    return ids.map(id => id.replace(SPECIAL, sign => `%${sign.charCodeAt(0).toString(16).padStart(2, "0")}`)).join(".")
  if (!index.length) return ""
  const sorted = [...index].sort((a, b) => a - b),
    texts = [`*d${gapsText(sorted)}`, `*b${bitsText(sorted)}`].sort((a, b) => a.length - b.length)
  return texts[0].length <= MOST_LETTERS ? texts[0] : ""
}

/** @param {string | null} text @returns {Members} */
export function membersFrom(text) {
  if (!text) return NOBODY
  if (text.startsWith("*"))
    return { ids: [], index: text[1] === "d" ? fromGaps(text.slice(2)) : fromBits(text.slice(2)) }
  return { ids: text.split(".").filter(Boolean).map(plain), index: [] }
}

/** @param {string} id */
function plain(id) {
  try {
    return decodeURIComponent(id)
  } catch {
    return id // typed by hand
  }
}

/** The gaps between sorted indices, five bits a letter, the sixth says that more follow. @param {number[]} sorted */
function gapsText(sorted) {
  let text = "",
    before = -1
  for (const index of sorted) {
    let gap = index - before - 1
    before = index
    for (; gap >= 32; gap = gap >> 5) text += LETTERS[32 + (gap & 31)]
    text += LETTERS[gap]
  }
  return text
}

/** @param {string} text */
function fromGaps(text) {
  const found = []
  let index = -1,
    gap = 0,
    shift = 0
  for (const letter of text) {
    const value = LETTERS.indexOf(letter)
    if (value < 0 || shift > 20) break
    gap += (value & 31) << shift
    shift += 5
    if (value >= 32) continue
    index += gap + 1
    if (index > FARTHEST) break
    found.push(index)
    gap = shift = 0
  }
  return found
}

/** One bit for each index, six a letter. @param {number[]} sorted */
function bitsText(sorted) {
  const bits = new Uint8Array(Math.ceil((sorted[sorted.length - 1] + 1) / 6))
  for (const index of sorted) bits[Math.floor(index / 6)] |= 1 << (index % 6)
  return bits.length > MOST_LETTERS ? "*".repeat(MOST_LETTERS) : Array.from(bits, six => LETTERS[six]).join("")
}

/** @param {string} text */
const fromBits = text =>
  [...text].flatMap((letter, at) => {
    const six = Math.max(0, LETTERS.indexOf(letter))
    return [0, 1, 2, 3, 4, 5].filter(bit => six & (1 << bit)).map(bit => 6 * at + bit)
  })
