// For a block of users and items, the ratings that are known beside what the model believes. It is drawn on two
// canvases that
// stay; values move to their next state in a fifth of a second.

import { along, bytesOf, tint } from "../shared/colours.js"
import { calmMotion, element, setText } from "../shared/dom.js"
import { Refused, requestJson, runRoute } from "../shared/server.js"
import { clamp, defined, one, plural, whole } from "../shared/text.js"
import { nounsOf } from "./settings.js"
import { isLive, isOver } from "./state.js"
import { rateText } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Picture} Picture */
/** @typedef {import("./types.js").RatingBlock} RatingBlock */
/**
 * @typedef {{ pen: CanvasRenderingContext2D, cell: number, tall: number, gap: number, rows: number, columns:
 * number }} Grid
 */

const MORPH = 200 // milliseconds
const SHORTEST = 250,
  AFTER_REFUSAL = 2000,
  AFTER_FAILURE = 3000 // milliseconds until the next question
const FLASH = 1500 // milliseconds in which what a step has moved is told most clearly
const FAINT = 0.3 // of the farthest move: less is not framed
const SHADES = 256
/** @param {View} view */
const stopsOf = view => view.look.scales.ratings

/** @param {View} view @returns {string[]} */
function rampOf(view) {
  const stops = stopsOf(view).map(bytesOf)
  return (view.ramp ??= Array.from(
    { length: SHADES },
    (_, index) => `rgb(${along(stops, index / (SHADES - 1)).join()})`,
  ))
}

/** @returns {Picture} */
export const freshPicture = () => ({
  block: null,
  from: null,
  to: null,
  began: 0,
  stamp: "",
  next: 0,
  busy: false,
  at: null,
  moved: null,
  before: null,
})

/** Asked for at most once per epoch and wait; a server without the picture is asked rarely. @param {View} view */
export async function askForBlock(view) {
  const { run, picture } = view,
    stamp = stampOf(view)
  if (!stamp || stamp === picture.stamp || view.closed || picture.busy || performance.now() < picture.next) return
  picture.busy = true
  try {
    const block = await requestJson(`${runRoute(run.runId)}/block?epoch=latest${picture.block ? "&static=0" : ""}`)
    if (view.run !== run || view.closed) return
    picture.stamp = stamp
    picture.next = performance.now() + Math.max(2 * (run.every || 200), SHORTEST)
    takeBlock(view, block)
  } catch (error) {
    const refused = error instanceof Refused
    if (refused && view.run === run && !view.closed) showBlock(view, false)
    picture.next = performance.now() + (!refused ? AFTER_FAILURE : isLive(view) ? AFTER_REFUSAL : Infinity)
  } finally {
    picture.busy = false
  }
}

/** What state of the run a picture would show; "" where there is none to be had. @param {View} view */
function stampOf(view) {
  const { run, data } = view,
    newest = run.epochs.at(-1),
    over = isOver(view)
  if (data.compact || !newest || (!run.pictured && !over)) return ""
  return over ? `${run.state} ${newest.x}` : `${newest.x} ${run.step} ${run.state === "paused"}`
}

/** @param {View} view @param {RatingBlock} answer which may lack all that does not change */
function takeBlock(view, answer) {
  const { picture } = view
  if (answer.known) picture.block = { ...answer }
  if (!picture.block || !answer.predicted) return
  const values = answer.predicted.flat()
  compareWithPause(view.run, picture, values, answer.step)
  picture.from = picture.to?.length === values.length ? shownValues(picture) : values
  picture.to = values
  Object.assign(picture.block, { predicted: answer.predicted, epoch: answer.epoch, step: answer.step })
  picture.began = performance.now()
  showBlock(view, true)
  paintKnown(view)
  morph(view)
  drawCell(view)
}

/**
 * What batches that were stepped through have moved, seen against the pause before them.
 * @param {import("./types.js").Run} run @param {Picture} picture @param {(number | null)[]} values @param {number} step
 */
