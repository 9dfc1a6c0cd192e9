// What is laid over the curves: other runs, the point where a branch left its parent, changes made by hand, memorising.

import { tint } from "../shared/colours.js"
import { defined } from "../shared/text.js"
import { axisEnd, placeEpoch, placeStep } from "./axes.js"
import { curve, line, pointsOf, SILENT, sparse } from "./curves.js"
import { markText, memorisingSince } from "./messages.js"
import { escapeText } from "./words.js"

/** @typedef {import("./types.js").Scene} Scene */
/** @typedef {import("./axes.js").Point} Point */

/**
 * The curve of another run, drawn as this run's own is.
 * @param {Scene} scene
 * @param {import("./types.js").PaintedOverlay} other
 * @param {(epoch: import("./types.js").EpochPoint) => number | undefined} pick
 * @param {string} part that is measured
 * @param {string} [dash]
 */
export function otherLines(scene, other, pick, part, dash) {
  const points = pointsOf(other.run, pick, scene.axis)
  if (!points.length) return []
  const style = { dash, width: 0.7 * scene.look.lineWidth, marked: false }
  return curve(scene, `${escapeText(other.title)}, ${part}`, points, other.colour, style)
}

/**
 * Between training and validation loss from where validation was best: the part of the gap that is learnt by heart.
 * @param {Scene} scene @param {Point[]} train @param {Point[]} valid
 */
export function memorisingBand(scene, train, valid) {
  const since = memorisingSince(scene.run)
  if (since === null) return []
  const from = placeEpoch(scene.run, scene.axis, since)
  const [low, high] = [train, valid].map(points => sparse(points, scene.stride).filter(point => point.x >= from - 1e-9))
  if (low.length < 2 || high.length < 2) return []
  const { bad } = scene.look,
    bare = { mode: "lines", line: { width: 0, color: bad }, ...SILENT }
  return [
    line("gap from", low, bad, bare),
    line("gap to", high, bad, { ...bare, fill: "tonexty", fillcolor: tint(bad, 0.13) }),
  ]
}

const MOST_MARKS = 12
const MOST_LABELS = 8
const CLOSE = 0.3 // of the axis: labels nearer than that do not stand in one row

/**
 * Labels of changes close to one another go down the chart like stairs; there is a row for each.
 * @param {{ row: number, x: number }[]} labels @param {number} x @param {number} end
 */
export function freeRow(labels, x, end) {
  let row = 0
  while (labels.some(label => label.row === row && Math.abs(label.x - x) / end < CLOSE)) row += 1
  return row
}

/** @param {number} x @param {string} colour @param {string} dash */
const upright = (x, colour, dash) => ({
  type: "line",
  xref: "x",
  x0: x,
  x1: x,
  yref: "paper",
  y0: 0,
  y1: 1,
  layer: "below",
  line: { color: colour, width: 1.2, dash },
})

/**
 * @param {import("./types.js").Look} look
 * @param {number} x
 * @param {string} text
 * @param {string} colour
 * @param {number} row
 */
const label = (look, x, text, colour, row) => ({
  xref: "x",
  x,
  yref: "paper",
  y: 1,
  yanchor: "top",
  yshift: -row * (look.fontSize + 2),
  xanchor: "left",
  xshift: 3,
  showarrow: false,
  text,
  font: { size: look.fontSize - 1, color: colour },
  bgcolor: tint(look.background, 0.75),
  borderpad: 1,
})

/**
 * Thin upright lines where a setting was changed, with words on one chart only; and where a branch begins.
 * @param {Scene} scene
 * @param {{ shapes: object[], annotations: object[] }} layout is added to
 * @param {boolean} withWords
 */
export function markChanges(scene, layout, withWords) {
  const { run, look, axis } = scene,
    end = Math.max(axisEnd(run, axis, scene.planned), 1e-9)
  /** @type {{ row: number, x: number }[]} */
  const taken = []
  const branched = run.parent?.epoch
  if (defined(branched)) {
    const x = placeEpoch(run, axis, branched)
    layout.shapes.push(upright(x, look.muted, "dot"))
    if (withWords) layout.annotations.push(label(look, x, "⤷ branch", look.muted, 0))
    taken.push({ row: 0, x })
  }
  const shown = run.marks.slice(-MOST_MARKS)
  for (const [index, mark] of shown.entries()) {
    const x = placeStep(run, axis, mark)
    if (!defined(x)) continue
    layout.shapes.push(upright(x, look.primary, "solid"))
    if (!withWords || index < shown.length - MOST_LABELS) continue
    const row = freeRow(taken, x, end)
    taken.push({ row, x })
    const words = label(look, x, escapeText(markText(run, mark)), look.accent, row)
    layout.annotations.push(x > 0.72 * end ? { ...words, xanchor: "right", xshift: -3 } : words)
  }
}
