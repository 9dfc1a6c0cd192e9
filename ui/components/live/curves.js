// One curve for Plotly, from points.

import { defined } from "../shared/text.js"
import { COORDINATE, smooth, thin } from "./axes.js"

/** @typedef {import("./axes.js").Point} Point */
/** @typedef {import("./types.js").Scene} Scene */

const MANY = 60 // points that run into a line even with their markers
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
    hovertemplate: "%{y:.4~g}",
    ...extra,
  }
}

/**
 * What is measured of each epoch, where it is, thinned.
 * @param {import("./types.js").Run} run
 * @param {(epoch: import("./types.js").EpochPoint) => number | undefined} pick
 * @param {import("./types.js").Axis} [axis]
 */
export function pointsOf(run, pick, axis = "epoch") {
  return thin(
    run.epochs.flatMap(epoch => {
      const y = pick(epoch)
      return defined(y) ? [{ x: epoch[COORDINATE[axis]], y }] : []
    }),
  )
}

/**
 * A curve as drawn: as it is, or with smoothing the measured values faint behind their moving average.
 * @param {Scene} scene @param {string} name @param {Point[]} points @param {string} colour
 */
export function curve({ look, smoothing }, name, points, colour) {
  const width = look.lineWidth
  const drawn = { line: { color: colour, width }, marker: { color: colour, size: 2.5 * width } }
  const plain = line(name, points, colour, drawn)
  if (!smoothing || points.length < 3) return [plain]
  const faint = { ...SILENT, opacity: 0.28, line: { color: colour, width: 1.2 }, marker: { color: colour, size: 3 } }
  return [{ ...plain, ...faint }, line(name, smooth(points, smoothing), colour, { mode: "lines", line: drawn.line })]
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
 * The range that shows what matters: epoch 0 belongs to it unless the untrained model is so far off that everything
 *   later would
 * look flat; then the line comes in from outside and a label says from where.
 * @param {(number | undefined)[]} values
 * @param {number | undefined} start the value of epoch 0
 * @param {boolean} log
 * @returns {{ range: [number, number], outside: number | null }}
 */
export function focus(values, start, log) {
  const inside = values.filter(defined).filter(value => !log || value > 0)
  if (!inside.length) return { range: log ? [-1, 1] : [0, 1], outside: null }
  let low = Math.min(...inside),
    high = Math.max(...inside)
  const span = Math.max(high - low, 0.1 * Math.abs(high), 1e-6)
  const far = defined(start) && (start > high + 3 * span || start < low - 3 * span)
  if (defined(start) && !far && (!log || start > 0)) [low, high] = [Math.min(low, start), Math.max(high, start)]
  const outside = far ? start : null
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

/** @param {import("./types.js").Run} run */
export const lossSpread = run => spread(run.epochs.flatMap(epoch => [epoch.train, epoch.valid]))
