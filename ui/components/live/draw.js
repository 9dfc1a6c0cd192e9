// The run as it stands, put on the page: words, messages, charts.

import { element, setText } from "../shared/dom.js"
import { metricsOf } from "../shared/metrics.js"
import { defined, median, plural, whole } from "../shared/text.js"
import { writeShown } from "./address.js"
import { axisEnd, between, COORDINATE } from "./axes.js"
import { divergedBanner, drawKept, drawLineage, openBranch } from "./branch.js"
import { drawLegend, layParent, paintOverlays } from "./comparison.js"
import { lossSpread, strideOf } from "./curves.js"
import { lossFigure, metricFigure, rateFigure } from "./figures.js"
import { drawHealth } from "./health.js"
import { memorisingSince, memorisingWords } from "./messages.js"
import { askForBlock } from "./rating_block.js"
import { settingNow } from "./settings.js"
import { isOver, metricOf, placeInEpoch, plannedEpochs } from "./state.js"
import { drawTable } from "./taking.js"
import { drawTransport, silentBanner } from "./transport.js"
import { clock, rateText, seconds, sentence, short, three } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {"loss" | "metric" | "rate"} ChartName */

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false, showTips: false }
const MOST_MESSAGES = 60
/** What a view is in before the server has said anything, or when there is nothing. @type {Record<string, string>} */
const OWN_STATES = { idle: "ready", loading: "loading", gone: "not here" }

/** @param {View} view */
export function draw(view) {
  chooseMetric(view)
  drawWords(view)
  // Until somebody chooses, the loss axis is linear, and logarithmic where that would show nothing. A zoom is not
  // upset.
  if (!view.zoomed.loss) view.logShown = view.log ?? lossSpread(shownRuns(view))
  view.part.scale.setAttribute("aria-pressed", String(view.logShown))
  view.part.closer.setAttribute("aria-pressed", String(view.closer))
  drawKey(view.part["loss-key"], [
    ["train", view.look.train],
    ["validation", view.look.valid],
  ])
  drawKey(view.part["metric-key"], [["this run", view.look.valid]])
  drawRate(view)
  drawTransport(view)
  drawLineage(view)
  drawKept(view)
  drawHealth(view)
  layParent(view)
  const scene = sceneOf(view)
  drawLegend(view, paintOverlays(view))
  writeShown(view)
  askForBlock(view)
  if (isOver(view)) describe(view)
  if (!window.Plotly) return
  if (!scene.compact) plot(view, "loss", lossFigure(scene))
  plot(view, "metric", metricFigure(scene))
  if (!view.part["rate-figure"].hidden && !scene.compact) plot(view, "rate", rateFigure(scene))
}

/** Runs whose curves are shown. @param {View} view @returns {import("./types.js").Run[]} */
const shownRuns = ({ run, others, hidden }) =>
  [run, ...[...others.values()].map(other => other.run)].filter(one => !hidden.has(one.runId))

/** What is shown and how, for the figures. @param {View} view @returns {import("./types.js").Scene} */
export function sceneOf(view) {
  const { run, look, data, axis, smoothing, closer, hidden } = view,
    planned = plannedEpochs(view),
    others = paintOverlays(view).filter(other => !hidden.has(other.id))
  const ends = others.map(other => other.run.epochs.at(-1)?.[COORDINATE[axis]] ?? 0)
  return {
    run,
    look,
    compact: Boolean(data.compact),
    axis,
    planned,
    end: Math.max(axisEnd(run, axis, planned), ...ends),
    smoothing,
    log: view.logShown,
    closer,
    metric: view.metric || data.metric,
    own: !hidden.has(run.runId),
    others,
    stride: strideOf(shownRuns(view)),
  }
}

// --- words
// -------------------------------------------------------------------------------------------------------------

/** @param {View} view */
export function headline(view) {
  const { run, data } = view
  if (run.state === "idle") return data.idle
  if (run.state === "gone") return "This run is not here any more."
  if (run.state === "queued") {
    const before = `${plural(run.waitingFor, "run")} before this one; it starts by itself.`
    return run.waitingFor > 0 ? before : "It starts in a moment."
  }
  if (isOver(view)) return resultWords(view)
  return run.start ? progressWords(view) : "Loading the ratings and measuring the baselines …"
}

/** @param {View} view */
function resultWords(view) {
  const { run } = view,
    done = plural(run.epochs.at(-1)?.x || 0, "epoch"),
    key = run.start?.selection_metric ?? ""
  const parts = [run.end?.train_seconds ? `${done} ${timeWords(run, run.end.train_seconds)}` : done]
  if (run.best) {
    const chosen = `${metricOf(view, key).label} ${three(run.best.value)} on validation`
    parts.push(`epoch ${run.best.x} chosen: best ${chosen}`)
  }
  const test = run.end?.test?.[key]
  if (defined(test)) parts.push(`${three(test)} on test`)
  return parts.join(" · ")
}

