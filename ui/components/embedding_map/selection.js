// What is chosen and picked, what is near it, and other ways of putting the vectors into the plane.

import { setText } from "../shared/dom.js"
import { one as an } from "../shared/text.js"
import { fly, home } from "./camera.js"
import { drawHover, drawPanel } from "./panel.js"
import { readNear, readSource } from "./source.js"
import { frameNow, messageOf, tellBriefly } from "./state.js"
import { play } from "./timeline.js"
import { takeOver } from "./updates.js"

/** @typedef {import("./types.js").View} View */

const LEAST_ISOLATED = 3
const MOST_AT_AN_END = 200 // points whose middle is one end of an own axis

/**
 * What choosing does.
 * @param {View} view
 * @returns {Partial<import("./types.js").MapActions>}
 */
export function choosingActions(view) {
  return {
    choose: row => choose(view, row),
    pick(rows) {
      Object.assign(view, { picked: new Set(rows), chosen: -1, near: [] })
      view.refresh()
    },
    refresh() {
      view.dress()
      drawPanel(view)
      view.settle()
    },
    findNear: ({ quiet = false } = {}) => findNear(view, quiet),
    point: (row, place) => point(view, row, place),
    clear: () => clear(view),
    home() {
      fly(view.camera, home(view.want.dims), performance.now(), view.calm)
      view.settle()
      view.again()
    },
    change: special => change(view, special),
    isolate: rows => isolate(view, rows),
    setEnd: (end, rows) => setEnd(view, end, rows),
    dropAxis: () => dropAxis(view),
  }
}

/** @param {View} view @param {number} row -1 for none */
function choose(view, row) {
  view.chosen = row
  if (row < 0 && !view.near.length && !view.picked.size) {
    view.dress()
    view.settle()
    return
  }
  if (row < 0 && view.picked.size && view.near.length === 0) view.picked = new Set()
  view.near = []
  view.findNear()
}

/** @param {View} view @param {boolean} quiet only what has changed is drawn */
async function findNear(view, quiet) {
  const { chosen, source } = view
  if (!quiet) view.refresh()
  if (chosen < 0) return
  const asked = `${chosen} ${frameNow(view)} ${view.measure}`,
    before = view.near.map(one => one.row).join()
  if (quiet && view.nearOf === asked && view.near.length) return
  try {
    const near = await readNear(view, chosen, view.measure)
    if (view.chosen !== chosen || view.source !== source) return
    Object.assign(view, { near, nearOf: asked, nearWords: "It has no direction, so nothing is near it." })
    if (!quiet || before !== near.map((/** @type {import("./types.js").Near} */ one) => one.row).join()) view.dress()
    if (!quiet) view.settle()
  } catch (error) {
    view.nearWords = messageOf(error)
  }
  drawPanel(view)
}

/** @param {View} view @param {number} row @param {number[]} [place] of the pointer */
function point(view, row, place) {
  if (row !== view.hover) {
    view.hover = row
    view.part.stage.style.cursor = row >= 0 ? "pointer" : ""
    view.again()
  }
  drawHover(view, place)
}

/** @param {View} view */
function clear(view) {
  if (view.playing) play(view, false)
  Object.assign(view, { chosen: -1, picked: new Set(), near: [], found: [], cursor: -1, ends: {} })
  Object.assign(view.want, { find: "", genre: null })
  view.part.find.value = ""
  setText(view.part.hits, "")
  if (view.special.items) view.isolate(null)
  view.refresh()
}

/**
 * Another way of putting the vectors into the plane is computed by the server, for all epochs and in one basis again.
 * @param {View} view @param {import("./types.js").Special} special
 */
async function change(view, special) {
  const { source, data, known } = view
  const wanted = Object.entries({ ...view.special, ...special }).filter(([, value]) => value)
  const asked = (view.asked = Object.fromEntries(wanted))
  try {
    const next = await readSource(data, { basis: source.head.basis, special: asked, about: known })
    if (view.source === source && view.asked === asked) takeOver(view, next, asked)
  } catch (error) {
    tellBriefly(view, messageOf(error))
  }
}

/** @param {View} view @param {number[]} rows */
const itemsOf = ({ source }, rows) => rows.filter(row => row < source.items).map(row => source.head.item_idx[row])

/** Only these, on axes of their own; null shows all again. @param {View} view @param {number[] | null} rows */
function isolate(view, rows) {
  const items = rows && itemsOf(view, rows)
  if (items && items.length < LEAST_ISOLATED) tellBriefly(view, "Select at least three to see them apart.")
  else {
    view.ends = {}
    view.change({ items, between: null })
  }
}

/**
 * What is selected becomes one end of an axis of one's own; with both ends known, the axis is drawn.
 * @param {View} view @param {"from" | "to"} end @param {number[]} rows
 */
function setEnd(view, end, rows) {
  const index = itemsOf(view, rows).slice(0, MOST_AT_AN_END)
  if (!index.length) {
    tellBriefly(view, `Choose ${an(view.data.nouns.item)} on the map first, or several.`)
    return
  }
  const ends = { ...view.ends, ...view.special.between, [end]: index },
    { from, to } = ends
  view.ends = from && to ? {} : ends
  if (from && to) view.change({ between: { from, to } })
  else tellBriefly(view, `Now choose ${from ? "where the axis leads to" : "where the axis comes from"}.`)
  view.fillControls()
  view.redraw()
  view.settle()
}

/** @param {View} view */
function dropAxis(view) {
  view.ends = {}
  if (view.special.between) view.change({ between: null })
  view.fillControls()
  view.redraw()
  view.settle()
}
