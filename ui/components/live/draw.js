// The run as it stands, put on the page: words, messages, charts. Text from data is only ever set as text.

const planned = view => Math.max(view.run.numEpochs || view.run.config.num_epochs || view.data.num_epochs || 20, view.run.epochs.at(-1)?.x || 0)

function headline(view) {
  const run = view.run, last = run.epochs.at(-1), done = last?.x || 0, total = planned(view)
  if (run.state === "idle") return view.data.idle || ""
  if (run.state === "gone") return "This run is not here any more."
  if (run.state === "queued") {
    return run.waitingFor > 0 ? `${plural(run.waitingFor, "run")} before this one; it starts by itself.` : "It starts in a moment."
  }
  const loss = run.config.loss, speed = last?.speed
  if (OVER.includes(run.state)) {
    const parts = [`${plural(done, "epoch")}${run.end?.train_seconds ? ` in ${seconds(run.end.train_seconds)}` : ""}`]
    const key = run.start?.selection_metric
    if (run.best) parts.push(`best epoch ${run.best.x}: ${metricName(key)} ${three(run.best.value)} on validation`)
    if (defined(run.end?.test?.[key])) parts.push(`${three(run.end.test[key])} on test`)
    return parts.join(" · ")
  }
  if (!run.start) return "Loading the ratings and measuring the baselines …"
  const parts = [`epoch ${done} of ${total}`]
  if (defined(speed) && speed > 0) parts.push(`${short(speed)} ${samplesWord(loss)}`)
  const recent = run.epochs.slice(-6)
  if (run.state === "running" && done > 0 && recent.length > 1 && done < total) {
    // The median: a pause, or the time until an ended run was extended, is no epoch's length.
    const each = median(recent.slice(1).map((e, i) => (e.time - recent[i].time) / (e.x - recent[i].x)))
    parts.push(`${seconds(each * (total - done))} left`)
  }
  if (done >= total && run.state === "running") parts.push("measuring the result on test")
  const rate = run.learningRate ?? run.config.learning_rate
  if (defined(rate)) parts.push(`lr ${rateText(rate)}`)
  return parts.join(" · ")
}

const STATE_TONES = { running: "valid", queued: "muted", paused: "warning", finished: "good", failed: "bad", stopped: "warning", interrupted: "warning" }

function drawWords(view) {
  const { run, part, root, look } = view
  const ink = look[STATE_TONES[run.state]] || look.muted
  root.style.setProperty("--mfx-state-ink", ink)
  root.style.setProperty("--mfx-state-soft", `color-mix(in srgb, ${ink} 16%, transparent)`)
  setText(part.state, STATE_WORDS[run.state] || (run.state === "loading" ? "loading" : run.state))
  part.state.dataset.live = String(run.state === "running")
  setText(part.headline, headline(view))
  const done = run.epochs.at(-1)?.x || 0, total = planned(view)
  part.bar.style.transform = `scaleX(${run.state === "idle" ? 0 : Math.min(1, (run.steps.at(-1)?.x > done ? run.steps.at(-1).x : done) / total)})`
  part.track.setAttribute("aria-valuemax", total)
  part.track.setAttribute("aria-valuenow", done)
  drawHint(view)
  drawBanner(view)
  drawMessages(view)
}

function drawBanner(view) {
  const { run, part, look } = view
  const bad = run.state === "failed" || run.state === "interrupted" || Boolean(run.diverged)
  part.banner.hidden = !bad
  if (!bad) return
  const ink = run.state === "interrupted" ? look.warning : look.bad
  part.banner.style.setProperty("--mfx-banner-ink", ink)
  part.banner.style.setProperty("--mfx-banner-soft", `color-mix(in srgb, ${ink} 9%, transparent)`)
  const shown = `${run.runId} ${run.state} ${run.reason} ${Boolean(run.diverged)} ${run.kept.join()}`
  if (part.banner.dataset.shown === shown) return // a button in it must not be replaced under the pointer
  part.banner.dataset.shown = shown
  if (run.diverged && !view.data.compact) return part.banner.replaceChildren(...drawDiverged(view))
  const title = make("strong", { textContent: run.state === "failed" ? "This run failed. " : "This run was interrupted. " })
  part.banner.replaceChildren(title, sentence(run.reason))
}

function drawHint(view) {
  const since = memorisingSince(view.run)
  view.part.hint.dataset.tone = since === null ? "" : "warning"
  setText(view.part.hint, since === null ? view.data.hint || "" : `Validation has not improved since epoch ${since}; the shaded gap is memorising: what is learnt by heart and helps nobody else.`)
}

function drawMessages(view) {
  const list = view.part.messages, newest = view.run.messages[0]
  if (list.newest === newest && list.count === view.run.messages.length) return
  list.newest = newest
  list.count = view.run.messages.length
  list.replaceChildren(...view.run.messages.slice(0, 60).map(message => {
    const item = document.createElement("li"), time = document.createElement("time"), text = document.createElement("span")
    item.dataset.level = message.level
    time.textContent = clock(message.time)
    text.textContent = message.text
    item.append(time, text)
    return item
  }))
}

