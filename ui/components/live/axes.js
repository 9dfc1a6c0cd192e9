// Where a point stands on the horizontal axis (epoch, step or training time), and how curves are thinned and smoothed.

import { defined } from "../shared/text.js"

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Axis} Axis */
/** @typedef {{ x: number, y: number, epoch?: number }} Point */
/** @typedef {"x" | "step" | "wall"} Coordinate of an epoch */

/** @type {Record<Axis, string>} */
export const AXES = { epoch: "epoch", step: "step", time: "training time, s" }
/** @type {Record<Axis, Coordinate>} */
export const COORDINATE = { epoch: "x", step: "step", time: "wall" }

/**
 * One coordinate from another. Epochs carry all three: what lies between two of them is interpolated, what comes
 *   after the last
 * stays there (epochs, of which fractions are known, go on).
 * @param {Run} run
 * @param {Coordinate} from
 * @param {Coordinate} to
 * @param {number} value
 */
export function between(run, from, to, value) {
  const known = run.epochs
  if (!known.length) return to === "x" || to === from ? value : 0
  const found = known.findIndex(epoch => epoch[from] >= value)
  const index = found < 0 ? known.length - 1 : found
  if (index === 0) return known[0][to] + (known.length === 1 && from === "x" && to === "x" ? value - known[0].x : 0)
  const a = known[index - 1],
    b = known[index],
    span = b[from] - a[from]
  return span > 0 ? a[to] + ((value - a[from]) / span) * (b[to] - a[to]) : b[to]
}

/** @param {Run} run @param {Axis} axis @param {number} epoch */
export const placeEpoch = (run, axis, epoch) => (axis === "epoch" ? epoch : between(run, "x", COORDINATE[axis], epoch))

/** @param {Run} run @param {Axis} axis @param {{ step: number, x?: number }} point */
export function placeStep(run, axis, point) {
  if (axis === "step") return point.step
  if (axis === "epoch" && defined(point.x)) return point.x
  return between(run, "step", COORDINATE[axis], point.step)
}

/** How far the whole plan reaches. @param {Run} run @param {Axis} axis @param {number} planned epochs */
export const axisEnd = (run, axis, planned) =>
  axis === "epoch" ? planned : Math.max(placeEpoch(run, axis, planned), 1e-9)

/**
 * Means of equal buckets: a noisy curve keeps its course; first and last point stay as they are.
 * @param {Point[]} points
 * @param {number} [most]
 */
export function thin(points, most = 500) {
  if (points.length <= most) return points
  const out = [points[0]],
    size = (points.length - 2) / (most - 2)
  for (let bucket = 0; bucket < most - 2; bucket++) {
    const part = points.slice(1 + Math.floor(bucket * size), 1 + Math.floor((bucket + 1) * size))
    if (part.length) out.push({ x: mean(part, "x"), y: mean(part, "y") })
  }
  out.push(points[points.length - 1])
  return out
}

/** @param {Point[]} points @param {"x" | "y"} key */
const mean = (points, key) => points.reduce((sum, point) => sum + point[key], 0) / points.length

/**
 * The points of every so many-th epoch, and the last: of two runs with the same past the same ones are left, however
 * long they are.
 * @param {Point[]} points
 * @param {number} stride
 */
export const everyNth = (points, stride) =>
  points.filter(({ epoch = 0 }, index) => epoch % stride === 0 || index === points.length - 1)

/**
 * Exponential moving average, corrected for its start at zero (as Adam does), so that the first points are not
 *   pulled down. The untrained model stays as it was measured: it may be far off, and would be felt for many epochs.
 * @param {Point[]} points
 * @param {number} strength 0 … 1
 */
export function smooth(points, strength) {
  let sum = 0,
    weight = 0
  return points.map(point => {
    if (point.x <= 0) return point
    sum = strength * sum + (1 - strength) * point.y
    weight = strength * weight + (1 - strength)
    return { ...point, y: sum / weight }
  })
}
