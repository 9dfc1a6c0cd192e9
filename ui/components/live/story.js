// What happened, in sentences for the log under the charts.

// Settings that may change while a run goes: their words, and how short they are written beside a line in the chart.
const CHANGES = {
  learning_rate: ["Learning rate", "lr"], weight_decay: ["Weight decay", "decay"], batch_size: ["Batch size", "batch"],
  bias_lr_multiplier: ["Rate of biases", "biases ×"], factor_lr_multiplier: ["Rate of embeddings", "embeddings ×"],
  mlp_lr_multiplier: ["Rate of the MLP", "MLP ×"], extend: ["Epochs", "+"],
}

function say(run, event, text, level = "info", tag = "") {
  if (event.inherited) return
  // Of a kind that repeats (best so far) only the newest is kept, or it would bury the rest.
  if (tag && run.messages.length && run.messages[0].tag === tag) run.messages.shift()
  run.messages.unshift({ time: event.time, text, level, tag })
  if (run.messages.length > 200) run.messages.pop()
}

function tellStart(run, event) {
  const where = [event.device ? `on ${event.device === "cpu" ? "CPU" : event.device}` : "", event.threads ? plural(event.threads, "thread") : ""].filter(Boolean).join(", ")
  const size = event.num_parameters ? `; ${event.num_parameters.toLocaleString("en-GB")} numbers to learn` : ""
  if (run.parent) return say(run, event, `Training goes on from epoch ${run.parent.epoch} of another run, up to epoch ${event.num_epochs}${where ? ` ${where}` : ""}.`)
  return say(run, event, `Training starts: ${plural(event.num_epochs, "epoch")} ${where}${size}.`)
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
  pace: e => e.value > 0 ? `Pace: ${plural(e.value, "epoch")} a second.` : "Pace: full speed.",
  stop: () => "Stop was asked for.",
  pause: () => "Paused.",
  resume: () => "Going on.",
  step_epoch: () => "One epoch, then a pause.",
  step_batch: () => "One batch, then a pause.",
  extend: e => `${plural(e.value, "epoch")} more.`,
}
const REPEATING = ["pace", "step_epoch", "step_batch"]

function tellCommand(run, event) {
  const what = CHANGES[event.name]?.[0] || { step_epoch: "Step epoch", step_batch: "Step batch" }[event.name] || event.name
  if (event.refused) return say(run, event, `${what} was refused: ${event.refused}.`, "warning")
  const words = COMMAND_WORDS[event.name]
  const text = words ? words(event) : event.name in CHANGES ? `${what} set to ${rateText(event.value)}.` : `Request: ${event.name}.`
  return say(run, event, text, "info", REPEATING.includes(event.name) ? event.name : "")
}

function tellEnd(run, event) {
  const done = event.epochs ?? run.epochs.at(-1)?.x ?? 0
  if (event.state === "failed") return say(run, event, sentence(run.reason) || "The run failed.", "error")
  const why = event.state === "finished" ? "Finished" : event.state === "stopped" ? "Stopped" : "Interrupted"
  const because = run.reason && run.reason !== "all epochs done" ? `: ${run.reason}` : ""
  return say(run, event, `${why} after ${plural(done, "epoch")}${because}.`, event.state === "finished" ? "good" : "info")
}

// "lr 0.005 → 0.001", as it stands beside the line that marks the change.
function markText(mark) {
  const [, brief] = CHANGES[mark.name]
  if (mark.name === "extend") return `+ ${plural(mark.to, "epoch")}`
  return `${brief} ${defined(mark.from) ? `${rateText(mark.from)} → ` : ""}${rateText(mark.to)}`
}

// When validation has turned up and training still falls: since which epoch, or null. A wiggle of the last two epochs is none.
function memorisingSince(run) {
  const seen = run.epochs.filter(e => defined(e.valid) && defined(e.train))
  if (seen.length < 4) return null
  const best = seen.reduce((low, e) => (e.valid < low.valid ? e : low))
  const last = seen.at(-1)
  const turned = last.x - best.x >= 3 && last.valid > 1.002 * best.valid && last.train < best.train
  return turned ? best.x : null
}