export function compareWithPause(run, picture, values, step) {
  // Whoever steps right after pausing: what was seen last will do, and the words count the steps since.
  const { block, to } = picture
  if (run.wish === "step_batch" && block && to) picture.before ??= { step: block.step, values: to }
  const { before } = picture
  if (run.wish !== "step_batch") picture.moved = null
  if (run.wish === "resume") picture.before = null
  if (run.state !== "paused" || before?.step === step) return
  picture.moved = before && run.wish === "step_batch" ? movedBetween(before, values, step) : null
  picture.before = { step, values }
}

/**
 * What the last steps changed of what the model believes; null where that is not known.
 * @param {{ step: number, values: (number | null)[] }} before @param {(number | null)[]} values @param {number} step
 * @returns {import("./types.js").Moved | null}
 */
export function movedBetween({ step: then, values: to }, values, step) {
  const steps = step - then
  if (steps <= 0 || to.length !== values.length) return null
  const far = values.map((value, place) => Math.abs((value ?? 0) - (to[place] ?? 0))),
    farthest = Math.max(...far),
    place = far.indexOf(farthest)
  /** @type {Map<number, number>} */
  const cells = new Map()
  far.forEach((way, at) => {
    if (farthest > 0 && way > FAINT * farthest) cells.set(at, way / farthest)
  })
  const [from, now] = [to[place], values[place]]
  const most = farthest > 0 && defined(from) && defined(now) ? { place, from, to: now } : null
  return { steps, step, cells, count: far.filter(way => way > 0).length, most }
}

/**
 * Its place is kept from the start of a run, so that nothing moves when it comes.
 * @param {View} view
 * @param {boolean} shown
 */
export function showBlock(view, shown) {
  for (const name of ["known", "model"]) view.part[`picture-${name}-figure`].hidden = !shown
  view.part.cell.hidden = !shown
}

/** @param {Picture} picture @returns {(number | null)[]} */
function shownValues({ from, to, began }) {
  const share = Math.min(1, (performance.now() - began) / MORPH)
  if (share >= 1 || !from || !to) return to ?? []
  return to.map((value, i) => {
    const before = from[i]
    return value === null || before === null ? value : before + share * (value - before)
  })
}

/** @param {View} view */
function morph(view) {
  cancelAnimationFrame(view.frame)
  if (calmMotion()) view.picture.began = -Infinity
  paintBelieved(view)
  if (performance.now() - view.picture.began < (view.picture.moved?.cells.size ? FLASH : MORPH)) {
    view.frame = requestAnimationFrame(() => view.closed || morph(view))
  }
}

/** @param {View} view */
export function repaintBlock(view) {
  if (!view.picture.block || !view.part.known.parentElement.clientWidth) return
  paintKnown(view)
  morph(view)
  drawScale(view)
}

/**
 * The canvas in the pixels of the screen, and how large a cell is there.
 * @param {View} view @param {RatingBlock} block @param {HTMLCanvasElement} canvas
 * @returns {Grid}
 */
function prepare(view, { users, items }, canvas) {
  const ratio = window.devicePixelRatio || 1,
    width = /** @type {HTMLElement} */ (canvas.parentElement).clientWidth - 12
  const cell = Math.max(2, Math.floor((width * ratio) / items.length))
  const tall = clamp(Math.floor((view.look.pictureHeight * ratio) / users.length), 2, cell)
  const size = { width: cell * items.length, height: tall * users.length }
  if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size)
  // Whole pixels of the screen for each cell, or the gaps between them would be uneven.
  Object.assign(canvas.style, { width: `${size.width / ratio}px`, height: `${size.height / ratio}px` })
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
  pen.clearRect(0, 0, size.width, size.height)
  const gap = cell > 4 * ratio ? Math.max(1, Math.round(ratio / 2)) : 0
  return { pen, cell, tall, gap, columns: items.length, rows: users.length }
}

/** @param {View} view @param {RatingBlock} block @param {number | null} value @param {string} otherwise */
function shadeOf(view, { low, high }, value, otherwise) {
  if (!defined(value)) return otherwise
  return rampOf(view)[clamp(Math.round(((SHADES - 1) * (value - low)) / (high - low || 1)), 0, SHADES - 1)]
}

/**
 * @param {View} view @param {RatingBlock} block @param {HTMLCanvasElement} canvas
 * @param {(row: number, column: number) => number | null} valueAt
 */
