// Plotly figures of a run: data and layout, nothing else. The scene says what is shown and how; see sceneOf in draw.js.

import { metricFacts } from "../shared/metrics.js"
import { clamp, defined } from "../shared/text.js"
import { markChanges, memorisingBand, otherLines } from "./annotations.js"
import { AXES, axisEnd, placeEpoch, placeStep, thin } from "./axes.js"
import { apart, curve, DASH, focus, line, pointsOf, SILENT, spread } from "./curves.js"
import { three } from "./words.js"

/** @typedef {import("./types.js").Scene} Scene */
/** @typedef {import("./types.js").Look} Look */
/** @typedef {import("./axes.js").Point} Point */
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
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { family: look.font, size, color: look.muted },
    margin: { l: 4 * size, r: MARGIN, t: 8, b: (compact ? 2.2 : 3) * size },
    hoverlabel: {
      bgcolor: look.surface,
      bordercolor: look.grid,
      font: { color: look.text, size: size + 1 },
      namelength: 24,
    },
    xaxis: { ...common, ...axisLayout(scene) },
    yaxis: {
      ...common,
      range: /** @type {[number, number]} */ ([0, 1]),
      nticks: 6,
      automargin: false,
      tickformat: ".3~g",
    },
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
  const { run, look, axis, log, own } = scene
  const train = pointsOf(run, epoch => epoch.train, axis),
    valid = pointsOf(run, epoch => epoch.valid, axis)
  const steps = thin(run.steps.map(point => ({ x: placeStep(run, axis, point), y: point.y })))
  const [trainFirst, ...trainMore] = curve(scene, "train", train, look.train, { dash: DASH.train, marked: false })
  const [validFirst, ...validMore] = curve(scene, "validation", valid, look.valid)
  const ours = [
    line("while training", apart(steps, (1.5 * axisEnd(run, axis, scene.planned)) / scene.planned), look.train, {
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
  ]
  const data = [
    ...ours.map(one => ({ ...one, visible: own })),
    ...scene.others.flatMap(other => otherLines(scene, other, epoch => epoch.valid, "validation")),
    ...scene.others.flatMap(other =>
      other.parent ? otherLines(scene, other, epoch => epoch.train, "train", DASH.train) : [],
    ),
  ]
  const measured = [
    ...(own ? [train, valid] : []),
    ...scene.others.map(other => pointsOf(other.run, epoch => epoch.valid, axis)),
    ...scene.others.map(other => (other.parent ? pointsOf(other.run, epoch => epoch.train, axis) : [])),
  ]
  const later = laterOf(measured)
  const seen = focus(
    later.length ? later : [...steps, ...valid].map(point => point.y),
    measured.map(startOf).filter(defined),
    log,
  )
  const layout = layoutFor(
    scene,
    seen,
    log,
    data.some(one => one.x.length > 0),
  )
  layout.margin.r = LABELS * look.fontSize
  const ends = own
    ? [endOf("train", train, look.train), endOf("validation", valid, look.valid)].flatMap(end => end ?? [])
    : []
  layout.annotations.push(...endLabels(scene, ends, [], seen.range, log))
  markChanges(scene, layout, true)
  return { data, layout }
}

/**
 * The learning rate: as planned, and how far it has come.
 * @param {Scene} scene
 */
export function rateFigure(scene) {
  const { run, look, axis } = scene
  const planned = run.rates.line.map(([epoch, y]) => ({ x: placeEpoch(run, axis, epoch), y }))
  const now = run.epochs.at(-1)?.x ?? 0,
    done = run.rates.line.filter(([epoch]) => epoch <= now)
  const gone = done.map(([epoch, y]) => ({ x: placeEpoch(run, axis, epoch), y })),
    top = Math.max(...planned.map(point => point.y), 1e-12)
  const data = [
    line("planned", planned, look.muted, {
      mode: "lines",
      line: { color: look.muted, width: 1.2, dash: DASH.baseline, simplify: false },
    }),
    line("so far", gone, look.text, {
      mode: "lines",
      line: { color: look.text, width: look.lineWidth, simplify: false },
      ...SILENT,
    }),
  ]
  const layout = baseLayout({ ...scene, compact: true })
  Object.assign(layout.yaxis, { range: [-0.06 * top, 1.1 * top], nticks: 3 })
  layout.margin.r = LABELS * look.fontSize
  markChanges(scene, layout, false)
  return { data, layout }
}

const LABELS = 6.2 // letters beside a chart

/** @param {Point[][]} curves */
const laterOf = curves => curves.flatMap(points => points.filter(point => point.x > 0).map(point => point.y))

/**
 * @typedef {{ text: string, colour: string, x: number | null, y: number, hovertext?: string }} EndLabel `x`: of the
 * last
 * point; null for a line that goes all the way across
 */

/**
 * The name of a curve at its end.
 * @param {string} text @param {Point[]} points @param {string} colour
 * @returns {EndLabel | null}
 */
function endOf(text, points, colour) {
  const last = points.at(-1)
  return last ? { text, colour, x: last.x, y: last.y } : null
}

/**
 * Names at the ends of curves, and of baselines right of the chart, where no curve can run through them. Neighbours are
 * pushed apart.
 * @param {Scene} scene @param {EndLabel[]} ends @param {EndLabel[]} floors @param {[number, number]} range @param
 * {boolean} log
 */
export function endLabels({ look, end }, ends, floors, range, log) {
  const pixel = look.plotHeight / (range[1] - range[0])
  /** @type {{ left: number, at: number }[]} */
  const placed = []
  return [...ends, ...floors]
    .filter(label => !log || label.y > 0)
    .map(label => ({ ...label, place: log ? Math.log10(label.y) : label.y })) // there Plotly places by the exponent
    .toSorted((a, b) => a.place - b.place)
    .map(({ text, colour, x, place, hovertext }) => {
      const left = x === null ? end : Math.min(x, end),
        wanted = clamp(place, ...range) * pixel
      const beside = placed.filter(other => Math.abs(other.left - left) < 0.25 * end)
      const at = Math.max(wanted, ...beside.map(other => other.at + look.fontSize + 1))
      placed.push({ left, at })
      return {
        ...(x === null ? { xref: "paper", x: 1 } : { xref: "x", x: left }),
        xanchor: "left",
        xshift: x === null ? 4 : 6,
        yref: "y",
        y: clamp(place, ...range),
        yanchor: "middle",
        yshift: at - wanted,
        showarrow: false,
        text,
        font: { size: look.fontSize - 1, color: colour },
        ...(hovertext
          ? { hovertext, hoverlabel: { bgcolor: look.surface, bordercolor: look.grid, font: { color: look.text } } }
          : {}),
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
    { mode: "lines", line: { color: look.baseline, width: 1.3, dash: DASH.baseline }, ...SILENT },
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
      marker: { color: "transparent", size: look.fontSize, line: { color: look.valid, width: 2 } },
    },
  )
}

/** @param {Scene} scene */
export function metricFigure(scene) {
  const { run, look, axis, metric: key, own, others } = scene,
    facts = metricFacts(key, run.start, run.metrics)
  const lower = Boolean(facts.lower_is_better),
    pick = (/** @type {import("./types.js").EpochPoint} */ epoch) => epoch.metrics[key],
    ours = pointsOf(run, pick, axis)
  /** @type {[string, number][]} */
  const floors = Object.entries(run.start?.baselines?.valid ?? {}).flatMap(([name, values]) =>
    defined(values[key]) ? [[name, values[key]]] : [],
  )
  const [first, ...more] = curve(scene, "this run", ours, look.valid)
  const mine = (/** @type {object} */ one) => ({ ...one, visible: own })
  const data = [
    mine(first),
    ...more.map(mine),
    ...floors.map(([name, value]) => floorLine(name, value, scene)),
    mine(bestRing(scene)),
    ...others.flatMap(other => otherLines(scene, other, pick, "validation")),
  ]
  const measured = [...(own ? [ours] : []), ...others.map(other => pointsOf(other.run, pick, axis))],
    later = laterOf(measured),
    values = floors.map(([, value]) => value)
  const log = lower && spread([...later, ...values])
  const near = scene.closer && later.length > 0
  const starts = measured.map(startOf).filter(defined)
  const seen = near ? fromNear(measured, values, lower, log) : focus([...later, ...values], starts, log)
  const layout = layoutFor(scene, seen, log, measured.some(points => points.length > 0) || floors.length > 0)
  layout.margin.r = LABELS * look.fontSize
  const end = own && others.length ? endOf("this run", ours, look.valid) : null
  const beside = floors
    .map(([text, y]) => ({ text, y, x: null, colour: look.baseline, hovertext: `${text}: ${facts.label} ${three(y)}` }))
    .filter(({ y }) => inside(y, seen.range, log))
  layout.annotations.push(...endLabels(scene, end ? [end] : [], beside, seen.range, log))
  markChanges(scene, layout, false)
  return { data, layout }
}

/** @param {number} value @param {[number, number]} range @param {boolean} log */
const inside = (value, range, log) => {
  const place = log ? Math.log10(value) : value
  return place >= range[0] && place <= range[1]
}

/** @param {Point[]} points */
const startOf = points => points.find(point => point.x === 0)?.y

/**
 * Without the steep beginning, the untrained model and all baselines but the hardest.
 * @param {Point[][]} measured a curve for each run that is shown @param {number[]} floors @param {boolean} lower
 * @param {boolean} log
 */
function fromNear(measured, floors, lower, log) {
  const hardest = lower ? Math.min(...floors) : Math.max(...floors)
  const settled = measured.flatMap(points => {
    const far = points.at(-1)?.x ?? 0
    return points.filter(point => point.x > 0 && point.x >= 0.2 * far).map(point => point.y)
  })
  return focus([...settled, hardest], undefined, log)
}
