// Mouse and finger on the stage; the keyboard is in keyboard.js.

import { clamp } from "../shared/text.js"
import { orbit, pan, screenOf, toScreen, zoomAt } from "./camera.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Gesture} Gesture */

/** @param {View} view @param {MouseEvent} event */
function pointerPlace(view, event) {
  const box = view.part.stage.getBoundingClientRect()
  return [event.clientX - box.left, event.clientY - box.top]
}

const CLICK = 5 // pixels a pointer may move and still have clicked

// The point nearest to a place on the screen, if one is near.
/** @param {View} view @param {number[]} pair @param {number} [reach] */
function pointAt(view, [px, py], reach = 11) {
  const { source, camera } = view
  if (!source) return -1
  const point = /** @type {number[]} */ ([]),
    { places } = view
  let best = -1,
    nearest = reach * reach,
    bestDepth = -Infinity
  for (const row of view.drawn()) {
    toScreen(camera, places[3 * row], places[3 * row + 1], places[3 * row + 2], point)
    const gap = (point[0] - px) ** 2 + (point[1] - py) ** 2 + (view.dimmed(row) ? 40 : 0)
    if (gap < nearest - 9 || (gap < nearest && point[2] >= bestDepth)) [best, nearest, bestDepth] = [row, gap, point[2]]
  }
  return best
}

/** @param {number[][]} outline @param {number} x @param {number} y */
function inside(outline, x, y) {
  let inner = false
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i, i += 1) {
    const [xi, yi] = outline[i],
      [xj, yj] = outline[j]
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inner = !inner
  }
  return inner
}

/** @param {View} view @param {number[][]} outline */
function rowsInside(view, outline) {
  const screen = screenOf(view.camera, view.places, view.source.count, view.screen)
  return [...view.drawn()].filter(row => inside(outline, screen[2 * row], screen[2 * row + 1]))
}

/** @typedef {Map<number, number[]>} Pointers that are down: id → place */

/** @param {View} view */
export function listenToPointer(view) {
  const { stage } = view.part
  /** @type {Pointers} */
  const down = new Map()
  stage.onpointerdown = (/** @type {PointerEvent} */ event) => press(view, down, event)
  stage.onpointermove = (/** @type {PointerEvent} */ event) => drag(view, down, event)
  stage.onpointerup = stage.onpointercancel = (/** @type {PointerEvent} */ event) => release(view, down, event)
  stage.onpointerleave = () => view.point(-1)
  stage.addEventListener("wheel", (/** @type {WheelEvent} */ event) => turnWheel(view, event), { passive: false })
  stage.ondblclick = (/** @type {MouseEvent} */ event) => {
    if (!within(event, "button, aside, .mfs-table")) view.home()
  }
}

/** @param {Event} event @param {string} selector */
const within = (event, selector) => event.target instanceof Element && event.target.closest(selector) !== null

/** @param {View} view @param {Pointers} down @param {PointerEvent} event */
function press(view, down, event) {
  if (within(event, "button, a, input, aside, .mfs-legend, .mfs-table") || !view.source) return
  const { stage } = view.part,
    place = pointerPlace(view, event),
    first = event.button === 0
  stage.setPointerCapture(event.pointerId)
  down.set(event.pointerId, place)
  view.camera.speed = view.camera.goal = null
  const tool = event.altKey ? "lasso" : view.want.tool,
    began = { began: place, moved: 0, at: performance.now() }
  if (down.size === 2) view.gesture = { kind: "pinch", ...began }
  else if (first && tool !== "move") view.gesture = { kind: tool, add: event.shiftKey, outline: [place], ...began }
  else view.gesture = { kind: view.want.dims === 3 && !event.shiftKey && first ? "orbit" : "pan", ...began }
  stage.focus({ preventScroll: true })
}

