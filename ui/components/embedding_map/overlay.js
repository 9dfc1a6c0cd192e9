// What is written over the points: axes, names, the path of the chosen one, the lasso. A second canvas, cleared for
// each frame.

import { clamp } from "../shared/text.js"
import { middleOf, screenOf, toScreen } from "./camera.js"
import { axisWords } from "./projection.js"
import { shorten } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Camera} Camera */
/** @typedef {import("./types.js").Look} Look */

/** @param {number} size */
const FONT = size => `500 ${size}px`

/** @param {View} view @param {number} now */
export function drawOverlay(view, now) {
  const { part, camera, look } = view,
    context = part.overlay.getContext("2d")
  context.setTransform(look.ratio, 0, 0, look.ratio, 0, 0)
  context.clearRect(0, 0, camera.width, camera.height)
  if (!view.source) return
  drawAxes(view, context)
  if (view.path && view.chosen >= 0) drawPath(view, context)
  drawRings(view, context)
  drawLabels(view, context, now)
  if (view.gesture?.outline) drawOutline(view, context, view.gesture.outline)
  if (view.corner) drawOutline(view, context, rectangle(view, view.corner))
}

/** @param {View} view @param {CanvasRenderingContext2D} context */
function drawAxes(view, context) {
  const { camera, look, lens, want } = view,
    a = /** @type {number[]} */ ([]),
    b = /** @type {number[]} */ ([])
  if (view.layout) {
    axisTitle(context, view, axisWords(view, 0), middleOf(camera), camera.height - 12, 0)
    return
  }
  const ends = want.dims === 3 ? [1.15, 1.15, 1.15] : [40, 40, 0]
  context.lineWidth = 1
  context.strokeStyle = look.grid
  for (let k = 0; k < (camera.depth > 0.01 ? 3 : 2); k += 1) {
    const from = [...lens.zero],
      to = [...lens.zero]
    from[k] -= ends[k]
    to[k] += ends[k]
    toScreen(camera, from[0], from[1], from[2], a)
    toScreen(camera, to[0], to[1], to[2], b)
    context.beginPath()
    context.moveTo(a[0], a[1])
    context.lineTo(b[0], b[1])
    context.stroke()
    if (want.dims === 3 && camera.depth > 0.5)
      axisTitle(
        context,
        view,
        axisWords(view, k),
        clamp(b[0], 90, camera.width - camera.inset - 90),
        clamp(b[1] - 8, 14, camera.height - 12),
        0,
      )
  }
  if (want.dims === 3) return
  axisTitle(context, view, `${axisWords(view, 0)}  →`, middleOf(camera), camera.height - 11, 0)
  axisTitle(context, view, `${axisWords(view, 1)}  →`, 12, camera.height / 2, -Math.PI / 2)
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {string} words
 * @param {number} x
 * @param {number} y
 * @param {number} angle
 */
function axisTitle(context, view, words, x, y, angle) {
  context.save()
  context.translate(x, y)
  context.rotate(angle)
  context.font = `${FONT(view.look.text)} ${view.look.font}`
  context.textAlign = "center"
  context.textBaseline = "middle"
  halo(context, view.look, shorten(words, 160), 0, 0, view.look.muted)
  context.restore()
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Look} look
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {string} ink
 */
function halo(context, look, text, x, y, ink) {
  context.lineJoin = "round"
  context.lineWidth = 4
  context.strokeStyle = look.background
  context.strokeText(text, x, y)
  context.fillStyle = ink
  context.fillText(text, x, y)
}

/** @param {View} view @param {CanvasRenderingContext2D} context */
function drawRings(view, context) {
  const { camera, look } = view,
    point = /** @type {number[]} */ ([])
  const ring = (
    /** @type {number} */ row,
    /** @type {number} */ radius,
    /** @type {number} */ width,
    /** @type {string} */ ink,
  ) => {
    toScreen(camera, view.places[3 * row], view.places[3 * row + 1], view.places[3 * row + 2], point)
    context.beginPath()
    context.arc(point[0], point[1], radius, 0, 7)
    context.lineWidth = width
    context.strokeStyle = ink
    context.stroke()
  }
  if (view.picked.size <= 400) for (const row of view.picked) if (row !== view.chosen) ring(row, 6, 1.5, look.ink)
  for (const { row } of view.near) ring(row, 6.5, 1.5, look.primary)
  if (view.hover >= 0) ring(view.hover, 7.5, 1.5, look.ink)
  if (view.found.length && view.cursor >= 0) ring(view.found[view.cursor], 9, 2.5, look.primary)
  if (view.focused >= 0) {
    ring(view.focused, 11, 2.5, look.ink)
    ring(view.focused, 14, 1.5, look.background)
  }
  if (view.chosen >= 0) {
    ring(view.chosen, 9, 3, look.primary)
    ring(view.chosen, 12, 1, look.background)
  }
}

// The way of one point through the epochs: every epoch a tick, the part before now drawn full, what comes later faint.
/** @param {View} view @param {CanvasRenderingContext2D} context */
function drawPath(view, context) {
  const { camera, look, lens, source, chosen } = view,
    last = source.frames.length - 1,
    points = /** @type {number[][]} */ ([])
  if (last < 1 || view.layout) return
  for (let f = 0; f <= last; f += 1) {
    const places = lens.at(f)
    points.push(toScreen(camera, places[3 * chosen], places[3 * chosen + 1], places[3 * chosen + 2], []))
  }
  const now = Math.floor(view.time)
  for (const [from, to, opacity] of [
    [0, now, 0.9],
    [now, last, 0.3],
  ]) {
    context.globalAlpha = opacity
    context.strokeStyle = context.fillStyle = look.primary
    context.lineWidth = 2
    context.beginPath()
    for (let f = from; f <= to; f += 1) context.lineTo(points[f][0], points[f][1])
    context.stroke()
    const every = Math.max(1, Math.ceil(last / 60))
    for (let f = from; f <= to; f += every) {
      context.beginPath()
      context.arc(points[f][0], points[f][1], 2.2, 0, 7)
      context.fill()
    }
  }
  context.globalAlpha = 1
  context.font = `${FONT(look.text - 1)} ${look.font}`
  context.textAlign = "center"
  context.textBaseline = "bottom"
  /** @type {number[] | null} */
  let before = null
  for (const f of [0, Math.round(last / 4), Math.round(last / 2), last]) {
    const [x, y] = points[f]
    if (before && Math.hypot(x - before[0], y - before[1]) < 34) continue
    halo(context, look, f === 0 ? `epoch ${source.epochs[0]}` : String(source.epochs[f]), x, y - 5, look.accent)
    before = [x, y]
  }
}

/** From a corner to where the keyboard is. @param {View} view @param {number[]} corner @returns {number[][]} */
function rectangle({ camera, places, focused }, [x, y, z]) {
  const [left, top] = toScreen(camera, x, y, z, []),
    [right, bottom] = toScreen(camera, places[3 * focused], places[3 * focused + 1], places[3 * focused + 2], [])
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ]
}

