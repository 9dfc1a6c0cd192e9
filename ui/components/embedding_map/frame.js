// What is drawn and when: a frame is asked for only when something moves; a still map costs nothing.

import { clamp, defined } from "../shared/text.js"
import { chooseRows, dress } from "./appearance.js"
import { glide } from "./camera.js"
import { chooseLabels, drawOverlay } from "./overlay.js"
import { drawPanel } from "./panel.js"
import { lensOf, placesAt } from "./projection.js"
import { frameNow, lastFrame } from "./state.js"
import { writeAddress } from "./restore.js"
import { drawTable } from "./table.js"
import { drawTime, drawTrails, tick } from "./timeline.js"
import { ease } from "./words.js"

/** @typedef {import("./types.js").View} View */

const REST = 160 // milliseconds without movement until names are chosen anew
const MORPH = 750 // milliseconds for points to fly to other coordinates
const RELABEL = 700 // milliseconds between choices of names while it plays

/**
 * What parts of the map ask to be drawn, and what they want to know of it.
 * @param {View} view
 * @returns {Partial<import("./types.js").MapActions>}
 */
export function drawingActions(view) {
  return {
    again(moved) {
      if (moved) view.moved = true
      view.request ??= requestAnimationFrame(now => step(view, now))
    },
    redraw() {
      drawPanel(view)
      view.again()
    },
    dress() {
      dress(view)
      view.again()
    },
    settle: () => settle(view),
    renew: ({ still = false } = {}) => renew(view, still),
    norms: () => view.source.norms[frameNow(view)],
    rowsOf(kinds) {
      const { items, count } = view.source,
        all = Array.from({ length: count }, (_, row) => row)
      return all.filter(row => (row < items ? kinds !== "users" : kinds !== "films"))
    },
    drawn: () => view.rows ?? [],
    shown: row => view.marks && view.marks[2 * row] > 0,
    dimmed: row => view.dim[row] === 1,
  }
}

/** Something moved: names are chosen anew once it rests, and then the address is written. @param {View} view */
function settle(view) {
  clearTimeout(view.timers.rest)
  const rest = () => {
    if (!view.source || view.closed) return
    if (view.camera.goal || view.camera.speed) {
      settle(view)
      return
    }
    view.findNear({ quiet: true })
    chooseLabels(view)
    drawTable(view)
    writeAddress(view)
    view.again()
  }
  view.timers.rest = setTimeout(rest, view.calm ? 0 : REST)
}

/**
 * Another way to look at the same vectors: points fly from where they are.
 * @param {View} view
 * @param {boolean} still
 */
function renew(view, still) {
  const { source } = view
  if (!source) return
  const before = view.places?.length === 3 * source.count ? view.places.slice() : null
  chooseRows(view)
  view.lens = lensOf(view)
  if (!before) view.places = new Float32Array(3 * source.count)
  if (view.screen?.length !== 2 * source.count) view.screen = new Float32Array(2 * source.count)
  placesAt(view, view.time, view.places)
  view.morph = before && !still && !view.calm ? { from: before, began: performance.now(), length: MORPH } : null
  view.moved = true
  if (view.want.find && !still) view.search() // among those that are on the map now
  view.dress()
  view.settle()
}

/** @param {View} view @param {number} now */
function step(view, now) {
  view.request = null
  if (view.closed || !view.source || !view.camera.height) return
  const flying = glide(view.camera, now),
    ticking = tick(view, now)
  if (flying || ticking || view.morph || view.moved) place(view, now)
  if (ticking) renewWhilePlaying(view, now)
  view.root.dataset.moving = String(ticking || Boolean(view.sliding))
  drawTrails(view)
  view.painter.draw(view.camera, view.look, shareOf(view, now))
  drawOverlay(view, now)
  drawTime(view)
  view.drawnFrames += 1
  view.root.dataset.drawn ||= String(Math.round(performance.now()))
  if (flying || ticking || view.morph) view.again(true)
  else if (view.trailing && view.want.trails === "auto") view.again()
}

/** @param {View} view @param {number} now */
function place(view, now) {
  const { places, morph } = view
  placesAt(view, Math.min(view.time, lastFrame(view)), places)
  if (morph) {
    const { from, began, length } = morph,
      u = ease(clamp((now - began) / length, 0, 1))
    for (let k = 0; k < from.length; k += 1) {
      if (defined(from[k]) && defined(places[k])) places[k] = from[k] + (places[k] - from[k]) * u
    }
    if (now - began >= length) {
      view.morph = null
      view.settle()
    }
  }
  view.painter.places(places)
  view.moved = false
}

/**
 * Very many points: while they move, as many as the machine can draw 25 times a second; all of them as soon as they
 *   rest.
 * @param {View} view @param {number} now
 */
function shareOf(view, now) {
  const gap = now - view.stepped
  view.stepped = now
  clearTimeout(view.timers.fill)
  if (!view.many || gap > 250) return 1
  view.share = clamp(view.share * (gap > 45 ? 0.75 : gap < 25 ? 1.12 : 1), 0.08, 1)
  const fill = () => {
    view.stepped = 0
    view.again()
  }
  if (view.share < 1) view.timers.fill = setTimeout(fill, 260)
  return view.share
}

/** @param {View} view @param {number} now */
function renewWhilePlaying(view, now) {
  if (now - view.relabelled < RELABEL) return
  view.relabelled = now
  if (view.want.colour === "norm") dress(view)
  chooseLabels(view)
}
