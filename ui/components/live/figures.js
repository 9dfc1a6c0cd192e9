// Plotly figures of a run: data and layout, nothing else. The scene says what is shown and how; see sceneOf in draw.js.

import { metricFacts } from "../shared/metrics.js"
import { defined } from "../shared/text.js"
import { markChanges, memorisingBand, otherLines } from "./annotations.js"
import { AXES, placeEpoch, placeStep, thin } from "./axes.js"
import { apart, curve, focus, line, pointsOf, SILENT, spread } from "./curves.js"
import { three } from "./words.js"

/** @typedef {import("./types.js").Scene} Scene */
/** @typedef {import("./types.js").Look} Look */
/** @typedef {ReturnType<typeof baseLayout>} Layout */

const MARGIN = 14

/** @param {Scene} scene */
function axisLayout({ look, axis, end, compact }) {
  const hover = { epoch: ".1~f", step: ",.0f", time: ".3~g" }
  const whole = axis !== "time" && end <= 8 ? { dtick: 1 } : {}
  return {
    spikecolor: look.muted,
    spikethickness: 1,
    spikedash: "dot",
    range: [-0.02 * end, 1.02 * end],
    nticks: 8,
    ...whole,
    tickformat: axis === "step" ? "~s" : "~g",
    showgrid: false,
    hoverformat: hover[axis],
    title: compact ? undefined : { text: AXES[axis], standoff: 4, font: { size: look.fontSize } },
  }
}

/** @param {Scene} scene */
function baseLayout(scene) {
  const { look, run, compact, axis } = scene,
    size = look.fontSize
  const common = {
    gridcolor: look.grid,
    linecolor: look.grid,
    zeroline: false,
    tickcolor: look.grid,
    automargin: true,
    fixedrange: look.touch,
  }
  return {
    uirevision: `${run.runId || "idle"} ${axis}`,
    autosize: true,
    showlegend: false,
    hovermode: "x unified",
    dragmode: look.touch ? false : "zoom",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: look.font, size, color: look.muted },
    margin: { l: 4 * size, r: MARGIN, t: 8, b: (compact ? 2.2 : 3) * size },
    hoverlabel: {
      bgcolor: look.surface,
      bordercolor: look.grid,
      font: { color: look.text, size: size + 1 },
      namelength: 24,
    },
    xaxis: { ...common, ...axisLayout(scene) },
    yaxis: { ...common, nticks: 6, automargin: false, tickformat: ".3~g" },
    annotations: /** @type {object[]} */ ([]),
    shapes: /** @type {object[]} */ ([]),
  }
}

/**
 * The layout with its vertical axis on what matters, and a label for an epoch 0 that lies outside of it.
 * @param {Scene} scene
 * @param {ReturnType<typeof focus>} seen
 * @param {boolean} log
 * @param {boolean} filled whether anything is drawn
 */
function layoutFor(scene, seen, log, filled) {
  const layout = baseLayout(scene)
  Object.assign(layout.yaxis, { type: log ? "log" : "linear", range: seen.range, showticklabels: filled })
  if (seen.outside !== null) layout.annotations.push(outsideLabel(seen.outside, seen.range, log, scene.look))
  return layout
}

/** @param {number} value @param {[number, number]} range @param {boolean} log @param {Look} look */
function outsideLabel(value, range, log, look) {
  const above = value > (log ? 10 ** range[1] : range[1])
  return {
    xref: "paper",
    yref: "paper",
    x: 0.01,
    y: above ? 1 : 0,
    xanchor: "left",
    yanchor: above ? "top" : "bottom",
    showarrow: false,
    text: `${above ? "↑" : "↓"} epoch 0: ${three(value)}`,
    font: { size: look.fontSize - 1, color: look.muted },
  }
}

/** @param {Scene} scene */
export function lossFigure(scene) {
  const { run, look, axis, log } = scene
  const train = pointsOf(run, epoch => epoch.train, axis),
    valid = pointsOf(run, epoch => epoch.valid, axis)
  const steps = thin(run.steps.map(point => ({ x: placeStep(run, axis, point), y: point.y })))
  const [trainFirst, ...trainMore] = curve(scene, "train", train, look.train)
  const [validFirst, ...validMore] = curve(scene, "validation", valid, look.valid)
  const data = [
    line("while training", apart(steps, (1.5 * scene.end) / scene.planned), look.train, {
      mode: steps.length < 3 ? "lines+markers" : "lines",
      marker: { color: look.train, size: 4 },
      opacity: 0.35,
      line: { color: look.train, width: 1.2 },
      ...SILENT,
    }),
    trainFirst,
    validFirst,
    ...trainMore,
    ...validMore,
    ...memorisingBand(scene, train, valid),
    ...scene.others.flatMap(other => otherLines(scene, other, epoch => epoch.valid)),
    ...scene.others.flatMap(other => (other.parent ? otherLines(scene, other, epoch => epoch.train, "dot") : [])),
  ]
  const later = [...train, ...valid].filter(point => point.x > 0)
  const start = valid.find(point => point.x === 0)?.y
  const seen = focus(
    (later.length ? later : [...steps, ...valid]).map(point => point.y),
    start,
    log,
  )
  const layout = layoutFor(scene, seen, log, valid.length + steps.length > 0)
  markChanges(scene, layout, true)
  return { data, layout }
}