function paintCells(view, block, canvas, valueAt) {
  const grid = prepare(view, block, canvas),
    { pen, cell, tall, gap } = grid,
    blank = tint(view.look.muted, 0.1)
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      pen.fillStyle = shadeOf(view, block, valueAt(row, column), blank)
      pen.fillRect(column * cell, row * tall, cell - gap, tall - gap)
    }
  }
  return grid
}

/** @param {View} view */
function paintKnown(view) {
  const { block } = view.picture,
    canvas = view.part.known
  if (!block || !canvas.parentElement.clientWidth) return
  const held = (/** @type {number} */ row, /** @type {number} */ column) => block.heldout?.[row]?.[column]
  const grid = paintCells(view, block, canvas, (row, column) => (held(row, column) ? null : block.known[row][column]))
  const { pen, cell, tall, gap } = grid,
    thick = Math.max(1, Math.round(Math.min(cell, tall) / 6))
  pen.lineWidth = thick
  // Held out: only its frame in the colour of its rating, for the model never sees it.
  block.heldout?.forEach((line, row) =>
    line.forEach((isHeld, column) => {
      if (!isHeld) return
      pen.strokeStyle = shadeOf(view, block, block.known[row][column], view.look.muted)
      pen.strokeRect(column * cell + thick / 2, row * tall + thick / 2, cell - gap - thick, tall - gap - thick)
    }),
  )
  frameCell(view, grid)
}

/** @param {View} view */
function paintBelieved(view) {
  const { picture } = view,
    { block } = picture,
    canvas = view.part.believed
  if (!block || !picture.to || !canvas.parentElement.clientWidth) return
  const values = shownValues(picture),
    columns = block.items.length
  const grid = paintCells(view, block, canvas, (row, column) => values[row * columns + column])
  frameMoved(view, grid)
  frameCell(view, grid)
}

/**
 * Cells that the last step moved: they flash, and keep a frame while the run waits.
 * @param {View} view @param {Grid} grid
 */
function frameMoved({ picture, look }, { pen, cell, tall, gap, columns }) {
  const rest = Math.max(0, 1 - (performance.now() - picture.began) / FLASH)
  for (const [place, share] of picture.moved?.cells ?? []) {
    const [x, y] = [(place % columns) * cell, Math.floor(place / columns) * tall]
    pen.fillStyle = tint(look.text, 0.8 * rest * share)
    pen.fillRect(x, y, cell - gap, tall - gap)
    pen.strokeStyle = tint(look.text, 0.35 + 0.65 * share)
    pen.lineWidth = Math.max(1, Math.round(cell / 8))
    pen.strokeRect(x + 0.5, y + 0.5, cell - gap - 1, tall - gap - 1)
  }
}

/** @param {View} view @param {Grid} grid */
function frameCell(view, { pen, cell, tall, gap }) {
  const { at } = view.picture
  if (!at) return
  pen.strokeStyle = view.look.text
  pen.lineWidth = Math.max(2, cell / 4)
  pen.strokeRect(at.column * cell - 1, at.row * tall - 1, cell - gap + 2, tall - gap + 2)
}

/** @param {View} view */
export function wireBlock(view) {
  for (const canvas of [view.part.known, view.part.believed]) {
    canvas.onpointermove = canvas.onpointerdown = (/** @type {PointerEvent} */ event) => pointAt(view, canvas, event)
    canvas.onpointerleave = () => choose(view, null)
  }
}

/** @param {View} view @param {HTMLCanvasElement} canvas @param {PointerEvent} event */
function pointAt(view, canvas, event) {
  const { block, at } = view.picture
  if (!block) return
  const box = canvas.getBoundingClientRect(),
    rows = block.users.length,
    columns = block.items.length
  const column = Math.floor(((event.clientX - box.left) / box.width) * columns)
  const row = Math.floor(((event.clientY - box.top) / box.height) * rows)
  if (row < 0 || column < 0 || row >= rows || column >= columns) return
  if (at?.row !== row || at.column !== column) choose(view, { row, column })
}

/** @param {View} view @param {Picture["at"]} at */
function choose(view, at) {
  view.picture.at = at
  repaintBlock(view)
  drawCell(view)
}

