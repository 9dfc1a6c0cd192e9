// Plotly figures of a run: data and layout, nothing else. `scene` says what is shown and how; see sceneOf in draw.js.

function baseLayout(scene) {
  const { look, run, compact, axis, end } = scene, size = look.fontSize
  const line = { gridcolor: look.grid, linecolor: look.grid, zeroline: false, tickcolor: look.grid, automargin: true, fixedrange: look.touch }
  const whole = axis !== "time" && end <= 8 ? { dtick: 1 } : {}
  return {
    uirevision: `${run.runId || "idle"} ${axis}`, autosize: true, showlegend: false, hovermode: "x unified",
    dragmode: look.touch ? false : "zoom", paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: look.font, size, color: look.muted }, margin: { l: 4 * size, r: 14, t: 8, b: (compact ? 2.2 : 3) * size },
    hoverlabel: { bgcolor: look.surface, bordercolor: look.grid, font: { color: look.text, size: size + 1 }, namelength: 24 },
    xaxis: {
      ...line, spikecolor: look.muted, spikethickness: 1, spikedash: "dot", range: [-0.02 * end, 1.02 * end], nticks: 8, ...whole,
      tickformat: axis === "step" ? "~s" : "~g", showgrid: false, hoverformat: axis === "step" ? ",.0f" : axis === "time" ? ".3~g" : ".1~f",
      title: compact ? undefined : { text: AXES[axis], standoff: 4, font: { size } },
    },
    yaxis: { ...line, nticks: 6, automargin: false, tickformat: ".3~g" }, annotations: [], shapes: [],
  }
}

function line(name, points, colour, extra = {}) {
  const few = points.length <= 60
  return {
    type: "scatter", name, x: points.map(p => p.x), y: points.map(p => p.y), mode: few ? "lines+markers" : "lines",
    line: { color: colour, width: 2 }, marker: { color: colour, size: 5 }, hovertemplate: "%{y:.4~g}", ...extra,
  }
}

const SILENT = { hoverinfo: "skip", hovertemplate: undefined }

const pointsOf = (run, pick, axis = "epoch") => thin(run.epochs.map(e => ({ x: e[AXIS_KEY[axis]], y: pick(e) })).filter(p => defined(p.y)))

// A curve as drawn: as it is, or with smoothing the measured values faint behind their moving average.
function curve(scene, name, points, colour, extra = {}) {
  const { look, smoothing } = scene, width = look.lineWidth
  const plain = line(name, points, colour, { line: { color: colour, width }, marker: { color: colour, size: 2.5 * width }, ...extra })
  if (!smoothing || points.length < 3) return [plain]
  const raw = { ...plain, ...SILENT, opacity: 0.28, line: { ...plain.line, width: 1.2 }, marker: { color: colour, size: 3 } }
  return [raw, { ...plain, ...line(name, smooth(points, smoothing), colour), mode: "lines", line: plain.line }]
}

// A line is broken where reports lie further apart than `most`: between them nothing was measured.
function apart(points, most) {
  return points.flatMap((p, i) => (i && p.x - points[i - 1].x > most ? [{ x: p.x, y: null }, p] : [p]))
}

function focus(values, start, log) {
  // The range that shows what matters: epoch 0 belongs to it unless the untrained model is so far off that everything
  // later would look flat; then the line comes in from outside and a label says from where.
  const inside = values.filter(v => defined(v) && (!log || v > 0))
  if (!inside.length) return { range: log ? [-1, 1] : [0, 1], outside: false }
  let low = Math.min(...inside), high = Math.max(...inside)
  const span = Math.max(high - low, 0.1 * Math.abs(high), 1e-6)
  const far = defined(start) && (start > high + 3 * span || start < low - 3 * span)
  if (defined(start) && !far && (!log || start > 0)) [low, high] = [Math.min(low, start), Math.max(high, start)]
  if (log) {
    const [a, b] = [Math.log10(low), Math.log10(high)], pad = Math.max(0.06 * (b - a), 0.02)
    return { range: [a - pad, b + pad], outside: far ? start : false }
  }
  const pad = Math.max(0.07 * (high - low), 0.01 * Math.abs(high), 1e-6)
  return { range: [low - pad, high + pad], outside: far ? start : false }
}

// Values that run over so many powers of ten that a linear axis would show one of them.
function spread(values) {
  const positive = values.filter(v => defined(v) && v > 0)
  return positive.length > 1 && Math.max(...positive) > 2000 * Math.min(...positive)
}

const lossSpread = run => spread(run.epochs.flatMap(e => [e.train, e.valid]))

function outsideLabel(value, range, log, look) {
  const above = value > (log ? 10 ** range[1] : range[1])
  return {
    xref: "paper", yref: "paper", x: 0.01, y: above ? 1 : 0, xanchor: "left", yanchor: above ? "top" : "bottom", showarrow: false,
    text: `${above ? "↑" : "↓"} epoch 0: ${three(value)}`, font: { size: look.fontSize - 1, color: look.muted },
  }
}