/**
 * How long it took. Whoever watched at a pace, or paused, saw more go by than was trained: then both are said.
 * @param {import("./types.js").Run} run @param {number} trained seconds
 */
export function timeWords(run, trained) {
  const own = run.epochs.filter(epoch => !epoch.inherited),
    [began, ended] = [run.start?.time, own.at(-1)?.time]
  const seen = !run.resumed && !run.start?.inherited
  const watched = seen && defined(began) && defined(ended) ? ended - began : 0
  const pace = run.settings.pace ?? run.config.pace ?? 0
  if (watched < 1 || watched < 1.5 * trained) return `in ${seconds(trained)}`
  const kept = pace > 0 && Math.abs(own.filter(epoch => epoch.x > 0).length / pace - watched) < 0.4 * watched
  const why = kept ? ` at a pace of ${plural(pace, "epoch")} a second` : ""
  return `in ${seconds(watched)}${why}, of which ${seconds(trained)} trained`
}

/** @param {View} view */
function progressWords(view) {
  const { run } = view,
    last = run.epochs.at(-1),
    done = last?.x || 0,
    total = plannedEpochs(view),
    parts = [`epoch ${done} of ${total}`]
  if (run.state === "paused") parts.push(placeWords(run))
  else if (defined(last?.speed) && last.speed > 0)
    parts.push(`${short(last.speed)} ${run.config.sample ?? "samples"}/s`)
  if (run.state === "running" && done > 0 && done < total) {
    const each = secondsPerEpoch(run)
    if (defined(each)) parts.push(`${seconds(each * (total - done))} left`)
  }
  if (run.refit) return refitWords(run.refit)
  if (done >= total && run.state === "running") parts.push("measuring the result")
  const rate = run.learningRate ?? run.config.learning_rate
  if (defined(rate)) parts.push(`lr ${rateWords(run, rate)}`)
  return parts.join(" · ")
}

/** @param {{ epoch: number, epochs: number }} refit */
function refitWords({ epoch, epochs }) {
  if (epoch >= epochs) return "measuring the result on test"
  return `training once more on train + validation, epoch ${whole(epoch + 1)} of ${whole(epochs)}`
}

/** "step 12,345 · 1 of 70,000 of epoch 3". @param {import("./types.js").Run} run */
export function placeWords(run) {
  const { step, into, of, epoch } = placeInEpoch(run)
  return into > 0
    ? `step ${whole(step)} · ${whole(into)}${of ? ` of ${whole(of)}` : ""} of epoch ${epoch}`
    : `step ${whole(step)}`
}

/** "0.00138 (one cycle, peak 0.02)". @param {import("./types.js").Run} run @param {number} rate */
export function rateWords({ rates }, rate) {
  return rates.words && rates.words !== "constant" ? `${rateText(rate)} (${rates.words})` : rateText(rate)
}

/** @param {View} view */
function drawRate({ run, part }) {
  const now = settingNow(run, "learning_rate")
  part["rate-figure"].hidden = run.rates.line.length === 0
  const words = defined(now) ? `${run.rates.words} · now ${rateText(now)}` : run.rates.words
  setText(part["rate-key"], words)
  part["plot-rate"].setAttribute("aria-label", `Learning rate by epoch: ${words}`)
}

/**
 * The median: a pause, or the time until an ended run was extended, is no epoch's length. Epochs of the run it branched
 * from were trained on another day.
 * @param {import("./types.js").Run} run
 */
export function secondsPerEpoch(run) {
  const recent = run.epochs.filter(epoch => !epoch.inherited).slice(-6)
  return median(
    recent.slice(1).map((epoch, i) => ((epoch.time ?? NaN) - (recent[i].time ?? NaN)) / (epoch.x - recent[i].x)),
  )
}

