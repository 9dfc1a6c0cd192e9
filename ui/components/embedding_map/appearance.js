// How the points look: which are there, their colour, size and order.

import { clamp, defined } from "../shared/text.js"
import { drawLegend, OPAQUE, paintBy } from "./colours.js"

/** @typedef {import("./types.js").View} View */

// Which rows are on the map: films, users or both; of a layout, those it has a place for.
/** @param {View} view */
export function chooseRows(view) {
  const { source, want } = view,
    there = view.layout ? new Set(source.layouts[view.layout].rows) : null
  view.rows = view
    .rowsOf(view.special.items && want.kinds === "users" ? "both" : want.kinds)
    .filter(row => !there || there.has(row))
}

const MANY = 8000

// The same order each time (a linear congruential generator), so that nothing flickers.
/** @param {number[]} rows */
function shuffle(rows) {
  for (let last = rows.length - 1, seed = 1; last > 0; last -= 1) {
    seed = (1664525 * seed + 1013904223) >>> 0
    const other = seed % (last + 1),
      kept = rows[last]
    rows[last] = rows[other]
    rows[other] = kept
  }
}

// Colour, size and order of the points: what is looked at lies on top.
/** @param {View} view */
export function dress(view) {
  const { source } = view
  if (!source) return
  view.paint = paintBy(view)
  const { count } = source,
    focus = focusOf(view),
    size = sizesOf(view)
  if (view.inks?.length !== 4 * count) view.inks = new Uint8Array(4 * count)
  view.marks = view.marks?.length === 2 * count ? view.marks.fill(0) : new Float32Array(2 * count)
  view.dim = new Uint8Array(count)
  /** @type {[faded: number[], plain: number[], looked_at: number[]]} */
  const layers = [[], [], []]
  for (const row of view.rows) {
    const faded = isFaded(view, focus, row),
      looked = focus.has(row)
    view.dim[row] = faded ? 1 : 0
    view.marks[2 * row] = size(row) * (looked ? 1.3 : 1)
    view.marks[2 * row + 1] = row < source.items ? 0 : 1
    inkPoint(view, row, faded)
    layers[faded ? 0 : looked ? 2 : 1].push(row)
  }
  const [, plain] = layers
  if (plain.length < MANY)
    plain.sort((a, b) => view.marks[2 * b] - view.marks[2 * a]) // small ones on top of large ones
  else shuffle(plain) // so that any part of them shows the whole shape
  view.painter.looks(view.inks, view.marks, Uint32Array.from(layers.flat()))
  view.many = view.rows.length >= MANY
  drawLegend(view)
  view.root.dataset.points = String(view.rows.length)
}

/** What is looked at: chosen, near it, picked, found. @param {View} view @returns {Set<number>} */
function focusOf({ picked, found, chosen, near }) {
  return new Set([...picked, ...found, ...(chosen >= 0 ? [chosen, ...near.map(one => one.row)] : [])])
}

/** @param {View} view @param {Set<number>} focus @param {number} row */
function isFaded({ want, source }, focus, row) {
  return (focus.size > 0 && !focus.has(row)) || (want.genre !== null && !source.genres[row].includes(want.genre))
}

/** Pixels of a point: of all, and of each by its popularity. @param {View} view */
function sizesOf({ source, want, rows, big, camera }) {
  const crowd = clamp(9.5 * (1500 / Math.max(rows.length, 1)) ** 0.3, 2.4, 13)
  const base = crowd * (big ? 1.5 : 1) * (camera.width < 600 ? 0.75 : 1)
  const most = Math.sqrt(Math.max(1, ...[...source.ratings.subarray(0, source.items)].slice(0, 5000).filter(defined)))
  return (/** @type {number} */ row) => {
    const ratings = source.ratings[row]
    if (!want.sized || row >= source.items || !defined(ratings)) return 0.8 * base
    return base * (0.62 + 0.95 * Math.min(1, Math.sqrt(ratings) / most))
  }
}

/** @param {View} view @param {number} row @param {boolean} faded */
function inkPoint({ inks, paint, want, source, look }, row, faded) {
  const space = want.dims === 3,
    opaque = row >= source.items ? OPAQUE.users : space ? OPAQUE.inSpace : OPAQUE.items
  for (let k = 0; k < 3; k += 1) {
    const ink = paint.inks[3 * row + k]
    inks[4 * row + k] = space && faded ? 0.4 * ink + 0.6 * look.ground[k] : ink
  }
  inks[4 * row + 3] = faded ? (space ? 110 : 46) : opaque
}