/** @param {View} view @param {CanvasRenderingContext2D} context @param {number[][]} outline */
function drawOutline(view, context, outline) {
  context.beginPath()
  outline.forEach(([x, y]) => context.lineTo(x, y))
  context.closePath()
  context.fillStyle = `color-mix(in srgb, ${view.look.primary} 14%, transparent)`
  context.strokeStyle = view.look.primary
  context.setLineDash([5, 4])
  context.lineWidth = 1.5
  context.fill()
  context.stroke()
  context.setLineDash([])
}

// --- names
// -------------------------------------------------------------------------------------------------------------

/**
 * Which points have their name beside them: the chosen first, then its neighbours, what was found, then the most
 * popular. A name that would cover another is left out. Names stay with their points while these move and are chosen
 * anew at rest.
 * @param {View} view
 */
export function chooseLabels(view) {
  const before = view.labels,
    wanted = view.source ? placeLabels(view) : new Map()
  view.labels = new Map(
    [...wanted].map(([row, label]) => [row, { ...label, shown: before.get(row)?.shown ?? 0, goal: 1 }]),
  )
  for (const [row, label] of before) {
    if (!wanted.has(row) && label.shown > 0.02) view.labels.set(row, { ...label, goal: 0 })
  }
}

const MOST_SURE = 60 // names of found or picked points that are shown whatever they are