/** @param {View} view */
function drawCell(view) {
  const { part, picture } = view,
    { block, at } = picture
  if (!block) return
  const { user, users, item, items } = nounsOf(view.run)
  const size = `${plural(block.users.length, user, users)} × ${plural(block.items.length, item, items)}`
  setText(part["picture-key"], `${size}; outlined: held out for validation`)
  drawScale(view)
  const { moved } = picture
  setText(
    part.cell,
    at ? cellWords(view, block, at) : moved ? movedWords(view.run, block, moved) : blockWords(view, block),
  )
}

/** @param {RatingBlock} block */
const isProbability = block => block.unit === "probability"

/** @param {View} view @param {RatingBlock} block */
function blockWords(view, block) {
  const { user, item } = nounsOf(view.run),
    cells = `Each row is ${one(user)}, each column ${one(item)}`
  const said = isProbability(block)
    ? `${cells}: chosen or not, and how likely the model holds it.`
    : `${cells}. The model fills in the blanks.`
  return [cornerWords(block.filled), said].filter(Boolean).join(" ")
}

/**
 * The block is the busiest corner of the table; how full it is says nothing about the rest.
 * @param {RatingBlock["filled"]} filled
 */
export function cornerWords(filled) {
  const { here, whole: inAll } = filled ?? {}
  if (!defined(here) || !defined(inAll)) return ""
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
  return `The busiest corner: ${percent(here)} of it is known, of the whole table ${percent(inAll)}, test left out.`
}

/**
 * @param {import("./types.js").Run} run @param {RatingBlock} block @param {import("./types.js").Moved} moved
 */
export function movedWords(run, block, { steps, step, count, most }) {
  const { users, items } = nounsOf(run),
    all = block.users.length * block.items.length
  const who = steps === 1 ? `Step ${whole(step)}` : `The last ${plural(steps, "step")}`
  if (!most)
    return `${who} moved none of these ${whole(all)} cells: the ratings in it are of other ${users} and ${items}.`
  const text = (/** @type {number} */ value) =>
    isProbability(block) ? `${(100 * value).toFixed(2)} %` : value.toFixed(Math.abs(most.to - most.from) < 0.01 ? 4 : 2)
  const columns = block.items.length,
    where = `${named(run, block.users[Math.floor(most.place / columns)])} × ${block.items[most.place % columns]}`
  const how = `${text(most.from)} → ${text(most.to)}`
  return `${who} moved ${count === all ? "all" : `${whole(count)} of`} ${whole(all)} cells, most: ${where}, ${how}`
}

/** @param {import("./types.js").Run} run @param {string | number} user */
const named = (run, user) => (/^\d+$/.test(String(user)) ? `${nounsOf(run).user} ${user}` : String(user))

/** @param {View} view @param {RatingBlock} block @param {{ row: number, column: number }} at */
function cellWords(view, block, { row, column }) {
  const chances = isProbability(block),
    known = block.known[row][column],
    predicted = block.predicted[row][column]
  const held = block.heldout?.[row]?.[column] ? " (held out)" : ""
  const was = chances ? "chosen" : `rated ${rateText(known)}`
  const what = defined(known) ? was + held : chances ? "not chosen" : "not rated"
  const guess = !defined(predicted) ? "–" : chances ? `${Math.round(100 * predicted)} %` : predicted.toFixed(1)
  return `${named(view.run, block.users[row])} × ${block.items[column]}: ${what}, predicted ${guess}`
}

/** @param {View} view */
function drawScale(view) {
  const { block } = view.picture,
    node = view.part["picture-scale"]
  if (!block) return
  const { units } = nounsOf(view.run)
  const shown = `${block.low} ${block.high} ${block.unit} ${units} ${view.look.dark}`
  if (node.dataset.shown === shown) return
  node.dataset.shown = shown
  const chances = isProbability(block)
  const text = (/** @type {number} */ value) => (chances ? `${Math.round(100 * value)} %` : rateText(value))
  const bar = element("i", { style: { background: `linear-gradient(90deg, ${stopsOf(view).join()})` } })
  node.replaceChildren(text(block.low), bar, text(block.high), chances ? "" : ` ${units}`)
}
