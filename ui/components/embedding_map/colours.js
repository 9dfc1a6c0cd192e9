// What colour a point has, and the legend that says why.

import { along, bytesOf } from "../shared/colours.js"
import { element } from "../shared/dom.js"
import { capital, defined, plural, whole } from "../shared/text.js"
import { fixed, quantile } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./types.js").Look} Look */

export const OPAQUE = { items: 235, inSpace: 250, users: 190 } // of 255
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
/** @param {Source} source @param {string[][]} all genres of every item, on this map or not */
export function mainGenres(source, all) {
  const counts = countsOf(source.genres.slice(0, source.items))
  const named = [...countsOf(all)]
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

/** @param {string[][]} genres of some items @returns {Map<string, number>} */
function countsOf(genres) {
  const counts = new Map()
  for (const some of genres) for (const genre of some) counts.set(genre, (counts.get(genre) ?? 0) + 1)
  return counts
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
  const stops = look.scales[sides ? "sides" : "much"].map(bytesOf)
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
    return { inks, scale, key: want.colour, named: [], shades: [] }
  }
  const shades = look.scales.kinds.map(bytesOf),
    { main, named } = source.genreTable
  for (let row = 0; row < source.count; row += 1) {
    const plain = row < source.items ? look.one : look.users
    inks.set(want.colour !== "genre" ? plain : main[row] < 0 ? look.faint : shades[main[row]], 3 * row)
  }
  return { inks, key: want.colour, named: want.colour === "genre" ? named : [], shades: look.scales.kinds }
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
        element("span", { className: "mfs-legend-low", textContent: text(low) }),
        element("span", { className: "mfs-legend-high", textContent: text(high) }),
      ),
    )
    return
  }
  const shades = view.look.scales.kinds,
    entries = paint.named.length ? legendOf(source, view.rows) : []
  const lit = entries.find(entry => entry.genre === want.genre)
  node.replaceChildren(
    ...entries.map(entry => legendButton(view, entry, shades[entry.place] ?? `rgb(${view.look.faint})`)),
    ...(lit ? [element("p", { className: "mfs-lit", textContent: litWords(view, lit) })] : []),
  )
}

/** @typedef {{ genre: string, place: number, has: number, first: number }} Entry */

/**
 * What the legend says of the points on the map: how many have each genre, and how many have its colour, which is that
 * of the rarest of theirs. The last entry, without a genre, is of those that have none of these.
 * @param {Source} source @param {number[]} rows
 * @returns {Entry[]}
 */
export function legendOf({ genreTable: { named, main }, genres, items }, rows) {
  const shown = rows.filter(row => row < items)
  const entries = [...named.entries()].map(([place, genre]) => ({
    genre,
    place,
    has: shown.filter(row => genres[row].includes(genre)).length,
    first: shown.filter(row => main[row] === place).length,
  }))
  const others = shown.filter(row => main[row] < 0).length
  return others ? [...entries, { genre: "", place: -1, has: others, first: others }] : entries
}

/** @param {View} view @param {Entry} entry */
function litWords({ data }, { genre, has, first }) {
  const { item, items } = data.nouns
  const all = `${plural(has, item, items)} with ${genre}`
  return has === first
    ? `${all}.`
    : `${all}; ${whole(first)} in its colour, the rest in that of a rarer genre they have.`
}

/** @param {View} view @param {Entry} entry @param {string} colour */
function legendButton(view, entry, colour) {
  const { want, data } = view,
    { genre } = entry,
    none = `${data.nouns.items} with none of the genres above`
  const button = element(
    "button",
    {
      type: "button",
      className: "mfs-entry",
      ariaPressed: String(want.genre === genre),
      disabled: !genre,
      title: genre ? `${litWords(view, entry)} Press to light them alone, once more for all` : capital(none),
      style: { "--mfs-ink": colour },
    },
    element("span", { textContent: genre || OTHER }),
    element("small", { textContent: whole(entry.has) }),
  )
  button.onclick = () => {
    want.genre = want.genre === genre ? null : genre
    view.dress()
    view.settle()
  }
  return button
}