/** @param {View} view */
function drawWords(view) {
  const { run, part, root, look, data } = view,
    state = data.states[run.state]
  const ink = look[state?.tone] ?? look.muted
  root.style.setProperty("--mfx-state-ink", ink)
  root.style.setProperty("--mfx-state-soft", `color-mix(in srgb, ${ink} 10%, transparent)`)
  setText(part.state, state?.word ?? OWN_STATES[run.state] ?? run.state)
  part.state.dataset.live = String(run.state === "running")
  setText(part.headline, headline(view))
  const done = run.epochs.at(-1)?.x || 0,
    total = plannedEpochs(view),
    reached = Math.max(done, run.steps.at(-1)?.x ?? 0)
  const [now, all] = run.refit ? [run.refit.epoch, run.refit.epochs] : [done, total],
    share = run.refit ? now / Math.max(1, all) : reached / total
  part.bar.style.transform = `scaleX(${run.state === "idle" ? 0 : Math.min(1, share)})`
  part.track.setAttribute("aria-label", run.refit ? "Epochs on train + validation done" : "Epochs done")
  part.track.setAttribute("aria-valuemax", String(all))
  part.track.setAttribute("aria-valuenow", String(now))
  drawHint(view)
  drawTip(view)
  drawBanner(view)
  drawMessages(view)
}

/** @param {View} view */
function drawBanner(view) {
  const { run, part, look, data } = view,
    failed = run.state === "failed" || run.state === "damaged" || run.diverged !== null
  const silent = run.silentSince !== null && !isOver(view)
  part.banner.hidden = !failed && !silent && run.state !== "interrupted"
  if (part.banner.hidden) return
  const ink = silent || run.state === "interrupted" ? look.warning : look.bad
  part.banner.style.setProperty("--mfx-banner-ink", ink)
  part.banner.style.setProperty("--mfx-banner-soft", `color-mix(in srgb, ${ink} 9%, transparent)`)
  const shown = `${run.runId} ${run.state} ${run.reason} ${Boolean(run.diverged)} ${run.kept.join()} ${silent}`
  if (part.banner.dataset.shown === shown) return // a button in it must not be replaced under the pointer
  part.banner.dataset.shown = shown
  if (silent) {
    part.banner.replaceChildren(...silentBanner(view, run.silentSince ?? undefined))
    return
  }
  if (run.diverged && !data.compact) {
    part.banner.replaceChildren(...divergedBanner(view, run.diverged))
    return
  }
  const title = element("strong", {
    textContent: `This run ${failed ? (run.state === "damaged" ? "is damaged" : "failed") : "was interrupted"}. `,
  })
  part.banner.replaceChildren(title, sentence(run.reason))
}

/** @param {View} view */
function drawHint({ run, part, data }) {
  const since = memorisingSince(run)
  part.hint.dataset.tone = since === null ? "" : "warning"
  setText(part.hint, since === null ? data.hint : memorisingWords(run, since))
}

const TIP_SEEN = "mfx-branch-tip"

/**
 * Once, when there is an epoch to go back to: that the curve can be clicked. It goes when it is dismissed, or done.
 * @param {View} view
 */
function drawTip(view) {
  const { run, part, data } = view
  const known = view.tipSeen || localStorage.getItem(TIP_SEEN) === "1"
  part.tip.hidden = known || Boolean(data.compact) || run.epochs.length < 3 || !run.kept.length
  if (part.tip.hidden || part.tip.childElementCount) return
  const done = element("button", { type: "button", className: "mfx-button", textContent: "Got it" })
  done.onclick = () => forgetTip(view)
  const words = "Click a curve, or a mark on the bar above, to go back to that epoch and train on with other settings."
  part.tip.replaceChildren(element("span", { textContent: words }), done)
}

/** @param {View} view */
function forgetTip(view) {
  view.tipSeen = true
  localStorage.setItem(TIP_SEEN, "1")
  view.part.tip.hidden = true
}

/** @param {View} view */
function drawMessages({ run, part }) {
  const list = part.messages,
    newest = run.messages[0]
  if (list.newest === newest && list.count === run.messages.length) return
  Object.assign(list, { newest, count: run.messages.length })
  list.replaceChildren(
    ...run.messages
      .slice(0, MOST_MESSAGES)
      .map(({ level, time, text }) =>
        element(
          "li",
          { dataset: { level } },
          element("time", { textContent: clock(time) }),
          element("span", { textContent: text }),
        ),
      ),
  )
}

/** @param {HTMLElement} node @param {[name: string, colour: string][]} entries */
function drawKey(node, entries) {
  const wanted = entries.map(([name]) => name).join()
  if (node.dataset.shown !== wanted)
    node.replaceChildren(...entries.map(([name]) => element("span", { textContent: name })))
  node.dataset.shown = wanted
  const swatches = /** @type {HTMLElement[]} */ ([...node.children])
  entries.forEach(([name, colour], index) => {
    swatches[index].style.setProperty("--mfx-swatch", colour)
    if (name === "train") swatches[index].dataset.dash = "true"
  })
}