/**
 * Names stand right of the chart, where no curve can run through them; neighbours are pushed apart.
 * @param {[string, number][]} floors @param {string} label of the metric @param {[number, number]} range
 * @param {boolean} log @param {Look} look
 */
function floorLabels(floors, label, range, log, look) {
  const pixel = look.plotHeight / (range[1] - range[0])
  let last = -Infinity
  return floors
    .toSorted((a, b) => a[1] - b[1])
    .map(([name, value]) => {
      // On a logarithmic axis Plotly places annotations by the exponent.
      const y = log ? Math.log10(value) : value,
        at = y * pixel
      last = Math.max(at, last + look.fontSize + 1)
      return {
        xref: "paper",
        x: 1,
        xanchor: "left",
        xshift: 4,
        yref: "y",
        y,
        yanchor: "middle",
        yshift: last - at,
        showarrow: false,
        text: name,
        font: { size: look.fontSize - 1, color: look.baseline },
        hovertext: `${name}: ${label} ${three(value)}`,
        hoverlabel: { bgcolor: look.surface, bordercolor: look.grid, font: { color: look.text } },
      }
    })
}

/** A baseline, all the way across. @param {string} name @param {number} value @param {Scene} scene */
const floorLine = (name, value, { look, end }) =>
  line(
    name,
    [
      { x: -end, y: value },
      { x: 3 * end, y: value },
    ],
    look.baseline,
    { mode: "lines", line: { color: look.baseline, width: 1.3, dash: "dash" }, ...SILENT },
  )

/** A ring around the best epoch. @param {Scene} scene */
function bestRing({ run, axis, metric, look }) {
  const here = run.best && metric === run.start?.selection_metric
  return line(
    "best",
    here && run.best ? [{ x: placeEpoch(run, axis, run.best.x), y: run.best.value }] : [],
    look.valid,
    {
      mode: "markers",
      cliponaxis: false,
      ...SILENT,
      marker: { color: "rgba(0,0,0,0)", size: look.fontSize, line: { color: look.valid, width: 2 } },
    },
  )
}

/** @param {Scene} scene */
export function metricFigure(scene) {
  const { run, look, axis, metric: key } = scene,
    facts = metricFacts(key, run.start, run.metrics)
  const lower = Boolean(facts.lower_is_better),
    ours = pointsOf(run, epoch => epoch.metrics[key], axis)
  /** @type {[string, number][]} */
  const floors = Object.entries(run.start?.baselines?.valid ?? {}).flatMap(([name, values]) =>
    defined(values[key]) ? [[name, values[key]]] : [],
  )
  const [first, ...more] = curve(scene, "validation", ours, look.valid)
  const data = [
    first,
    ...more,
    ...floors.map(([name, value]) => floorLine(name, value, scene)),
    bestRing(scene),
    ...scene.others.flatMap(other => otherLines(scene, other, epoch => epoch.metrics[key])),
  ]
  const later = ours.filter(point => point.x > 0).map(point => point.y),
    values = floors.map(([, value]) => value)
  const log = lower && spread([...later, ...values])
  const seen =
    scene.closer && later.length ? fromNear(ours, values, lower, log) : focus([...later, ...values], startOf(ours), log)
  const layout = layoutFor(scene, seen, log, ours.length + floors.length > 0)
  layout.margin.r = floors.length ? 6.2 * look.fontSize : MARGIN
  layout.annotations.push(...floorLabels(floors, facts.label, seen.range, log, look))
  markChanges(scene, layout, false)
  return { data, layout }
}

/** @param {import("./axes.js").Point[]} points */
const startOf = points => points.find(point => point.x === 0)?.y

/**
 * Without the steep beginning, the untrained model and all baselines but the hardest.
 * @param {import("./axes.js").Point[]} ours @param {number[]} floors @param {boolean} lower @param {boolean} log
 */
function fromNear(ours, floors, lower, log) {
  const hardest = lower ? Math.min(...floors) : Math.max(...floors),
    far = ours[ours.length - 1].x
  const settled = ours.filter(point => point.x > 0 && point.x >= 0.2 * far).map(point => point.y)
  return focus([...settled, hardest], undefined, log)
}
