// The map without a mouse: arrow keys walk from point to point, Enter chooses, two corners select what lies between.

import { isTyping, listenToKeys } from "../shared/keyboard.js"
import { projecting } from "../shared/projector.js"
import { plural } from "../shared/text.js"
import { fly, middleOf, pan, screenOf, zoomAt } from "./camera.js"
import { factsOf } from "./panel.js"
import { frameNow, lastFrame } from "./state.js"
import { goTo, play } from "./timeline.js"

/** @typedef {import("./types.js").View} View */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
const STEP = 60 // pixels that the map moves by at a time
const ASIDE = 2 // how much more a pixel to the side counts than one in the direction asked for

/**
 * The point to go to from a place in a direction; -1 where none lies there.
 * @param {ArrayLike<number>} screen x and y of each row
 * @param {number[]} rows to choose from
 * @param {[number, number]} from
 * @param {[number, number]} direction one of the four
 * @param {number} except the row one is at
 */
export function nextRow(screen, rows, [x, y], [right, down], except) {
  let best = -1,
    shortest = Infinity
  for (const row of rows) {
    const dx = screen[2 * row] - x,
      dy = screen[2 * row + 1] - y,
      ahead = dx * right + dy * down,
      aside = Math.abs(dx * down) + Math.abs(dy * right),
      way = ahead + ASIDE * aside
    if (row !== except && ahead > 0.5 && aside <= ahead * 1.5 && way < shortest) [best, shortest] = [row, way]
  }
  return best
}

/** @param {View} view @param {string} words */
export function say({ part }, words) {
  part.spoken.textContent = ""
  part.spoken.textContent = words
}

/** Where the keyboard is: a point, or the middle of the window. @param {View} view @returns {[number, number]} */
function placeOf(view) {
  const { camera, source, places, focused } = view,
    screen = screenOf(camera, places, source.count, view.screen)
  return focused >= 0 ? [screen[2 * focused], screen[2 * focused + 1]] : [middleOf(camera), camera.height / 2]
}

/** @param {View} view @param {[number, number]} direction */
function walk(view, direction) {
  const { camera, source } = view,
    rows = view.drawn().filter(row => !view.dimmed(row) || view.picked.size > 0 || view.near.length > 0)
  if (view.focused < 0 && view.chosen >= 0) view.focused = view.chosen
  const from = placeOf(view),
    row = nextRow(view.screen, rows, from, direction, view.focused)
  if (row < 0) {
    say(view, "No point further that way.")
    return true
  }
  view.focused = row
  const [x, y] = [view.screen[2 * row], view.screen[2 * row + 1]]
  if (x < 20 || y < 20 || x > camera.width - camera.inset - 20 || y > camera.height - 30) {
    const [px, py, pz] = view.places.subarray(3 * row, 3 * row + 3)
    fly(camera, { x: px, y: py, z: pz }, performance.now(), true)
    view.settle()
  }
  view.point(row, placeOf(view))
  say(view, [source.title[row], ...factsOf(view, row)].join(", "))
  view.again(true)
  return true
}

/** @param {View} view @param {boolean} more to what is selected already */
function choose(view, more) {
  const { focused, picked, source } = view
  if (focused < 0) return false
  if (!more) {
    view.choose(focused)
    say(view, `${source.title[focused]} chosen.`)
    return true
  }
  const rows = picked.has(focused) ? [...picked].filter(row => row !== focused) : [...picked, focused]
  view.pick(rows)
  say(view, `${plural(rows.length, "point")} selected.`)
  return true
}

/** The corners of a rectangle: first one, then the other. @param {View} view */
function corner(view) {
  const place = placeOf(view)
  if (!view.corner) {
    view.corner = [...view.places.subarray(3 * Math.max(0, view.focused), 3 * Math.max(0, view.focused) + 3)]
    if (view.focused < 0) {
      view.corner = null
      say(view, "Walk to a point with the arrow keys first.")
      return true
    }
    say(view, `Corner at ${view.source.title[view.focused]}. Walk to the opposite corner and press B again.`)
    view.again(true)
    return true
  }
  const [x, y] = cornerPlace(view, view.corner),
    [left, right] = [x, place[0]].sort((a, b) => a - b),
    [top, bottom] = [y, place[1]].sort((a, b) => a - b)
  const inside = (/** @type {number} */ at, /** @type {number} */ low, /** @type {number} */ high) =>
    at >= low - 0.5 && at <= high + 0.5
  const rows = view
    .drawn()
    .filter(row => inside(view.screen[2 * row], left, right) && inside(view.screen[2 * row + 1], top, bottom))
  view.corner = null
  view.pick(rows)
  say(view, `${plural(rows.length, "point")} selected.`)
  return true
}

/** @param {View} view @param {number[]} corner @returns {number[]} pixels */
export function cornerPlace(view, [x, y, z]) {
  const out = new Float32Array(2)
  screenOf(view.camera, Float32Array.from([x, y, z]), 1, out)
  return [...out]
}

/** @param {View} view @param {number} frames */
function stepBy(view, frames) {
  if (!lastFrame(view)) return false
  play(view, false)
  goTo(view, frameNow(view) + frames)
  return true
}

/** @param {View} view @param {number} factor */
function zoomBy(view, factor) {
  const [x, y] = placeOf(view)
  zoomAt(view.camera, factor, x, y)
  view.settle()
  view.again(true)
  return true
}

/** @param {View} view @param {[number, number]} direction */
function move(view, [right, down]) {
  pan(view.camera, -STEP * right, -STEP * down)
  view.settle()
  view.again(true)
  return true
}

/** @param {View} view */
function leave(view) {
  if (projecting()) return false
  if (view.corner) {
    view.corner = null
    say(view, "No corner any more.")
    view.again()
    return true
  }
  view.focused = -1
  view.point(-1)
  view.clear()
  return true
}

/** What a key does; true where it was ours. @type {Record<string, (view: View) => boolean>} */
const KEYS = {
  " ": view => (play(view, !view.playing), true),
  ",": view => stepBy(view, -1),
  ".": view => stepBy(view, 1),
  Escape: leave,
  "/": view => (view.part.find.focus(), true),
  "+": view => zoomBy(view, 1.25),
  "-": view => zoomBy(view, 0.8),
  0: view => (view.home(), true),
}
/** Keys that are the stage's alone. @type {Record<string, (view: View, event: KeyboardEvent) => boolean>} */
const ON_STAGE = {
  Enter: (view, event) => choose(view, event.shiftKey),
  b: corner,
  ...Object.fromEntries(
    Object.entries(ARROWS).map(([key, direction]) => [
      key,
      (/** @type {View} */ view, /** @type {KeyboardEvent} */ event) =>
        event.shiftKey ? move(view, direction) : walk(view, direction),
    ]),
  ),
}

/** @param {View} view @returns {() => void} stops listening */
export function listenToMapKeys(view) {
  return listenToKeys(view.root, event => {
    const at = event.target instanceof Element ? event.target : null
    if (isTyping(event) || !view.source || (at !== document.body && !view.root.contains(at))) return
    if (event.key === " " && at?.closest("button, summary")) return
    const onStage =
      at === view.part.stage ? ON_STAGE[event.key.length === 1 ? event.key.toLowerCase() : event.key] : null
    if (onStage ? onStage(view, event) : KEYS[event.key]?.(view)) event.preventDefault()
  })
}
