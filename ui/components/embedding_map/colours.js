// What colour a point has, and the legend that says why.

import { along, bytesOf } from "../shared/colours.js"
import { element } from "../shared/dom.js"
import { defined, whole } from "../shared/text.js"
import { fixed, quantile } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./types.js").Look} Look */

// Told apart by eyes that confuse red and green too: the palette of Okabe & Ito (2008), the last one for a light and
// a dark ground.
const GENRE_INK = {
  light: ["#0072b2", "#e69f00", "#cc79a7", "#009e73", "#d55e00", "#56b4e9", "#b8a800", "#4a3f55"],
  dark: ["#4aa3e0", "#f0b23c", "#dd94bd", "#1fc295", "#f0803c", "#8fd0f7", "#f0e442", "#d6cfe0"],
}
// Little to much, rising evenly in lightness (after Crameri's batlow, 2018); against each other, from a neutral middle.
const SCALES = {
  light: {
    much: ["#f3b48a", "#d29343", "#9d892b", "#5f7c48", "#2b6a5f", "#14505f", "#0b2a5c"],
    sides: ["#8f4a07", "#d9903c", "#cfc8bd", "#5d9bc4", "#0a4f86"],
  },
  dark: {
    much: ["#31506e", "#2f7372", "#5c8a55", "#9c9a3f", "#dda24c", "#f8b58b", "#fdd9d0"],
    sides: ["#f2a65a", "#c07f3a", "#6d665d", "#4f96c8", "#7fc4f5"],
  },
}
/**
 * @type {Record<string, {
 *   words: string, unit?: string, inUnits?: boolean, log?: boolean, sides?: boolean, text: (value: number) => string
 * }>}
 */
const NUMBERS = {
  year: { words: "Year", text: (/** @type {number} */ value) => String(Math.round(value)) },
  ratings: { words: "Popularity", unit: "ratings", log: true, text: whole },
  mean: { words: "Mean rating", inUnits: true, text: (/** @type {number} */ value) => fixed(value, 1) },
  bias: { words: "Bias", sides: true, text: (/** @type {number} */ value) => fixed(value, 2) },
  norm: { words: "Length of the vector", text: (/** @type {number} */ value) => fixed(value, 2) },
}
const OTHER = "other"

// The genres with a colour of their own, and each point's: the rarest of its frequent ones, since that says more.
/** @param {Source} source @param {string[]} [before] */
export function mainGenres(source, before) {
  const counts = new Map()
  for (let row = 0; row < source.items; row += 1)
    for (const genre of source.genres[row]) counts.set(genre, (counts.get(genre) ?? 0) + 1)
  const named =
    before ??
    [...counts]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .slice(0, 8)
      .map(([genre]) => genre)
  const rank = new Map(named.map((genre, place) => [genre, place]))
  const main = new Int8Array(source.count).fill(-1)
  for (let row = 0; row < source.count; row += 1) {
    for (const genre of source.genres[row]) main[row] = Math.max(main[row], rank.get(genre) ?? -1)
  }
  return { named, main, counts }
}

/** A column of numbers, where the source has it. @param {Source} source @param {string} key */
const valuesOf = (source, key) =>
  /** @type {Float32Array | undefined} */ (source[/** @type {import("./types.js").NumberColumn} */ (key)])

// Ways to colour this source: those it knows something about.
/** @param {Source} source */
export function colourings(source) {
  const found = source.genreTable.named.length ? [["genre", "Genre"]] : []
  for (const [key, { words }] of Object.entries(NUMBERS)) {
    const values = valuesOf(source, key)
    if (key === "norm" || (values && values.some(defined))) found.push([key, words])
  }
  return found.concat([["plain", "One colour"]])
}

/** @param {string} key @param {Float32Array} values @param {Look} look */
function numberScale(key, values, look) {
  const { log, sides } = NUMBERS[key],
    shown = [...values].filter(defined).sort((a, b) => a - b)
  let [low, high] = [quantile(shown, 0.02), quantile(shown, 0.98)] // a few old items must not flatten the scale
  if (sides) [low, high] = [-Math.max(Math.abs(low), Math.abs(high)), Math.max(Math.abs(low), Math.abs(high))]
  if (log) low = Math.max(low, 1)
  if (!(high > low)) high = low + 1e-6
  const stops = SCALES[look.theme][sides ? "sides" : "much"].map(bytesOf)
  const share = log
    ? (/** @type {number} */ value) => Math.log(Math.max(value, 1) / low) / Math.log(high / low)
    : (/** @type {number} */ value) => (value - low) / (high - low)
  return {
    low,
    high,
    stops,
    ink: (/** @type {number} */ value) => (defined(value) ? along(stops, share(value)) : look.faint),
  }
}

// Bytes per point (red, green, blue) and what the legend needs.
/** @param {View} view */
export function paintBy(view) {
  const { source, look, want } = view,
    inks = new Uint8Array(3 * source.count)
  const values = want.colour === "norm" ? view.norms() : valuesOf(source, want.colour)
  if (NUMBERS[want.colour] && values) {
    const scale = numberScale(want.colour, values, look)
    for (let row = 0; row < source.count; row += 1) inks.set(scale.ink(values[row]), 3 * row)
    return { inks, scale, key: want.colour, named: [] }
  }
  const shades = GENRE_INK[look.theme].map(bytesOf),
    { main, named } = source.genreTable
  for (let row = 0; row < source.count; row += 1) {
    const plain = row < source.items ? look.one : look.users
    inks.set(want.colour !== "genre" ? plain : main[row] < 0 ? look.faint : shades[main[row]], 3 * row)
  }
  return { inks, key: want.colour, named: want.colour === "genre" ? named : [] }
}

/** @param {View} view */
export function drawLegend(view) {
  const node = view.part.legend,
    { paint, source, want } = view
  if (paint.scale) {
    const { words, inUnits, text } = NUMBERS[paint.key],
      unit = inUnits ? view.data.nouns.units : NUMBERS[paint.key].unit,
      { low, high, stops } = paint.scale
    const bar = element("span", {
      className: "mfs-ramp",
      style: { "--mfs-ramp": `linear-gradient(to right, ${stops.map(s => `rgb(${s})`).join(",")})` },
    })
    node.replaceChildren(
      element("span", { className: "mfs-legend-title", textContent: unit ? `${words}, ${unit}` : words }),
      bar,
      element(
        "span",
        { className: "mfs-ends" },
        element("span", { textContent: text(low) }),
        element("span", { textContent: text(high) }),
      ),
    )
    return
  }
  const shades = GENRE_INK[view.look.theme],
    tally = new Map()
  for (const place of source.genreTable.main.subarray(0, source.items)) tally.set(place, (tally.get(place) ?? 0) + 1)
  const entries = paint.named.map((genre, place) => [genre, shades[place], tally.get(place) ?? 0, genre])
  if (entries.length && tally.get(-1)) entries.push([OTHER, `rgb(${view.look.faint})`, tally.get(-1), ""])
  node.replaceChildren(
    ...entries.map(([name, colour, number, genre]) => {
      const button = element(
        "button",
        {
          type: "button",
          className: "mfs-entry",
          ariaPressed: String(want.genre === genre),
          disabled: name === OTHER,
          title: name === OTHER ? "" : `Show ${name} ${view.data.nouns.items} only; once more for all`,
          style: { "--mfs-ink": colour },
        },
        element("span", { textContent: name }),
        element("small", { textContent: whole(number) }),
      )
      button.onclick = () => {
        want.genre = want.genre === genre ? null : genre
        view.dress()
        view.settle()
      }
      return button
    }),
  )
}
