// The run as it stands, put on the page: words, messages, charts.

import { element, setText } from "../shared/dom.js"
import { metricsOf } from "../shared/metrics.js"
import { defined, median, plural } from "../shared/text.js"
import { axisEnd, between, COORDINATE } from "./axes.js"
import { divergedBanner, drawKept, drawLineage, openBranch } from "./branch.js"
import { drawLegend, layParent, paintOverlays } from "./comparison.js"
import { lossSpread } from "./curves.js"
import { lossFigure, metricFigure } from "./figures.js"
import { drawHealth } from "./health.js"
import { memorisingSince } from "./messages.js"
import { askForBlock } from "./rating_block.js"
import { isOver, metricOf, plannedEpochs } from "./state.js"
import { drawTransport } from "./transport.js"
import { clock, rateText, seconds, sentence, short, three } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {"loss" | "metric"} ChartName */

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
  if (!view.zoomed.loss) view.logShown = view.log ?? lossSpread(view.run)
  view.part.scale.setAttribute("aria-pressed", String(view.logShown))
  view.part.closer.setAttribute("aria-pressed", String(view.closer))
  drawKey(view.part["loss-key"], [
    ["train", view.look.train],
    ["validation", view.look.valid],
  ])
  drawKey(view.part["metric-key"], [["this run", view.look.valid]])
  drawTransport(view)
  drawLineage(view)
  drawKept(view)
  drawHealth(view)
  layParent(view)
  const scene = sceneOf(view)
  drawLegend(view, scene.others)
  askForBlock(view)
  if (isOver(view)) describe(view)
  if (!window.Plotly) return
  if (!scene.compact) plot(view, "loss", lossFigure(scene))
  plot(view, "metric", metricFigure(scene))
}

// What is shown and how, for the figures.
/** @param {View} view @returns {import("./types.js").Scene} */
function sceneOf(view) {
  const { run, look, data, axis, smoothing, closer } = view,
    planned = plannedEpochs(view)
  return {
    run,
    look,
    compact: Boolean(data.compact),
    axis,
    planned,
    end: axisEnd(run, axis, planned),
    smoothing,
    log: view.logShown,
    closer,
    metric: view.metric || data.metric,
    others: paintOverlays(view),
  }
}

// --- words
// -------------------------------------------------------------------------------------------------------------

/** @param {View} view */
function headline(view) {
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
  const parts = [run.end?.train_seconds ? `${done} in ${seconds(run.end.train_seconds)}` : done]
  if (run.best)
    parts.push(`best epoch ${run.best.x}: ${metricOf(view, key).label} ${three(run.best.value)} on validation`)
  const test = run.end?.test?.[key]
  if (defined(test)) parts.push(`${three(test)} on test`)
  return parts.join(" · ")
}

/** @param {View} view */
function progressWords(view) {
  const { run } = view,
    last = run.epochs.at(-1),
    done = last?.x || 0,
    total = plannedEpochs(view),
    parts = [`epoch ${done} of ${total}`]
  if (defined(last?.speed) && last.speed > 0) parts.push(`${short(last.speed)} ${run.config.sample ?? "samples"}/s`)
  if (run.state === "running" && done > 0 && done < total) {
    const each = secondsPerEpoch(run)
    if (defined(each)) parts.push(`${seconds(each * (total - done))} left`)
  }
  if (done >= total && run.state === "running") parts.push("measuring the result on test")
  const rate = run.learningRate ?? run.config.learning_rate
  if (defined(rate)) parts.push(`lr ${rateText(rate)}`)
  return parts.join(" · ")
}

// The median: a pause, or the time until an ended run was extended, is no epoch's length.
/** @param {import("./types.js").Run} run */
function secondsPerEpoch(run) {
  const recent = run.epochs.slice(-6)
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
  root.style.setProperty("--mfx-state-soft", `color-mix(in srgb, ${ink} 16%, transparent)`)
  setText(part.state, state?.word ?? OWN_STATES[run.state] ?? run.state)
  part.state.dataset.live = String(run.state === "running")
  setText(part.headline, headline(view))
  const done = run.epochs.at(-1)?.x || 0,
    total = plannedEpochs(view),
    reached = Math.max(done, run.steps.at(-1)?.x ?? 0)
  part.bar.style.transform = `scaleX(${run.state === "idle" ? 0 : Math.min(1, reached / total)})`
  part.track.setAttribute("aria-valuemax", String(total))
  part.track.setAttribute("aria-valuenow", String(done))
  drawHint(view)
  drawBanner(view)
  drawMessages(view)
}

/** @param {View} view */
function drawBanner(view) {
  const { run, part, look, data } = view,
    failed = run.state === "failed" || run.diverged !== null
  part.banner.hidden = !failed && run.state !== "interrupted"
  if (part.banner.hidden) return
  const ink = run.state === "interrupted" ? look.warning : look.bad
  part.banner.style.setProperty("--mfx-banner-ink", ink)
  part.banner.style.setProperty("--mfx-banner-soft", `color-mix(in srgb, ${ink} 9%, transparent)`)
  const shown = `${run.runId} ${run.state} ${run.reason} ${Boolean(run.diverged)} ${run.kept.join()}`
  if (part.banner.dataset.shown === shown) return // a button in it must not be replaced under the pointer
  part.banner.dataset.shown = shown
  if (run.diverged && !data.compact) {
    part.banner.replaceChildren(...divergedBanner(view, run.diverged))
    return
  }
  const title = element("strong", {
    textContent: `This run ${run.state === "failed" ? "failed" : "was interrupted"}. `,
  })
  part.banner.replaceChildren(title, sentence(run.reason))
}

/** @param {View} view */
function drawHint({ run, part, data }) {
  const since = memorisingSince(run)
  part.hint.dataset.tone = since === null ? "" : "warning"
  const why = "the shaded gap is memorising: what is learnt by heart and helps nobody else"
  setText(part.hint, since === null ? data.hint : `Validation has not improved since epoch ${since}; ${why}.`)
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
  entries.forEach(([, colour], index) => swatches[index].style.setProperty("--mfx-swatch", colour))
}

/** Every metric of the run, the one it is chosen by first. @param {View} view */
function chooseMetric(view) {
  const { run, part, data } = view,
    first = run.start?.selection_metric
  const all = metricsOf(run.start, data.metrics, Object.keys(run.epochs.at(-1)?.metrics ?? {}))
  const known = all.toSorted((a, b) => Number(b.key === first) - Number(a.key === first))
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
  if (node.dataset.listening) return
  node.dataset.listening = "true"
  listenToChart(view, name, node)
}

/** @param {View} view @param {ChartName} name @param {import("../shared/types.js").PlotlyNode} node */
function listenToChart(view, name, node) {
  node.on("plotly_relayout", change => {
    if (!Object.keys(change).some(key => key.includes("axis.range"))) return
    view.zoomed[name] = true
    view.part[`zoom-${name}`].hidden = false
  })
  node.on("plotly_doubleclick", () => {
    view.zoomed[name] = false
    view.draw()
  })
  node.on("plotly_click", click => {
    const x = click.points?.[0]?.x ?? 0
    const epoch = view.axis === "epoch" ? x : between(view.run, COORDINATE[view.axis], "x", x)
    if (!view.data.compact && view.run.kept.length) openBranch(view, epoch)
  })
}
