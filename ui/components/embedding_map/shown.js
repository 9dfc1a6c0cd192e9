// What is lit on the map, as rows and columns: for the table behind it, and to be taken along.

import { csv, defined } from "../shared/text.js"
import { axisName } from "./projection.js"
import { frameNow } from "./state.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {{ head: string, cells: (row: number) => string | number, number: boolean }} Column */

/** The points that are lit: the selected if there are some, else those that no legend or search has dimmed.
 * @param {View} view @returns {number[]} the most rated first */
export function litRows(view) {
  const { source, picked } = view,
    rows = picked.size ? view.drawn().filter(row => picked.has(row)) : view.drawn().filter(row => !view.dimmed(row))
  return [...rows].sort((a, b) => (source.ratings[b] || 0) - (source.ratings[a] || 0))
}

/** @param {number} value @param {number} digits */
const text = (value, digits) => (defined(value) ? value.toFixed(digits) : "")

/** What is known of points, and where they are; columns that are empty throughout are left out.
 * @param {View} view @param {number[]} rows @returns {Column[]} */
export function columnsOf(view, rows) {
  const { source, want, data } = view,
    { width } = source,
    frame = source.frames[frameNow(view)],
    users = rows.some(row => row >= source.items),
    items = rows.some(row => row < source.items)
  /** @param {string} head @param {(row: number) => string | number} cells */
  const number = (head, cells) => ({ head, cells, number: true })
  const kind = (/** @type {number} */ row) => (row < source.items ? data.nouns.item : data.nouns.user)
  const axes = view.layout
    ? [0, 1].map(k => number(`${data.methods[view.layout ?? ""]} ${k + 1}`, row => text(view.places[3 * row + k], 4)))
    : [want.x, want.y, ...(want.dims === 3 ? [want.z] : [])].map(axis =>
        number(axisName(view, axis), row => text(frame[row * width + axis], 4)),
      )
  const found = [
    { head: "id", cells: (/** @type {number} */ row) => source.id[row], number: false },
    { head: "title", cells: (/** @type {number} */ row) => source.title[row], number: false },
    ...(users && items ? [{ head: "kind", cells: kind, number: false }] : []),
    number("year", row => text(source.year[row], 0)),
    { head: "genres", cells: (/** @type {number} */ row) => source.genres[row].join(" | "), number: false },
    number("ratings", row => text(source.ratings[row], 0)),
    number("mean", row => text(source.mean[row], 2)),
    ...axes,
    number("length", row => text(view.norms()[row], 4)),
  ]
  return found.filter(({ cells }) => rows.some(row => cells(row) !== ""))
}

/** Comma-separated, as spreadsheets read it. @param {View} view */
export function csvOf(view) {
  const rows = litRows(view),
    columns = columnsOf(view, rows)
  return csv([columns.map(({ head }) => head), ...rows.map(row => columns.map(({ cells }) => cells(row)))])
}
