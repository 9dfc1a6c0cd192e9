// Plotly figures of a run: data and layout, nothing else.

function baseLayout(look, runId, planned, compact) {
  const axis = { gridcolor: look.grid, linecolor: look.grid, zeroline: false, tickcolor: look.grid, automargin: true, fixedrange: look.touch }
  return {
    uirevision: runId || "idle", autosize: true, showlegend: false, hovermode: "x unified",
    dragmode: look.touch ? false : "zoom", paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: look.font, size: 12, color: look.muted }, margin: { l: 48, r: 14, t: 8, b: compact ? 26 : 36 },
    hoverlabel: { bgcolor: look.surface, bordercolor: look.grid, font: { color: look.text } },
    xaxis: {
      ...axis, spikecolor: look.muted, spikethickness: 1, spikedash: "dot", range: [-0.02 * planned, 1.02 * planned], nticks: 8, dtick: planned <= 8 ? 1 : undefined, tickformat: "~g", showgrid: false, hoverformat: ".1~f",
      title: compact ? undefined : { text: "epoch", standoff: 4, font: { size: 12 } },
    },
    yaxis: { ...axis, nticks: 6, automargin: false, tickformat: ".3~g" }, annotations: [],
  }
}

function line(name, points, colour, extra = {}) {
  const few = points.length <= 60
  return {
    type: "scatter", name, x: points.map(p => p.x), y: points.map(p => p.y), mode: few ? "lines+markers" : "lines",
    line: { color: colour, width: 2 }, marker: { color: colour, size: 5 }, hovertemplate: "%{y:.4~g}", ...extra,
  }
}

const pointsOf = (run, pick) => thin(run.epochs.map(e => ({ x: e.x, y: pick(e) })).filter(p => defined(p.y)))

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
    text: `${above ? "↑" : "↓"} epoch 0: ${three(value)}`, font: { size: 11, color: look.muted },
  }
}

function lossFigure(run, look, planned, log, compact) {
  const layout = baseLayout(look, run.runId, planned, compact)
  const train = pointsOf(run, e => e.train), valid = pointsOf(run, e => e.valid)
  const steps = thin(run.steps), start = valid.find(p => p.x === 0)?.y
  const data = [
    line("while training", steps, look.train, {
      mode: steps.length < 3 ? "lines+markers" : "lines", marker: { color: look.train, size: 4 }, opacity: 0.35, line: { color: look.train, width: 1.2 }, hoverinfo: "skip", hovertemplate: undefined,
    }),
    line("train", train, look.train), line("validation", valid, look.valid),
  ]
  const later = [...train, ...valid].filter(p => p.x > 0).map(p => p.y)
  const view = focus(later.length ? later : [...steps, ...valid].map(p => p.y), start, log)
  layout.yaxis = { ...layout.yaxis, type: log ? "log" : "linear", range: view.range, showticklabels: valid.length + steps.length > 0 }
  if (view.outside !== false) layout.annotations.push(outsideLabel(view.outside, view.range, log, look))
  return { data, layout }
}

function floorLabels(floors, key, range, log, look) {
  // Names stand right of the chart, where no curve can run through them; neighbours are pushed apart.
  const pixel = look.plotHeight / (range[1] - range[0])
  let last = -Infinity
  return [...floors].sort((a, b) => a[1] - b[1]).map(([name, value]) => {
    // On a logarithmic axis Plotly places annotations by the exponent.
    const y = log ? Math.log10(value) : value
    const at = y * pixel, shown = Math.max(at, last + 13)
    last = shown
    return {
      xref: "paper", x: 1, xanchor: "left", xshift: 4, yref: "y", y, yanchor: "middle", yshift: shown - at, showarrow: false,
      text: name, font: { size: 11, color: look.baseline }, hovertext: `${name}: ${metricName(key)} ${three(value)}`,
      hoverlabel: { bgcolor: look.surface, bordercolor: look.grid, font: { color: look.text } },
    }
  })
}

function metricFigure(run, look, planned, key, closer, compact) {
  const layout = baseLayout(look, run.runId, planned, compact)
  const ours = pointsOf(run, e => e.metrics[key]), start = ours.find(p => p.x === 0)?.y
  const floors = Object.entries(run.start?.baselines?.valid || {}).filter(([, values]) => defined(values[key]))
  const data = [line("validation", ours, look.valid)]
  for (const [name, values] of floors) {
    data.push(line(name, [{ x: -planned, y: values[key] }, { x: 3 * planned, y: values[key] }], look.baseline, {
      mode: "lines", line: { color: look.baseline, width: 1.3, dash: "dash" }, hoverinfo: "skip", hovertemplate: undefined,
    }))
  }
  const best = run.best && key === run.start?.selection_metric ? [{ x: run.best.x, y: run.best.value }] : []
  data.push(line("best", best, look.valid, {
    mode: "markers", hoverinfo: "skip", hovertemplate: undefined, cliponaxis: false,
    marker: { color: "rgba(0,0,0,0)", size: 12, line: { color: look.valid, width: 2 } },
  }))
  const later = ours.filter(p => p.x > 0).map(p => p.y)
  const floorValues = floors.map(([, values]) => values[key])
  const hardest = isError(key) ? Math.min(...floorValues) : Math.max(...floorValues)
  // "Closer" leaves out the steep beginning, the untrained model and all baselines but the hardest.
  const near = closer && later.length > 0
  const settled = ours.filter(p => p.x > 0 && p.x >= 0.2 * ours.at(-1).x).map(p => p.y)
  const log = isError(key) && spread([...later, ...floorValues])
  const view = near ? focus([...settled, ...floorValues.filter(v => v === hardest)], undefined, log) : focus([...later, ...floorValues], start, log)
  layout.yaxis = { ...layout.yaxis, type: log ? "log" : "linear", range: view.range, showticklabels: ours.length + floors.length > 0 }
  layout.margin.r = floors.length ? 74 : 14
  layout.annotations.push(...floorLabels(floors.map(([name, values]) => [name, values[key]]), key, view.range, log, look))
  if (view.outside !== false) layout.annotations.push(outsideLabel(view.outside, view.range, log, look))
  return { data, layout }
}
