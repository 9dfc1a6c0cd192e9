// Events of a run, folded into what is drawn. Pure: the same events give the same picture, whenever the page was opened.

function freshRun(runId) {
  return {
    runId, state: runId ? "loading" : "idle", reason: "", offset: 0, waitingFor: 0, config: {}, start: null, end: null,
    steps: [], epochs: [], messages: [], learningRate: undefined, rateWasFlat: false, best: null, beaten: new Set(), warned: false,
  }
}

function say(run, event, text, level = "info", tag = "") {
  // Of a kind that repeats (best so far) only the newest is kept, or it would bury the rest.
  if (tag && run.messages.length && run.messages[0].tag === tag) run.messages.shift()
  run.messages.unshift({ time: event.time, text, level, tag })
  if (run.messages.length > 200) run.messages.pop()
}

function fold(run, event) {
  const handler = { start: onStart, step: onStep, epoch: onEpoch, command: onCommand, message: onMessage, resume: onResume, end: onEnd }[event.kind]
  if (handler) handler(run, event)
}

function onStart(run, event) {
  run.start = event
  const where = [event.device ? `on ${event.device === "cpu" ? "CPU" : event.device}` : "", event.threads ? plural(event.threads, "thread") : ""].filter(Boolean).join(", ")
  const size = event.num_parameters ? `; ${event.num_parameters.toLocaleString("en-GB")} numbers to learn` : ""
  say(run, event, `Training starts: ${plural(event.num_epochs, "epoch")} ${where}${size}.`)
}

function onStep(run, event) {
  if (!defined(event.train_loss)) return
  run.steps.push({ x: event.epoch, y: event.train_loss, step: event.step })
  // Memory stays bounded however long the run is; what is drawn is thinned further.
  if (run.steps.length > 4000) run.steps = run.steps.filter((_, index) => index % 2 === 1)
}

function onEpoch(run, event) {
  run.epochs.push({
    x: event.epoch, step: event.step ?? 0, train: event.train_loss, valid: event.valid_loss, metrics: event.metrics || {},
    time: event.time, speed: event.samples_per_second, seconds: event.seconds, best: Boolean(event.best),
  })
  const before = run.learningRate, flat = run.rateWasFlat
  run.learningRate = event.learning_rate ?? before
  run.rateWasFlat = run.learningRate === before
  if (event.epoch === 0) return
  // A cut after a flat stretch is worth a word; a schedule that falls all the time is not.
  if (flat && defined(before) && run.learningRate < 0.75 * before) say(run, event, `The learning rate is now ${rateText(run.learningRate)}.`)
  tellBest(run, event)
  tellOverfitting(run, event)
}

function tellBest(run, event) {
  const key = run.start?.selection_metric, value = event.metrics?.[key]
  if (!event.best || !defined(value)) return
  run.best = { x: event.epoch, value }
  run.warned = false
  say(run, event, `Epoch ${event.epoch} is the best so far: ${metricName(key)} ${three(value)}.`, "info", "best")
  for (const [name, values] of Object.entries(run.start?.baselines?.valid || {})) {
    const floor = values[key]
    if (!defined(floor) || run.beaten.has(name) || (isError(key) ? value >= floor : value <= floor)) continue
    run.beaten.add(name)
    say(run, event, `Epoch ${event.epoch} is better than ${name} (${metricName(key)} ${three(floor)}).`, "good")
  }
}

function tellOverfitting(run, event) {
  if (!run.best || run.warned || event.epoch - run.best.x < 5) return
  run.warned = true
  const key = metricName(run.start?.selection_metric || "")
  say(run, event, `No better ${key} on validation for 5 epochs: from here on the model mostly learns the training data by heart.`, "warning")
}

const COMMAND_WORDS = {
  pace: e => (e.value ?? e.pace) > 0 ? `Pace: ${plural(e.value ?? e.pace, "epoch")} a second.` : "Pace: full speed.",
  stop: () => "Stop was asked for.",
  pause: () => "Paused.",
  resume: () => "Going on.",
  learning_rate: e => `Learning rate set to ${rateText(e.value ?? e.learning_rate)}.`,
}

function onCommand(run, event) {
  const words = COMMAND_WORDS[event.name]
  say(run, event, words ? words(event) : `Request: ${event.name}.`, "info", event.name === "pace" ? "pace" : "")
}

function onMessage(run, event) {
  say(run, event, sentence(event.text), event.level || "info")
}

function onResume(run, event) {
  run.steps = run.steps.filter(p => p.step <= event.step)
  run.epochs = run.epochs.filter(p => p.step <= event.step)
  run.end = null
  say(run, event, `Taken up again at epoch ${event.epoch ?? run.epochs.at(-1)?.x ?? 0}.`)
}

function onEnd(run, event) {
  run.end = event
  run.state = event.state
  run.reason = event.reason || run.reason
  const done = event.epochs ?? run.epochs.at(-1)?.x ?? 0
  if (event.state === "failed") return say(run, event, sentence(run.reason) || "The run failed.", "error")
  const why = event.state === "finished" ? "Finished" : event.state === "stopped" ? "Stopped" : "Interrupted"
  const because = run.reason && run.reason !== "all epochs done" ? `: ${run.reason}` : ""
  return say(run, event, `${why} after ${plural(done, "epoch")}${because}.`, event.state === "finished" ? "good" : "info")
}

function thin(points, most = 500) {
  // Means of equal buckets: a noisy curve keeps its course; first and last point stay as they are.
  if (points.length <= most) return points
  const out = [points[0]], size = (points.length - 2) / (most - 2)
  for (let bucket = 0; bucket < most - 2; bucket++) {
    const part = points.slice(1 + Math.floor(bucket * size), 1 + Math.floor((bucket + 1) * size))
    const mean = key => part.reduce((sum, p) => sum + p[key], 0) / part.length
    if (part.length) out.push({ x: mean("x"), y: mean("y") })
  }
  out.push(points.at(-1))
  return out
}