const setText = (node, text) => { if (node.textContent !== text) node.textContent = text }

function drawKey(node, entries) {
  const wanted = entries.map(([name]) => name).join()
  if (node.dataset.shown !== wanted) node.replaceChildren(...entries.map(([name]) => Object.assign(document.createElement("span"), { textContent: name })))
  node.dataset.shown = wanted
  entries.forEach(([, colour], index) => node.children[index].style.setProperty("--mfx-swatch", colour))
}

function drawMetricChoice(view) {
  const { run, part } = view
  const known = run.start?.metrics || Object.keys(run.epochs.at(-1)?.metrics || {})
  const first = run.start?.selection_metric, order = ["rmse", "mae", "ndcg", "hr"]
  const rank = key => (key === first ? -1 : order.findIndex(stem => key.startsWith(stem)) + (key.includes("/") ? 10 : 0))
  const keys = known.filter(key => order.some(stem => key.startsWith(stem))).sort((a, b) => rank(a) - rank(b))
  if (!keys.includes(view.metric)) view.metric = keys[0] || ""
  const shown = keys.length ? keys : view.data.metric ? [view.data.metric] : []
  if (part.metric.dataset.shown !== shown.join()) {
    part.metric.replaceChildren(...shown.map(key => Object.assign(document.createElement("option"), { value: key, textContent: metricName(key) })))
    part.metric.dataset.shown = shown.join()
  }
  if (view.metric && part.metric.value !== view.metric) part.metric.value = view.metric
  part.metric.title = view.data.help?.[(view.metric || shown[0] || "").split("@")[0]] || ""
}

// What is shown and how, for the figures.
function sceneOf(view) {
  const { run, look, data } = view, compact = Boolean(data.compact), axis = view.axis, total = planned(view)
  return {
    run, look, compact, axis, planned: total, end: axisEnd(run, axis, total), smoothing: view.smoothing, log: view.logShown, closer: view.closer,
    metric: view.metric || data.metric, others: paintOthers(view),
  }
}

function draw(view) {
  drawMetricChoice(view)
  drawWords(view)
  // Until somebody chooses, the loss axis is linear, and logarithmic where that would show nothing. A zoom is not upset.
  if (!view.zoomed.loss) view.logShown = view.log ?? lossSpread(view.run)
  view.part.scale.setAttribute("aria-pressed", String(Boolean(view.logShown)))
  view.part.closer.setAttribute("aria-pressed", String(view.closer))
  drawKey(view.part["loss-key"], [["train", view.look.train], ["validation", view.look.valid]])
  drawKey(view.part["metric-key"], [["this run", view.look.valid]])
  drawTransport(view)
  drawLineage(view)
  drawKept(view)
  drawWatch(view)
  layParent(view)
  const scene = sceneOf(view)
  drawLegend(view, scene.others)
  askForPicture(view)
  if (!window.Plotly) return
  if (!scene.compact) plot(view, "loss", lossFigure(scene))
  plot(view, "metric", metricFigure(scene))
}

function plot(view, name, figure) {
  const node = view.part[`plot-${name}`], zoomed = Boolean(view.zoomed[name] && node._fullLayout)
  if (zoomed) {
    for (const axis of ["xaxis", "yaxis"]) figure.layout[axis].range = [...node._fullLayout[axis].range]
  }
  view.part[`zoom-${name}`].hidden = !zoomed
  window.Plotly.react(node, figure.data, figure.layout, CONFIG)
  if (node.dataset.listening) return
  node.dataset.listening = "true"
  node.on("plotly_relayout", change => {
    if (!Object.keys(change).some(key => key.includes("axis.range"))) return
    view.zoomed[name] = true
    view.part[`zoom-${name}`].hidden = false
  })
  node.on("plotly_doubleclick", () => { view.zoomed[name] = false; draw(view) })
  node.on("plotly_click", click => {
    const epoch = click.points?.[0] && view.axis === "epoch" ? click.points[0].x : between(view.run, AXIS_KEY[view.axis], "x", click.points?.[0]?.x ?? 0)
    if (!view.data.compact && view.run.kept.length) openBranch(view, epoch)
  })
}

function describe(view) {
  const run = view.run, last = run.epochs.at(-1)
  if (!last) return
  view.part["plot-loss"].setAttribute("aria-label", `Loss by epoch. After epoch ${last.x}: train ${three(last.train)}, validation ${three(last.valid)}.`)
  view.part["plot-metric"].setAttribute("aria-label", `${metricName(view.metric)} on validation by epoch. After epoch ${last.x}: ${three(last.metrics[view.metric])}.`)
}
