// Events of a run, folded into what is drawn. Pure: the same events give the same picture, whenever the page was
// opened.

import { survives } from "../shared/events.js"
import { defined } from "../shared/text.js"
import { say, tellBest, tellCommand, tellEnd, tellOverfitting, tellRate, tellStart } from "./messages.js"
import { isControl, settingNow } from "./settings.js"
import { sentence } from "./words.js"

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("../shared/events.js").RunEvent} RunEvent */

// Memory stays bounded however long the run is; what is drawn is thinned further.
const MOST_STEPS = 4000
const MOST_HEALTH = 600
const WISHES = ["pause", "resume", "step_epoch", "step_batch", "stop"]

/**
 * A run of which nothing has been read yet.
 * @param {string} runId "" for none
 * @param {import("../shared/metrics.js").KnownMetrics} [metrics]
 * @returns {Run}
 */
export function freshRun(runId, metrics = {}) {
  return {
    runId,
    metrics,
    state: runId ? "loading" : "idle",
    reason: "",
    offset: 0,
    waitingFor: 0,
    silentSince: null,
    every: 0,
    config: {},
    kept: [],
    rates: { words: "", line: [] },
    start: null,
    end: null,
    steps: [],
    epochs: [],
    health: [],
    marks: [],
    messages: [],
    settings: {},
    learningRate: undefined,
    rateWasFlat: false,
    numEpochs: 0,
    parent: null,
    diverged: null,
    refit: null,
    best: null,
    beaten: new Set(),
    warned: false,
    seconds: 0,
    step: 0,
    wish: "",
    resumed: false,
    pictured: false,
  }
}

/**
 * Takes one event into the run. Kinds that nobody knows here are passed over.
 * @param {Run} run
 * @param {RunEvent} event
 */
export function fold(run, event) {
  switch (event.kind) {
    case "start":
      return onStart(run, event)
    case "step":
      return onStep(run, event)
    case "epoch":
      return onEpoch(run, event)
    case "command":
      return onCommand(run, event)
    case "message":
      return say(run, event, sentence(event.text), event.level || "info")
    case "resume":
      return onResume(run, event)
    case "diverged":
      run.diverged = event
      return undefined
    case "refit":
      run.refit = { epoch: event.epoch, epochs: event.epochs }
      return undefined
    case "snapshot":
      run.pictured = true
      return undefined
    case "end":
      return onEnd(run, event)
    default:
      return undefined
  }
}

/** @param {Run} run @param {import("../shared/events.js").StartEvent} event */
function onStart(run, event) {
  if (event.parent) run.parent = event.parent
  // A branch begins with its parent's events; only its own start counts, but until that is there the parent's will do.
  if (event.inherited && run.start) return
  run.start = event
  if (event.num_epochs) run.numEpochs = event.num_epochs
  tellStart(run, event)
}

/** @param {Run} run @param {import("../shared/events.js").StepEvent} event */
function onStep(run, event) {
  const { step = 0, gradient_norm, update_ratio, saturated } = event
  run.step = step
  if (defined(event.train_loss)) run.steps.push({ x: event.epoch, y: event.train_loss, step })
  run.steps = halved(run.steps, MOST_STEPS)
  if (![gradient_norm, update_ratio, saturated].some(defined)) return
  run.health.push({ step, gradient_norm, update_ratio, saturated })
  run.health = halved(run.health, MOST_HEALTH)
}

/** @template T @param {T[]} points @param {number} most */
const halved = (points, most) => (points.length > most ? points.filter((_, index) => index % 2 === 1) : points)

/** @param {Run} run @param {import("../shared/events.js").EpochEvent} event */
function onEpoch(run, event) {
  run.seconds = event.wall ?? run.seconds + (event.seconds || 0)
  run.step = event.step ?? run.step
  run.epochs.push({
    x: event.epoch,
    step: event.step ?? 0,
    train: event.train_loss,
    valid: event.valid_loss,
    metrics: event.metrics || {},
    rate: event.learning_rate,
    time: event.time,
    speed: event.samples_per_second,
    wall: run.seconds,
    inherited: Boolean(event.inherited),
  })
  const before = run.learningRate,
    wasFlat = run.rateWasFlat
  run.learningRate = event.learning_rate ?? before
  run.rateWasFlat = run.learningRate === before
  if (event.epoch === 0) return
  if (wasFlat) tellRate(run, event, before)
  tellBest(run, event)
  tellOverfitting(run, event)
}

/** @param {Run} run @param {import("../shared/events.js").CommandEvent} event */
function onCommand(run, event) {
  const { name, value, step = 0 } = event
  run.step = event.step ?? run.step
  if (!event.refused && WISHES.includes(name)) run.wish = name
  if (!event.refused && value !== undefined) {
    if (name === "extend") {
      const planned = run.numEpochs || run.config.num_epochs || 0
      run.numEpochs = Math.max(planned, event.num_epochs || planned + value)
    } else if (name !== "step_batch") set(run, { name, step, from: settingNow(run, name), to: value })
  }
  tellCommand(run, event)
}

/** @param {Run} run @param {import("./types.js").Mark} mark */
function set(run, mark) {
  run.settings[mark.name] = mark.to
  if (mark.name === "learning_rate") run.learningRate = mark.to
  if (isControl(mark.name)) run.marks.push(mark)
}

/** @param {Run} run @param {import("../shared/events.js").ResumeEvent} event */
function onResume(run, event) {
  const counts = (/** @type {{ step?: number }} */ past) => survives(past, event)
  run.steps = run.steps.filter(counts)
  run.health = run.health.filter(counts)
  run.epochs = run.epochs.filter(counts)
  const takenBack = run.marks.filter(mark => !counts(mark)).reverse()
  for (const { name, from } of takenBack) if (defined(from)) run.settings[name] = from
  run.marks = run.marks.filter(counts)
  const last = run.epochs.at(-1)
  run.step = event.step ?? last?.step ?? 0
  if (takenBack.some(mark => mark.name === "learning_rate")) run.learningRate = run.settings.learning_rate
  run.seconds = last?.wall ?? 0
  if (run.best && run.best.x > (last?.x ?? 0)) run.best = null
  run.end = null
  run.refit = null
  run.resumed ||= !event.inherited
  run.diverged = null
  say(run, event, `Taken up again at epoch ${event.epoch ?? last?.x ?? 0}.`)
}

/** @param {Run} run @param {import("../shared/events.js").EndEvent} event */
function onEnd(run, event) {
  if (event.inherited) return
  run.refit = null
  run.end = event
  run.state = event.state
  run.reason = event.reason || run.reason
  tellEnd(run, event)
}