function lossFigure(scene) {
  const { run, look, axis, log } = scene, layout = baseLayout(scene)
  const train = pointsOf(run, e => e.train, axis), valid = pointsOf(run, e => e.valid, axis)
  const steps = apart(thin(run.steps.map(p => ({ x: placeStep(run, axis, p), y: p.y }))), 1.5 * scene.end / scene.planned), start = valid.find(p => p.x === 0)?.y
  const [trainFirst, ...trainMore] = curve(scene, "train", train, look.train)
  const [validFirst, ...validMore] = curve(scene, "validation", valid, look.valid)
  const data = [
    line("while training", steps, look.train, {
      mode: steps.length < 3 ? "lines+markers" : "lines", marker: { color: look.train, size: 4 }, opacity: 0.35, line: { color: look.train, width: 1.2 }, ...SILENT,
    }),
    trainFirst, validFirst, ...trainMore, ...validMore, ...memorisingBand(scene, train, valid),
    ...scene.others.flatMap(other => otherLines(scene, other, e => e.valid)),
    ...scene.others.filter(other => other.parent).flatMap(other => otherLines(scene, other, e => e.train, "dot")),
  ]
  const later = [...train, ...valid].filter(p => p.x > 0).map(p => p.y)
  const view = focus(later.length ? later : [...steps, ...valid].map(p => p.y), start, log)
  layout.yaxis = { ...layout.yaxis, type: log ? "log" : "linear", range: view.range, showticklabels: valid.length + steps.length > 0 }
  if (view.outside !== false) layout.annotations.push(outsideLabel(view.outside, view.range, log, look))
  markChanges(scene, layout, true)
  return { data, layout }
}

function floorLabels(floors, key, range, log, look) {
  // Names stand right of the chart, where no curve can run through them; neighbours are pushed apart.
  const pixel = look.plotHeight / (range[1] - range[0])
  let last = -Infinity
  return [...floors].sort((a, b) => a[1] - b[1]).map(([name, value]) => {
    // On a logarithmic axis Plotly places annotations by the exponent.
    const y = log ? Math.log10(value) : value
    const at = y * pixel, shown = Math.max(at, last + look.fontSize + 1)
    last = shown
    return {
      xref: "paper", x: 1, xanchor: "left", xshift: 4, yref: "y", y, yanchor: "middle", yshift: shown - at, showarrow: false,
      text: name, font: { size: look.fontSize - 1, color: look.baseline }, hovertext: `${name}: ${metricName(key)} ${three(value)}`,
      hoverlabel: { bgcolor: look.surface, bordercolor: look.grid, font: { color: look.text } },
    }
  })
}

function metricFigure(scene) {
  const { run, look, axis, end, metric: key, closer } = scene, layout = baseLayout(scene)
  const ours = pointsOf(run, e => e.metrics[key], axis), start = ours.find(p => p.x === 0)?.y
  const floors = Object.entries(run.start?.baselines?.valid || {}).filter(([, values]) => defined(values[key]))
  const [first, ...more] = curve(scene, "validation", ours, look.valid)
  const data = [first, ...more]
  for (const [name, values] of floors) {
    data.push(line(name, [{ x: -end, y: values[key] }, { x: 3 * end, y: values[key] }], look.baseline, {
      mode: "lines", line: { color: look.baseline, width: 1.3, dash: "dash" }, ...SILENT,
    }))
  }
  const best = run.best && key === run.start?.selection_metric ? [{ x: placeEpoch(run, axis, run.best.x), y: run.best.value }] : []
  data.push(line("best", best, look.valid, {
    mode: "markers", cliponaxis: false, marker: { color: "rgba(0,0,0,0)", size: look.fontSize, line: { color: look.valid, width: 2 } }, ...SILENT,
  }))
  data.push(...scene.others.flatMap(other => otherLines(scene, other, e => e.metrics[key])))
  const later = ours.filter(p => p.x > 0).map(p => p.y)
  const floorValues = floors.map(([, values]) => values[key])
  const hardest = isError(key) ? Math.min(...floorValues) : Math.max(...floorValues)
  // "Closer" leaves out the steep beginning, the untrained model and all baselines but the hardest.
  const near = closer && later.length > 0
  const settled = ours.filter(p => p.x > 0 && p.x >= 0.2 * ours.at(-1).x).map(p => p.y)
  const log = isError(key) && spread([...later, ...floorValues])
  const view = near ? focus([...settled, ...floorValues.filter(v => v === hardest)], undefined, log) : focus([...later, ...floorValues], start, log)
  layout.yaxis = { ...layout.yaxis, type: log ? "log" : "linear", range: view.range, showticklabels: ours.length + floors.length > 0 }
  layout.margin.r = floors.length ? 6.2 * look.fontSize : 14
  layout.annotations.push(...floorLabels(floors.map(([name, values]) => [name, values[key]]), key, view.range, log, look))
  if (view.outside !== false) layout.annotations.push(outsideLabel(view.outside, view.range, log, look))
  markChanges(scene, layout, false)
  return { data, layout }
}
