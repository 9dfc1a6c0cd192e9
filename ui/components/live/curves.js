// One curve for Plotly, from points.

import { defined } from "../shared/text.js"
import { COORDINATE, everyNth, smooth } from "./axes.js"

/** @typedef {import("./axes.js").Point} Point */
/** @typedef {import("./types.js").Scene} Scene */

const MANY = 60 // points that run into a line even with their markers
const MOST = 500 // points of a curve
/** Parts of the data are told apart by their dash too, and baselines from both. */
export const DASH = { train: "6px,3px", valid: "solid", baseline: "2px,3px" }
const EXACT = "%{y:.6~g}"
export const SILENT = { hoverinfo: "skip", hovertemplate: undefined }

/**
 * @param {string} name
 * @param {{ x: number, y: number | null }[]} points
 * @param {string} colour
 * @param {object} [extra] laid over it
 */
export function line(name, points, colour, extra = {}) {
  return {
    type: "scatter",
    name,
    x: points.map(point => point.x),
    y: points.map(point => point.y),
    mode: points.length <= MANY ? "lines+markers" : "lines",
    line: { color: colour, width: 2 },
    marker: { color: colour, size: 5 },
    hovertemplate: EXACT,
    ...extra,
  }
}

/**
 * What is measured of each epoch, where it is.
 * @param {import("./types.js").Run} run
 * @param {(epoch: import("./types.js").EpochPoint) => number | undefined} pick
 * @param {import("./types.js").Axis} [axis]
 * @returns {Point[]}
 */
export function pointsOf(run, pick, axis = "epoch") {
  return run.epochs.flatMap(epoch => {
    const y = pick(epoch)
    return defined(y) ? [{ x: epoch[COORDINATE[axis]], y, epoch: epoch.x }] : []
  })
}

/**
 * How many epochs stand for one point, so that the longest of several runs has no more than can be seen. One for all
 * of them: curves with a common past lie on each other.
 * @param {import("./types.js").Run[]} runs
 */
export const strideOf = runs => Math.max(1, Math.ceil(Math.max(...runs.map(run => run.epochs.length)) / MOST))

/** @param {Point[]} points @param {number} stride */
export const sparse = (points, stride) => (stride > 1 ? everyNth(points, stride) : points)

/**
 * A curve as drawn: as it is, or with smoothing the measured values faint behind their moving average. All of a scene
 * are
 * smoothed alike, over every epoch and before any is left out.
 * @param {Scene} scene @param {string} name @param {Point[]} points @param {string} colour
 * @param {{ dash?: string, width?: number, marked?: boolean }} [style] `marked`: with a dot for each epoch, where
 * there are few
 */
export function curve({ look, smoothing, stride }, name, points, colour, style = {}) {
  const { dash = DASH.valid, width = look.lineWidth, marked = true } = style,
    shown = sparse(points, stride)
  const drawn = { line: { color: colour, width, dash }, marker: { color: colour, size: 2.5 * width } }
  const bare = marked || points.length < 3 ? {} : { mode: "lines" }
  const plain = line(name, shown, colour, { ...drawn, ...bare })
  if (!smoothing || points.length < 3) return [plain]
  const faint = { ...SILENT, opacity: 0.28, line: { color: colour, width: 1.2 }, marker: { color: colour, size: 3 } }
  const average = line(name, sparse(smooth(points, smoothing), stride), colour, {
    mode: "lines",
    line: drawn.line,
    customdata: shown.map(point => point.y),
    hovertemplate: `%{customdata:.6~g}, smoothed ${EXACT}`,
  })
  return [{ ...plain, ...faint }, average]
}

/**
 * A line is broken where reports lie further apart than `most`: between them nothing was measured.
 * @param {Point[]} points @param {number} most
 * @returns {{ x: number, y: number | null }[]}
 */
export function apart(points, most) {
  return points.flatMap((point, i) =>
    i && point.x - points[i - 1].x > most ? [{ x: point.x, y: null }, point] : [point],
  )
}

/**
 * The range that shows what matters: all that was measured, of every run that is shown. Epoch 0 belongs to it unless
 * the
 * untrained model is so far off that everything later would look flat; then the line comes in from outside and a label
 * says
 * from where.
 * @param {(number | undefined)[]} values
 * @param {number | number[] | undefined} starts the values of epoch 0
 * @param {boolean} log
 * @returns {{ range: [number, number], outside: number | null }}
 */
export function focus(values, starts, log) {
  const inside = values.filter(defined).filter(value => !log || value > 0)
  if (!inside.length) return { range: log ? [-1, 1] : [0, 1], outside: null }
  let low = Math.min(...inside),
    high = Math.max(...inside)
  const span = Math.max(high - low, 0.1 * Math.abs(high), 1e-6)
  const [floor, ceiling] = [low - 3 * span, high + 3 * span]
  /** @type {number | null} */
  let outside = null
  for (const start of [starts ?? []].flat().filter(defined)) {
    if (start > ceiling || start < floor) outside ??= start
    else if (!log || start > 0) [low, high] = [Math.min(low, start), Math.max(high, start)]
  }
  if (log) {
    const [a, b] = [Math.log10(low), Math.log10(high)],
      pad = Math.max(0.06 * (b - a), 0.02)
    return { range: [a - pad, b + pad], outside }
  }
  const pad = Math.max(0.07 * (high - low), 0.01 * Math.abs(high), 1e-6)
  return { range: [low - pad, high + pad], outside }
}

/**
 * Whether values run over so many powers of ten that a linear axis would show one of them.
 * @param {(number | undefined)[]} values
 */
export function spread(values) {
  const positive = values.filter(defined).filter(value => value > 0)
  return positive.length > 1 && Math.max(...positive) > 2000 * Math.min(...positive)
}

/** @param {import("./types.js").Run[]} runs */
export const lossSpread = runs => spread(runs.flatMap(run => run.epochs.flatMap(epoch => [epoch.train, epoch.valid])))
