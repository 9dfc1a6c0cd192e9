// What happened, in sentences for the log under the charts.

import { metricFacts } from "../shared/metrics.js"
import { defined, plural, whole } from "../shared/text.js"
import { briefOf, labelOf } from "./settings.js"
import { rateText, sentence, three } from "./words.js"

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("../shared/events.js").Stamp} Stamp */
/** @typedef {import("../shared/events.js").EpochEvent} EpochEvent */
/** @typedef {import("../shared/events.js").CommandEvent} CommandEvent */

const MOST_MESSAGES = 200
const PATIENCE = 5 // epochs without a better validation before a word is said

/**
 * One more line of the log. Of a kind that repeats (`tag`) only the newest is kept, or it would bury the rest.
 * @param {Run} run
 * @param {Stamp} event
 * @param {string} text
 * @param {string} [level] info, good, warning, error
 * @param {string} [tag]
 */
export function say(run, event, text, level = "info", tag = "") {
  if (event.inherited) return
  if (tag && run.messages[0]?.tag === tag) run.messages.shift()
  run.messages.unshift({ time: event.time, text, level, tag })
  if (run.messages.length > MOST_MESSAGES) run.messages.pop()
}

/** @param {Run} run @param {import("../shared/events.js").StartEvent} event */
export function tellStart(run, event) {
  const device = event.device ? `on ${event.device === "cpu" ? "CPU" : event.device}` : ""
  const where = [device, event.threads ? plural(event.threads, "thread") : ""].filter(Boolean).join(", ")
  if (run.parent) {
    const until = `up to epoch ${event.num_epochs}${where ? ` ${where}` : ""}`
    return say(run, event, `Training goes on from epoch ${run.parent.epoch} of another run, ${until}.`)
  }
  const size = event.num_parameters ? `; ${whole(event.num_parameters)} numbers to learn` : ""
  return say(run, event, `Training starts: ${plural(event.num_epochs ?? 0, "epoch")} ${where}${size}.`)
}

// A cut after a flat stretch is worth a word; a schedule that falls all the time is not. What a person set was said
// already.
/** @param {Run} run @param {EpochEvent} event @param {number | undefined} before */
export function tellRate(run, event, before) {
  const now = run.learningRate
  if (defined(before) && defined(now) && now < 0.75 * before) {
    say(run, event, `The learning rate is now ${rateText(now)}.`)
  }
}

/** @param {Run} run @param {EpochEvent} event */
export function tellBest(run, event) {
  const key = run.start?.selection_metric ?? "",
    value = event.metrics?.[key]
  if (!event.best || !defined(value)) return
  run.best = { x: event.epoch, value }
  run.warned = false
  const { label, lower_is_better: lower } = metricFacts(key, run.start, run.metrics)
  say(run, event, `Epoch ${event.epoch} is the best so far: ${label} ${three(value)}.`, "info", "best")
  for (const [name, values] of Object.entries(run.start?.baselines?.valid ?? {})) {
    const floor = values[key]
    if (!defined(floor) || run.beaten.has(name) || (lower ? value >= floor : value <= floor)) continue
    run.beaten.add(name)
    say(run, event, `Epoch ${event.epoch} is better than ${name} (${label} ${three(floor)}).`, "good")
  }
}

/** @param {Run} run @param {EpochEvent} event */
export function tellOverfitting(run, event) {
  if (!run.best || run.warned || event.epoch - run.best.x < PATIENCE) return
  run.warned = true
  const { label } = metricFacts(run.start?.selection_metric ?? "", run.start, run.metrics)
  const why = "from here on the model mostly learns the training data by heart"
  say(run, event, `${label} on validation has not been better for ${PATIENCE} epochs: ${why}.`, "warning")
}

/** @type {Record<string, (value: number) => string>} */
const COMMAND_WORDS = {
  pace: value => (value > 0 ? `Pace: ${plural(value, "epoch")} a second.` : "Pace: full speed."),
  stop: () => "Stop was asked for.",
  pause: () => "Paused.",
  resume: () => "Going on.",
  step_epoch: () => "One epoch, then a pause.",
  step_batch: value => `${value > 1 ? plural(value, "batch", "batches") : "One batch"}, then a pause.`,
  extend: value => `${plural(value, "epoch")} more.`,
}
const REPEATING = ["pace", "step_epoch", "step_batch"]

/** @param {Run} run @param {CommandEvent} event */
export function tellCommand(run, event) {
  const { name, value = 0, refused } = event
  if (refused)
    return say(run, event, `${name === "extend" ? "Epochs" : labelOf(run, name)} was refused: ${refused}.`, "warning")
  const words = COMMAND_WORDS[name]?.(value) ?? `${labelOf(run, name)} set to ${rateText(value)}.`
  const known = name in COMMAND_WORDS || event.value !== undefined
  return say(run, event, known ? words : `Request: ${name}.`, "info", REPEATING.includes(name) ? name : "")
}

/** @type {Record<string, string>} */
const ENDINGS = { finished: "Finished", stopped: "Stopped" }

/** @param {Run} run @param {import("../shared/events.js").EndEvent} event */
export function tellEnd(run, event) {
  if (event.state === "failed") return say(run, event, sentence(run.reason) || "The run failed.", "error")
  const done = event.epochs ?? run.epochs.at(-1)?.x ?? 0
  const because = run.reason && run.reason !== "all epochs done" ? `: ${run.reason}` : ""
  const words = `${ENDINGS[event.state] ?? "Interrupted"} after ${plural(done, "epoch")}${because}.`
  return say(run, event, words, event.state === "finished" ? "good" : "info")
}

// "lr 0.005 → 0.001", as it stands beside the line that marks the change.
/** @param {Run} run @param {import("./types.js").Mark} mark */
export function markText(run, mark) {
  const before = defined(mark.from) ? `${rateText(mark.from)} → ` : ""
  return `${briefOf(run, mark.name)} ${before}${rateText(mark.to)}`
}

/**
 * The warning of the hint: about the loss, and why another epoch may have been chosen all the same.
 * @param {Run} run @param {number} since
 */
export function memorisingWords(run, since) {
  const why = "the shaded gap is what the model learns by heart"
  const words = `The validation loss is lowest at epoch ${since}; ${why}.`
  const key = run.start?.selection_metric
  if (!run.best || !key || run.best.x <= since) return words
  const { label, lower_is_better: lower } = metricFacts(key, run.start, run.metrics)
  const two = run.config.ranks
    ? "Guessing probabilities and putting a list in order are two things."
    : "The loss and that figure are two things."
  const went = lower ? "fell" : "rose"
  return `${words} ${label} on validation still ${went} until epoch ${run.best.x}, and it chooses the epoch. ${two}`
}

/**
 * Since which epoch validation has turned up while training still falls, or null. A wiggle of the last two epochs
 *   is none.
 * @param {Run} run
 * @returns {number | null}
 */
export function memorisingSince(run) {
  const seen = run.epochs.flatMap(({ x, train, valid }) =>
    defined(train) && defined(valid) ? [{ x, train, valid }] : [],
  )
  if (seen.length < 4) return null
  const best = seen.reduce((low, epoch) => (epoch.valid < low.valid ? epoch : low))
  const last = seen[seen.length - 1]
  const turned = last.x - best.x >= 3 && last.valid > 1.002 * best.valid && last.train < best.train
  return turned ? best.x : null
}
