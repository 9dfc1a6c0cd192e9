// What a view shows, as other parts of it ask: whether its run goes on, and how far it is meant to go.

import { metricFacts } from "../shared/metrics.js"

/** @typedef {import("./types.js").View} View */

/** Whether the run has ended. @param {View} view @param {string} [state] of another run */
export const isOver = (view, state = view.run.state) => Boolean(view.data.states[state]?.over)

/** Whether a worker is at it, so that it can be steered. @param {View} view */
export const isLive = view => Boolean(view.data.states[view.run.state]?.live)

/** Epochs in all, as planned or as done. @param {View} view */
export function plannedEpochs({ run, data }) {
  const planned = run.numEpochs || run.config.num_epochs || data.num_epochs || 20
  return Math.max(planned, run.epochs.at(-1)?.x || 0)
}

/** @param {View} view @param {string} key of a metric */
export const metricOf = (view, key) => metricFacts(key, view.run.start, view.data.metrics)