/** Every metric of the run, the one it is chosen by first. @param {View} view */
function chooseMetric(view) {
  const { run, part, data } = view,
    first = run.start?.selection_metric
  const all = metricsOf(run.start, data.metrics, Object.keys(run.epochs.at(-1)?.metrics ?? {}))
  const known = all.toSorted((a, b) => Number(b.key === first) - Number(a.key === first))
  const asked = known.some(metric => metric.key === view.askedMetric)
  if (asked) view.metric = view.askedMetric
  if (run.start && (asked || known.length)) view.askedMetric = "" // a run that does not measure it shows its own
  if (!known.some(metric => metric.key === view.metric)) view.metric = known[0]?.key ?? ""
  const shown = known.length ? known : data.metric ? [metricOf(view, data.metric)] : []
  const keys = shown.map(metric => metric.key).join()
  if (part.metric.dataset.shown !== keys) {
    part.metric.replaceChildren(...shown.map(({ key, label }) => element("option", { value: key, textContent: label })))
    part.metric.dataset.shown = keys
  }
  if (view.metric && part.metric.value !== view.metric) part.metric.value = view.metric
  part.metric.title = (shown.find(metric => metric.key === view.metric) ?? shown[0])?.help ?? ""
}

/** What a chart is called where it stands alone. @param {View} view @param {string} name */
export function chartTitle(view, name) {
  const what = { loss: "Loss", metric: `${metricOf(view, view.metric).label} on validation`, rate: "Learning rate" }[
    name
  ]
  return [what, view.run.config.title].filter(Boolean).join(" · ")
}

/** What an ended run's charts show, for those who do not see them. @param {View} view */
function describe(view) {
  const last = view.run.epochs.at(-1),
    { label } = metricOf(view, view.metric)
  if (!last) return
  const loss = `Loss by epoch. After epoch ${last.x}: train ${three(last.train)}, validation ${three(last.valid)}.`
  const metric = `${label} on validation by epoch. After epoch ${last.x}: ${three(last.metrics[view.metric])}.`
  view.part["plot-loss"].setAttribute("aria-label", loss)
  view.part["plot-metric"].setAttribute("aria-label", metric)
}

// --- charts
// ------------------------------------------------------------------------------------------------------------

/** @param {View} view @param {ChartName} name @param {{ data: object[], layout: any }} figure */
function plot(view, name, { data, layout }) {
  /** @type {import("../shared/types.js").PlotlyNode} */
  const node = view.part[`plot-${name}`]
  const zoomed = Boolean(view.zoomed[name] && node._fullLayout)
  if (zoomed) for (const axis of ["xaxis", "yaxis"]) layout[axis].range = [...node._fullLayout[axis].range]
  view.part[`zoom-${name}`].hidden = !zoomed
  window.Plotly?.react(node, data, layout, CONFIG)
  drawTable(view, name, chartTitle(view, name))
  if (node.dataset.listening) return
  node.dataset.listening = "true"
  listenToChart(view, name, node)
}

/**
 * The other charts tell their values of the same place. What we point at ourselves has no pointer event.
 * @param {View} view @param {import("../shared/types.js").PlotlyNode} node
 * @param {{ event?: Event, points?: { x: number }[] }} hover
 */
function pointElsewhere(view, node, { event, points }) {
  if (!event) return
  for (const name of ["loss", "metric", "rate"]) {
    const other = view.part[`plot-${name}`]
    if (other === node || !other._fullLayout || !other.offsetParent) continue
    const x = points?.[0]?.x
    if (event.type === "mouseout" || x === undefined) window.Plotly?.Fx.unhover(other)
    else window.Plotly?.Fx.hover(other, { xval: x, yval: middle(other) })
  }
}

/** @param {import("../shared/types.js").PlotlyNode} node */
function middle({ _fullLayout: { yaxis } }) {
  const mid = (yaxis.range[0] + yaxis.range[1]) / 2
  return yaxis.type === "log" ? 10 ** mid : mid
}

/** @param {View} view @param {ChartName} name @param {import("../shared/types.js").PlotlyNode} node */
function listenToChart(view, name, node) {
  node.on("plotly_relayout", change => {
    if (!Object.keys(change).some(key => key.includes("axis.range"))) return
    view.zoomed[name] = true
    view.part[`zoom-${name}`].hidden = false
  })
  node.on("plotly_hover", hover => pointElsewhere(view, node, hover))
  node.on("plotly_unhover", hover => pointElsewhere(view, node, hover))
  node.on("plotly_doubleclick", () => {
    view.zoomed[name] = false
    view.draw()
  })
  node.on("plotly_click", click => {
    const x = click.points?.[0]?.x ?? 0
    const epoch = view.axis === "epoch" ? x : between(view.run, COORDINATE[view.axis], "x", x)
    if (view.data.compact || !view.run.kept.length) return
    openBranch(view, epoch)
    forgetTip(view)
  })
}
