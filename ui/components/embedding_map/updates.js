// Loading a source, following a run that is going on, and changing from one set of coordinates to another.

import { Refused } from "../shared/server.js"
import { setText } from "../shared/dom.js"
import { drawPanel } from "./panel.js"
import { readAsked, restore } from "./restore.js"
import { readMore, readNames, readSource, turnSides } from "./source.js"
import { isGoing, lastFrame, messageOf, tell } from "./state.js"
import { drawTime, readScore } from "./timeline.js"
import { quantile } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./types.js").Special} Special */

const LIVE_PAUSE = 700 // milliseconds between two looks at a run that is going on

/** @param {View} view */
export async function open(view) {
  const { data } = view
  view.abort?.abort()
  view.abort = new AbortController()
  Object.assign(view, {
    source: null,
    special: {},
    known: null,
    restoring: false,
    ends: {},
    layout: null,
    making: null,
    picked: new Set(),
    near: [],
    nearOf: "",
    found: [],
    chosen: -1,
    hover: -1,
    focused: -1,
    corner: null,
    score: null,
    labels: new Map(),
    places: null,
    inks: null,
    marks: null,
  })
  forgetShown(view)
  if (!data.source) {
    tell(view, "")
    return
  }
  tell(view, "Loading the map …")
  try {
    const { signal } = view.abort,
      { source, special } = await readAsked(view, signal)
    if (signal.aborted) return
    tell(view, "")
    adopt(view, source, special)
    readScore(view)
    if (isGoing(view)) follow(view)
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") return
    tell(view, messageOf(error))
    if (error instanceof Refused && error.status === 400 && data.going) {
      clearTimeout(view.timers.poll)
      view.timers.poll = setTimeout(() => view.closed || open(view), 1500)
    }
  }
}

/** Nothing that was said of other vectors stays beside these. @param {View} view */
function forgetShown(view) {
  const { root, part } = view
  root.dataset.points = "0"
  delete root.dataset.drawn
  for (const name of ["names", "time", "watermark", "card", "making"]) part[name].hidden = true
  for (const name of ["names", "legend", "curve"]) part[name].replaceChildren()
  for (const name of ["note", "hits", "score"]) setText(part[name], "")
  part.now = null
  drawPanel(view)
}

// Films first, the most rated first. Of very many only the top is put in order: names are shown of no others.
/** @param {any} options */
function byPopularity({ count, items, ratings }) {
  const least = items > 5000 ? quantile(ratings.slice(0, items).sort(), 1 - 2000 / items) : -1,
    rows = []
  for (let row = 0; row < count; row += 1) if (row < items ? !(ratings[row] < least) : ratings[row] > 0) rows.push(row)
  return rows
    .slice(0, 20000)
    .sort((a, b) => (a < items ? 0 : 1) - (b < items ? 0 : 1) || (ratings[b] || 0) - (ratings[a] || 0))
}

/**
 * A source in the state that the address names: a map that is opened, or that Back leads to.
 * @param {View} view @param {Source} source @param {Special} special what it was asked for by
 */
export function adopt(view, source, special) {
  const kept = view.source && !special.items && !view.special.items ? view.source.layouts : {}
  source.layouts = kept
  Object.assign(view, {
    source,
    special,
    asked: special,
    known: source.known,
    popular: byPopularity(source),
    near: [],
    nearOf: "",
    found: [],
    hover: -1,
    focused: -1,
    corner: null,
    making: null,
    playing: false,
    labels: new Map(),
    places: null,
    inks: null,
    marks: null,
  })
  restore(view)
  tellOf(view)
  setText(
    view.part.note,
    [source.note, lastFrame(view) < 1 ? view.data.still_words : view.data.whose_words].filter(Boolean).join(" "),
  )
  drawTime(view)
  readNames(view)
}

/** What the map says of itself, for tests and style sheets. @param {View} view */
function tellOf({ source, special, root }) {
  Object.assign(root.dataset, {
    basis: String(source.basis),
    epochs: source.epochs.join(","),
    isolated: String(Boolean(special.items)),
    playing: "false",
  })
}

