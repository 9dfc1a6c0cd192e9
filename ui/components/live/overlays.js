// What is laid over the curves: other runs, the point where a branch left its parent, changes made by hand, memorising.

function otherLines(scene, other, pick, dash = "solid") {
  const points = pointsOf(other.run, pick, scene.axis)
  if (!points.length) return []
  return [line(escapeText(other.title), points, other.colour, {
    mode: "lines", opacity: 0.85, line: { color: other.colour, width: 0.7 * scene.look.lineWidth, dash }, ...(dash === "dot" ? SILENT : {}),
  })]
}

// Between training and validation loss from where validation was best: the part of the gap that is learnt by heart.
function memorisingBand(scene, train, valid) {
  const since = memorisingSince(scene.run)
  if (since === null) return []
  const from = placeEpoch(scene.run, scene.axis, since), inside = p => p.x >= from - 1e-9
  const [low, high] = [train.filter(inside), valid.filter(inside)]
  if (low.length < 2 || high.length < 2) return []
  const bare = { mode: "lines", line: { width: 0, color: scene.look.bad }, ...SILENT }
  return [line("gap from", low, scene.look.bad, bare), line("gap to", high, scene.look.bad, { ...bare, fill: "tonexty", fillcolor: tint(scene.look.bad, 0.13) })]
}

function tint(colour, alpha) {
  const [r, g, b] = [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16))
  return `rgba(${r},${g},${b},${alpha})`
}

// Labels of changes close to one another go down the chart like stairs; there is a row for each.
const MOST_LABELS = 8
function freeRow(labels, x, end) {
  let row = 0
  while (labels.some(label => label.row === row && Math.abs(label.x - x) / end < 0.3)) row += 1
  return row
}

// Thin upright lines where a setting was changed, with words on one chart only; and where a branch begins.
function markChanges(scene, layout, withWords) {
  const { run, look, axis } = scene
  const upright = (x, colour, dash) => ({ type: "line", xref: "x", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, layer: "below", line: { color: colour, width: 1.2, dash } })
  const words = (x, text, colour, row) => ({
    xref: "x", x, yref: "paper", y: 1, yanchor: "top", yshift: -row * (look.fontSize + 2), xanchor: "left", xshift: 3, showarrow: false, text,
    font: { size: look.fontSize - 1, color: colour }, bgcolor: tint(look.background, 0.75), borderpad: 1,
  })
  const branched = run.parent?.epoch
  if (defined(branched)) {
    const x = placeEpoch(run, axis, branched)
    layout.shapes.push(upright(x, look.muted, "dot"))
    if (withWords) layout.annotations.push(words(x, "⤷ branch", look.muted, 0))
  }
  const end = Math.max(axisEnd(run, axis, scene.planned), 1e-9)
  const labels = defined(branched) ? [{ row: 0, x: placeEpoch(run, axis, branched) }] : [], shown = run.marks.slice(-12)
  for (const [index, mark] of shown.entries()) {
    const x = placeStep(run, axis, mark)
    if (!defined(x)) continue
    layout.shapes.push(upright(x, look.primary, "solid"))
    if (!withWords || index < shown.length - MOST_LABELS) continue
    const row = freeRow(labels, x, end)
    labels.push({ row, x })
    const label = words(x, markText(mark), look.primary, row)
    layout.annotations.push(x > 0.72 * end ? { ...label, xanchor: "right", xshift: -3 } : label)
  }
}
