// What a live view shows besides its run, in the address: axes, metric, smoothing, the runs laid over it. Pages leave
// parameters that begin with "view." alone; see ui/address.py.

import { placeOf, writeQuery } from "../shared/address.js"
import { AXES } from "./axes.js"

/** @typedef {import("./types.js").View} View */
/**
 * @typedef {object} Shown "" is as the view opens
 * @property {import("./types.js").Axis} axis
 * @property {string} metric
 * @property {boolean | undefined} log undefined: as the curve needs it
 * @property {boolean} closer
 * @property {number} smoothing
 * @property {string[]} others runs laid over this one
 */

export const NAMES = ["view.x", "view.metric", "view.log", "view.closer", "view.smoothing", "view.over"]
const MOST_SMOOTH = 0.95

/** @returns {Shown} */
export const freshShown = () => ({ axis: "epoch", metric: "", log: undefined, closer: false, smoothing: 0, others: [] })

/** @param {Shown} shown @returns {Record<string, string>} */
export const encode = ({ axis, metric, log, closer, smoothing, others }) => ({
  "view.x": axis === "epoch" ? "" : axis,
  "view.metric": metric,
  "view.log": log === undefined ? "" : log ? "1" : "0",
  "view.closer": closer ? "1" : "",
  "view.smoothing": smoothing ? String(smoothing) : "",
  "view.over": others.join(","),
})

/** @param {string} search such as location.search @returns {Shown} */
export function decode(search) {
  const query = new URLSearchParams(search),
    text = (/** @type {string} */ name) => query.get(`view.${name}`) ?? "",
    smoothing = Number(text("smoothing"))
  return {
    axis: text("x") in AXES ? /** @type {import("./types.js").Axis} */ (text("x")) : "epoch",
    metric: text("metric"),
    log: text("log") === "1" ? true : text("log") === "0" ? false : undefined,
    closer: text("closer") === "1",
    smoothing: smoothing > 0 && smoothing <= MOST_SMOOTH ? smoothing : 0,
    others: text("over").split(",").filter(Boolean),
  }
}

/** Another run, or another entry of the history: what the address asks for. @param {View} view @returns {Shown} */
export function askedOf(view) {
  view.place = view.run.runId && !view.data.compact ? placeOf({ run: view.run.runId }) : undefined
  const asked = view.data.compact ? freshShown() : decode(location.search)
  view.askedMetric = asked.metric // the run has yet to say what it measures
  return asked
}

/** @param {View} view */
export function writeShown(view) {
  const { axis, metric, log, closer, smoothing, others, run, askedMetric } = view
  const usual = metric === (run.start?.selection_metric ?? "") || !run.start
  const laid = [...others.values()].filter(other => !other.parent).map(other => other.id)
  const shown = { axis, metric: askedMetric || (usual ? "" : metric), log, closer, smoothing, others: laid }
  writeQuery(view.place, NAMES, encode(shown))
}