/** @param {View} view @returns {Map<number, { text: string, dx: number, dy: number, sure: boolean }>} */
function placeLabels(view) {
  const { source, camera, look } = view,
    context = view.part.overlay.getContext("2d"),
    wanted = new Map()
  const limit = view.big ? 26 : Math.round(clamp((camera.width * camera.height) / 16000, 8, 44))
  const sure = sureLabels(view),
    free = view.want.labels && !view.near.length ? view.popular : []
  const screen = screenOf(camera, view.places, source.count, view.screen),
    cells = new Map()
  context.font = `${FONT(look.text)} ${look.font}`
  occupy(cells, boxOf(view.part.legend)) // nothing is written over the legend
  for (const row of new Set([...sure, ...free])) {
    if (row < 0 || !view.shown(row) || wanted.size >= limit + sure.size) continue
    if (!sure.has(row) && (view.dimmed(row) || wanted.size >= limit)) continue
    const x = screen[2 * row],
      y = screen[2 * row + 1]
    if (!isInside(camera, x, y)) continue
    const text = shorten(source.title[row], view.big ? 34 : 28),
      width = context.measureText(text).width
    const place = freePlace(cells, x, y, width, look.text + 4, row === view.chosen, camera)
    if (place) wanted.set(row, { text, ...place, sure: sure.has(row) })
  }
  return wanted
}

/** @param {View} view @returns {Set<number>} */
function sureLabels({ chosen, hover, near, found, picked }) {
  const few = picked.size <= MOST_SURE ? picked : []
  return new Set([chosen, hover, ...near.map(one => one.row), ...found.slice(0, MOST_SURE), ...few])
}

/** @param {Camera} camera @param {number} x @param {number} y */
const isInside = ({ width, height, inset }, x, y) => x > 4 && y > 4 && x < width - inset - 4 && y < height - 24

/** @param {HTMLElement} node */
const boxOf = node => [
  node.offsetLeft,
  node.offsetTop,
  node.offsetLeft + node.offsetWidth,
  node.offsetTop + node.offsetHeight,
]

/**
 * @param {Map<number, number[][]>} cells
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {boolean} force
 * @param {Camera} camera
 */
function freePlace(cells, x, y, width, height, force, camera) {
  for (const [dx, dy] of [
    [10, 0],
    [-10 - width, 0],
    [-width / 2, -height * 0.9],
    [-width / 2, height * 0.9],
  ]) {
    const box = [x + dx - 3, y + dy - height / 2, x + dx + width + 3, y + dy + height / 2]
    if (box[0] < 26 || box[2] > camera.width - camera.inset - 4 || box[3] > camera.height - 22) continue
    if (!force && clashes(cells, box)) continue
    occupy(cells, box)
    return { dx, dy }
  }
  return null
}

/** @param {number[]} pair @param {(key: number) => void} visit */
function forCells([left, top, right, bottom], visit) {
  for (let i = Math.floor(left / 64); i <= Math.floor(right / 64); i += 1)
    for (let j = Math.floor(top / 32); j <= Math.floor(bottom / 32); j += 1) visit(i * 4096 + j)
}

/** @param {Map<number, number[][]>} cells @param {number[]} box */
function occupy(cells, box) {
  forCells(box, key => cells.set(key, [...(cells.get(key) ?? []), box]))
}

/** @param {Map<number, number[][]>} cells @param {number[]} box */
function clashes(cells, box) {
  let hit = false
  forCells(box, key => {
    for (const other of cells.get(key) ?? [])
      hit ||= box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]
  })
  return hit
}

/** @param {View} view @param {CanvasRenderingContext2D} context @param {number} now */
function drawLabels(view, context, now) {
  const { camera, look } = view,
    point = /** @type {number[]} */ ([]),
    passed = clamp(now - (view.labelled ?? now), 0, 60)
  view.labelled = now
  let moving = false
  context.textAlign = "left"
  context.textBaseline = "middle"
  for (const [row, label] of view.labels) {
    const step = view.calm ? 1 : passed / 180
    label.shown =
      label.goal > label.shown ? Math.min(label.goal, label.shown + step) : Math.max(label.goal, label.shown - step)
    if (label.shown <= 0 && !label.goal) {
      view.labels.delete(row)
      continue
    }
    moving ||= label.shown !== label.goal
    toScreen(camera, view.places[3 * row], view.places[3 * row + 1], view.places[3 * row + 2], point)
    context.globalAlpha = label.shown * (label.sure ? 1 : 0.92)
    context.font = `${row === view.chosen ? "700" : "500"} ${look.text + (row === view.chosen ? 1 : 0)}px ${look.font}`
    halo(context, look, label.text, point[0] + label.dx, point[1] + label.dy, label.sure ? look.ink : look.soft)
  }
  context.globalAlpha = 1
  if (moving) view.again()
}
