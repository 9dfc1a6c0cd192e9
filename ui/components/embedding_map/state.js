// Where in time a map stands, and whether its run goes on.

import { clamp } from "../shared/text.js"

/** @typedef {import("./types.js").View} View */

/** @param {View} view */
export const lastFrame = view => Math.max(0, (view.source?.frames.length ?? 1) - 1)

/** @param {View} view */
export const frameNow = view => clamp(Math.round(view.time), 0, lastFrame(view))

/**
 * Time is counted in frames inside and in epochs on the slider: not every epoch may have been kept.
 * @param {View} view
 * @param {number} frame
 */
export function epochAt(view, frame) {
  const { epochs } = view.source
  const here = clamp(Math.floor(frame), 0, lastFrame(view)),
    next = Math.min(here + 1, lastFrame(view))
  return epochs[here] + (epochs[next] - epochs[here]) * (frame - here)
}

/** @param {View} view @param {number} epoch */
export function frameAt(view, epoch) {
  const { epochs } = view.source
  const here = Math.max(
      0,
      epochs.findLastIndex(one => one <= epoch),
    ),
    next = Math.min(here + 1, lastFrame(view))
  return next === here ? here : here + clamp((epoch - epochs[here]) / (epochs[next] - epochs[here]), 0, 1)
}

/** Whether new epochs are to be expected; embeddings from elsewhere have no state at all. @param {View} view */
export const isGoing = view => view.data.states[view.source.state]?.over === false

/** @param {View} view @param {string} words said in place of the map; "" for nothing */
export function tell({ part }, words) {
  part.message.textContent = words
  part.message.hidden = !words
}

const BRIEFLY = 4000 // milliseconds

/** @param {View} view @param {string} words */
export function tellBriefly({ part, timers }, words) {
  part.toast.textContent = words
  part.toast.hidden = false
  clearTimeout(timers.toast)
  timers.toast = setTimeout(() => {
    part.toast.hidden = true
  }, BRIEFLY)
}

/** @param {unknown} error */
export const messageOf = error => (error instanceof Error ? error.message : String(error))