/** @param {View} view */
function follow(view) {
  clearTimeout(view.timers.poll)
  view.timers.poll = setTimeout(
    async () => {
      const { source } = view
      try {
        const grew = await readMore(view)
        if (view.closed || view.source !== source) return
        if (grew) grow(view)
        if (!isGoing(view)) await refit(view, true)
        else if (source.epochs[lastFrame(view)] > 2 * source.basis) await refit(view)
        if (!view.closed && isGoing(view)) follow(view)
      } catch {
        if (!view.closed && view.source === source) follow(view)
      }
    },
    document.visibilityState === "visible" ? LIVE_PAUSE : 4000,
  )
}

/** @param {View} view */
function grow(view) {
  const { source, following } = view
  view.root.dataset.epochs = source.epochs.join(",")
  view.time = Math.min(view.time, lastFrame(view))
  view.renew({ still: true })
  if (following && !view.playing) {
    if (view.calm) view.time = lastFrame(view)
    else view.goalTime = lastFrame(view)
  }
  view.again()
  readScore(view)
}

// Axes that fitted an early epoch do not fit a late one. They are fitted anew each time the run has doubled in
// length, and at its
// end; the map turns to them once, in a movement that can be followed, and stands still in between.
/** @param {View} view @param {boolean} [over] */
async function refit(view, over = false) {
  const before = view.source,
    source = await readSource(view.data, { special: view.special, about: over ? undefined : view.known })
  if (view.closed || view.source !== before) return
  view.known = source.known
  keepSides(source, before)
  takeOver(view, source, view.special)
  readScore(view)
  if (over) view.send("ended", source.state)
}

// Which end of a principal axis is positive is arbitrary: the one that was on the right stays there.
/** @param {Source} source @param {Source} before */
function keepSides(source, before) {
  const epoch = before.epochs[before.epochs.length - 1],
    now = source.epochs.indexOf(epoch),
    place = new Map(before.head.item_idx.map((index, row) => [index, row]))
  if (now < 0) return
  const one = before.frames[before.frames.length - 1],
    other = source.frames[now]
  source.flip = Int8Array.from({ length: source.width }, (_, axis) => {
    let dot = 0
    source.head.item_idx.forEach((index, row) => {
      const at = place.get(index)
      if (axis < before.width && at !== undefined) {
        dot += one[at * before.width + axis] * other[row * source.width + axis]
      }
    })
    return dot < 0 ? -1 : 1
  })
  turnSides(source, source.frames)
}

// Other coordinates of the same points, or of some of them: what is on both maps flies from its place to its place.
/** @param {View} view @param {Source} source @param {Special} special */
export function takeOver(view, source, special) {
  const before = view.source,
    { places, following, time } = view,
    place = new Map(source.head.item_idx.map((index, at) => [index, at]))
  const row = (/** @type {number} */ old) =>
    old < 0 ? -1 : old < before.items ? (place.get(before.head.item_idx[old]) ?? -1) : old - before.items + source.items
  const from = new Float32Array(3 * source.count).fill(NaN)
  for (let old = 0; old < before.count; old += 1) {
    const now = row(old)
    if (now >= 0) from.set(places.subarray(3 * old, 3 * old + 3), 3 * now)
  }
  source.layouts = special.items ? {} : before.layouts
  const same = special === view.special
  Object.assign(view, {
    source,
    special,
    places: from,
    popular: byPopularity(source),
    chosen: row(view.chosen),
    picked: new Set([...view.picked].map(row).filter(now => now >= 0)),
    near: [],
    nearOf: "",
    found: [],
    hover: -1,
    focused: -1,
    corner: null,
    labels: new Map(),
    inks: null,
    marks: null,
    layout: null,
  })
  view.time = following ? lastFrame(view) : Math.min(time, lastFrame(view))
  if (!same)
    Object.assign(view.want, {
      x: special.between ? source.width - 1 : 0,
      y: special.between ? 0 : 1,
      z: special.between ? 1 : 2,
    })
  tellOf(view)
  view.fillControls()
  if (!same) view.home()
  view.renew()
  drawTime(view)
  readNames(view)
  if (view.chosen >= 0) view.findNear()
  else drawPanel(view)
}