/** @param {View} view @param {Pointers} down @param {PointerEvent} event */
function drag(view, down, event) {
  const place = pointerPlace(view, event),
    before = down.get(event.pointerId),
    { gesture } = view
  if (!before) {
    if (event.pointerType === "mouse") view.point(pointAt(view, place), place)
    return
  }
  if (gesture?.kind === "pinch" && down.size === 2) pinch(view, down, event.pointerId, before, place)
  else if (gesture?.outline) gesture.outline = stretched(gesture.kind, gesture.began, gesture.outline, place)
  else if (gesture) moveCamera(view, gesture, place[0] - before[0], place[1] - before[1])
  down.set(event.pointerId, place)
  view.again()
}

/** @param {View} view @param {Gesture} gesture @param {number} dx @param {number} dy */
function moveCamera(view, gesture, dx, dy) {
  const now = performance.now(),
    passed = Math.max(1, now - gesture.at)
  gesture.moved += Math.hypot(dx, dy)
  Object.assign(gesture, { at: now, vx: dx / passed, vy: dy / passed })
  if (gesture.kind === "orbit") orbit(view.camera, dx, dy)
  else pan(view.camera, dx, dy)
  view.point(-1)
}

/** @param {View} view @param {Pointers} down @param {PointerEvent} event */
function release(view, down, event) {
  if (!down.delete(event.pointerId)) return
  const { gesture } = view,
    now = performance.now()
  view.gesture = null
  if (gesture?.outline) finishOutline(view, gesture, gesture.outline)
  else if (gesture && gesture.kind !== "pinch" && gesture.moved < CLICK) click(view, gesture, event)
  else if (gesture?.vx !== undefined && gesture.vy !== undefined && !view.calm && now - gesture.at < 60) {
    view.camera.speed = { kind: gesture.kind, vx: gesture.vx, vy: gesture.vy, last: now }
  }
  view.settle()
  view.again()
}

/** @param {View} view @param {Gesture} gesture @param {PointerEvent} event */
function click(view, gesture, event) {
  const row = pointAt(view, gesture.began, event.pointerType === "touch" ? 18 : 11),
    { picked } = view
  if (!event.shiftKey || row < 0) view.choose(row)
  else view.pick(picked.has(row) ? [...picked].filter(one => one !== row) : [...picked, row])
}

/** @param {View} view @param {WheelEvent} event */
function turnWheel(view, event) {
  if (!view.source || within(event, "aside, .mfs-table")) return
  event.preventDefault()
  const turned = clamp(event.deltaY * (event.deltaMode ? 16 : 1), -120, 120),
    [x, y] = pointerPlace(view, event)
  zoomAt(view.camera, Math.exp(-turned * 0.0022), x, y)
  view.settle()
  view.again()
}

/** @param {View} view @param {Pointers} down @param {number} moving @param {number[]} before @param {number[]} place */
function pinch(view, down, moving, before, place) {
  const [other] = [...down].filter(([id]) => id !== moving).map(([, at]) => at)
  const gap = Math.hypot(before[0] - other[0], before[1] - other[1])
  const now = Math.hypot(place[0] - other[0], place[1] - other[1])
  if (gap > 4) zoomAt(view.camera, now / gap, (place[0] + other[0]) / 2, (place[1] + other[1]) / 2)
  pan(view.camera, (place[0] - before[0]) / 2, (place[1] - before[1]) / 2)
}

/** @param {string} kind @param {number[]} began @param {number[][]} outline @param {number[]} place */
function stretched(kind, [x0, y0], outline, [x, y]) {
  const box = [
    [x0, y0],
    [x, y0],
    [x, y],
    [x0, y],
  ]
  return kind === "box" ? box : [...outline, [x, y]]
}

/** @param {View} view @param {Gesture} gesture @param {number[][]} outline */
function finishOutline(view, { add, began }, outline) {
  const far = Math.max(...outline.map(([x, y]) => Math.hypot(x - began[0], y - began[1])))
  if (far < CLICK) {
    view.choose(pointAt(view, began))
    return
  }
  const rows = rowsInside(view, outline)
  view.pick(add ? [...view.picked, ...rows] : rows)
}
