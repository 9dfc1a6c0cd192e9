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

/**
 * Where a run stands between two steps: how many of the epoch in training are done, and of how many. A change of the
 * batch size changes that number; then it is told by the share of the epoch that the last report names.
 * @param {import("./types.js").Run} run
 */
export function placeInEpoch(run) {
  const last = run.epochs.at(-1),
    newest = run.steps.at(-1)
  const into = Math.max(0, run.step - (last?.step ?? 0)),
    share = (newest?.x ?? 0) - (last?.x ?? 0)
  const resized = run.marks.some(mark => mark.name === "batch_size")
  const told = newest?.step === run.step && share > 0 && share < 1 ? Math.round(into / share) : undefined
  return { step: run.step, into, of: resized ? told : (run.start?.steps_per_epoch ?? told), epoch: (last?.x ?? 0) + 1 }
}

/** @param {View} view @param {string} key of a metric */
export const metricOf = (view, key) => metricFacts(key, view.run.start, view.data.metrics)
