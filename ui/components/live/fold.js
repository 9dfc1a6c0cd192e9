// Events of a run, folded into what is drawn. Pure: the same events give the same picture, whenever the page was opened.

function freshRun(runId) {
  return {
    runId, state: runId ? "loading" : "idle", reason: "", offset: 0, waitingFor: 0, config: {}, kept: [], start: null, end: null,
    steps: [], epochs: [], watch: [], marks: [], messages: [], settings: {}, learningRate: undefined, rateWasFlat: false,
    numEpochs: 0, parent: null, diverged: null, best: null, beaten: new Set(), warned: false, seconds: 0, pictured: false,
  }
}

function fold(run, event) {
  const handler = {
    start: onStart, step: onStep, epoch: onEpoch, command: onCommand, message: onMessage, resume: onResume, diverged: onDiverged, snapshot: onSnapshot, end: onEnd,
  }[event.kind]
  if (handler) handler(run, event)
}

function onStart(run, event) {
  if (event.parent) run.parent = event.parent
  // A branch begins with its parent's events; only its own start counts, but until that is there the parent's will do.
  if (event.inherited && run.start) return
  run.start = event
  if (event.num_epochs) run.numEpochs = event.num_epochs
  tellStart(run, event)
}

function onStep(run, event) {
  if (defined(event.train_loss)) run.steps.push({ x: event.epoch, y: event.train_loss, step: event.step })
  // Memory stays bounded however long the run is; what is drawn is thinned further.
  if (run.steps.length > 4000) run.steps = run.steps.filter((_, index) => index % 2 === 1)
  if (![event.gradient_norm, event.update_ratio, event.saturated].some(defined)) return
  run.watch.push({ step: event.step, x: event.epoch, gradient_norm: event.gradient_norm, update_ratio: event.update_ratio, saturated: event.saturated })
  if (run.watch.length > 600) run.watch = run.watch.filter((_, index) => index % 2 === 1)
}

function onEpoch(run, event) {
  run.seconds = event.wall ?? run.seconds + (event.seconds || 0)
  run.epochs.push({
    x: event.epoch, step: event.step ?? 0, train: event.train_loss, valid: event.valid_loss, metrics: event.metrics || {},
    time: event.time, speed: event.samples_per_second, seconds: event.seconds, wall: run.seconds, best: Boolean(event.best),
  })
  const before = run.learningRate, flat = run.rateWasFlat
  run.learningRate = event.learning_rate ?? before
  run.rateWasFlat = run.learningRate === before
  if (event.epoch === 0) return
  // A cut after a flat stretch is worth a word; a schedule that falls all the time is not. What a person set was said already.
  if (flat && defined(before) && run.learningRate < 0.75 * before) say(run, event, `The learning rate is now ${rateText(run.learningRate)}.`)
  tellBest(run, event)
  tellOverfitting(run, event)
}

function onCommand(run, event) {
  const value = event.value, before = settingNow(run, event.name)
  if (!event.refused) {
    if (event.name in CHANGES) {
      run.marks.push({ step: event.step, name: event.name, from: before, to: value })
      run.settings[event.name] = value
      if (event.name === "learning_rate") run.learningRate = value
    }
    if (event.name === "pace") run.settings.pace = value
    if (event.name === "extend" && value > 0) run.numEpochs = Math.max(run.numEpochs || run.config.num_epochs || 0, event.num_epochs || (run.numEpochs || run.config.num_epochs || 0) + value)
  }
  tellCommand(run, event)
}

// What a setting is at this moment: as last set by hand, else as the schedule left it, else as configured.
function settingNow(run, name) {
  if (name === "learning_rate") return run.learningRate ?? run.settings.learning_rate ?? run.config.learning_rate
  return run.settings[name] ?? run.config[name]
}

function onMessage(run, event) {
  say(run, event, sentence(event.text), event.level || "info")
}

function onResume(run, event) {
  run.steps = run.steps.filter(p => p.step <= event.step)
  run.watch = run.watch.filter(p => p.step <= event.step)
  run.marks = run.marks.filter(m => m.step <= event.step)
  run.epochs = run.epochs.filter(p => p.step <= event.step)
  run.seconds = run.epochs.at(-1)?.wall ?? 0
  if (run.best && run.best.x > (run.epochs.at(-1)?.x ?? 0)) run.best = null
  run.end = null
  run.diverged = null
  say(run, event, `Taken up again at epoch ${event.epoch ?? run.epochs.at(-1)?.x ?? 0}.`)
}

function onDiverged(run, event) {
  run.diverged = event
}

function onSnapshot(run) {
  run.pictured = true
}

function onEnd(run, event) {
  if (event.inherited) return
  run.end = event
  run.state = event.state
  run.reason = event.reason || run.reason
  tellEnd(run, event)
}
