// How the points look: which are there, their colour, size and order.

import { clamp, defined } from "../shared/text.js"
import { drawLegend, paintBy } from "./colours.js"

// Which rows are on the map: films, users or both; of a layout, those it has a place for.
export function chooseRows(view) {
  const { source, want } = view,
    there = view.layout ? new Set(source.layouts[view.layout].rows) : null
  view.rows = view
    .rowsOf(view.special.items && want.kinds === "users" ? "both" : want.kinds)
    .filter(row => !there || there.has(row))
}

const MANY = 8000

// The same order each time (a linear congruential generator), so that nothing flickers.
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
export function dress(view) {
  const { source, want, look } = view
  if (!source) return
  view.paint = paintBy(view)
  const { count, items } = source,
    focus = new Set([
      ...view.picked,
      ...view.found,
      ...(view.chosen >= 0 ? [view.chosen, ...view.near.map(one => one.row)] : []),
    ])
  view.inks = view.inks?.length === 4 * count ? view.inks : new Uint8Array(4 * count)
  view.marks = view.marks?.length === 2 * count ? view.marks.fill(0) : new Float32Array(2 * count)
  view.dim = new Uint8Array(count)
  const base =
    clamp(9.5 * (1500 / Math.max(view.rows.length, 1)) ** 0.3, 2.4, 13) *
    (view.big ? 1.5 : 1) *
    (view.camera.width < 600 ? 0.75 : 1)
  const most = Math.sqrt(Math.max(1, ...[...source.ratings.subarray(0, items)].slice(0, 5000).filter(defined))),
    layers = [[], [], []]
  for (const row of view.rows) {
    const faded = (focus.size && !focus.has(row)) || (want.genre && !source.genres[row].includes(want.genre))
    view.dim[row] = faded ? 1 : 0
    const weight =
      want.sized && row < items && defined(source.ratings[row])
        ? 0.62 + 0.95 * Math.min(1, Math.sqrt(source.ratings[row]) / most)
        : 0.8
    view.marks[2 * row] = base * weight * (focus.has(row) ? 1.3 : 1)
    view.marks[2 * row + 1] = row < items ? 0 : 1
    for (let k = 0; k < 3; k += 1) view.inks[4 * row + k] = view.paint.inks[3 * row + k]
    view.inks[4 * row + 3] = faded ? (want.dims === 3 ? 110 : 46) : row < items ? (want.dims === 3 ? 250 : 210) : 160
    if (want.dims === 3 && faded)
      for (let k = 0; k < 3; k += 1) view.inks[4 * row + k] = 0.4 * view.inks[4 * row + k] + 0.6 * look.ground[k]
    layers[faded ? 0 : focus.has(row) ? 2 : 1].push(row)
  }
  if (layers[1].length < MANY)
    layers[1].sort((a, b) => view.marks[2 * b] - view.marks[2 * a]) // small ones on top of large ones
  else shuffle(layers[1]) // so that any part of them shows the whole shape
  view.painter.looks(view.inks, view.marks, Uint32Array.from(layers.flat()))
  view.many = view.rows.length >= MANY
  drawLegend(view)
  view.root.dataset.points = String(view.rows.length)
  view.styled = true
}
