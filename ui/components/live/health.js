// Three numbers that say early whether training is healthy, each with its course.

import { tint } from "../shared/colours.js"
import { element, setText, svgElement } from "../shared/dom.js"
import { defined } from "../shared/text.js"
import { thin } from "./axes.js"

/** @typedef {import("./types.js").View} View */
/**
 * @typedef {object} Sign
 * @property {"gradient_norm" | "update_ratio" | "saturated"} key
 * @property {string} title
 * @property {(value: number) => string} text
 * @property {boolean} log whether it runs over powers of ten
 * @property {[number, number] | null} healthy the range that is shaded
 * @property {string} help
 */

/** @param {number} value */
function compact(value) {
  const far = value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e5)
  return far ? value.toExponential(1) : Number(value.toPrecision(3)).toString()
}

/** @type {Sign[]} */
const SIGNS = [
  {
    key: "gradient_norm",
    title: "Gradient",
    text: compact,
    log: true,
    healthy: null,
    help:
      "Length of the gradient over all parameters. It should fall or stay level; " +
      "a sudden rise comes before a divergence.",
  },
  {
    key: "update_ratio",
    title: "Update ratio",
    text: compact,
    log: true,
    healthy: [0.0003, 0.003],
    help:
      "How far one step moves the parameters, as a share of their length. About 0.001 is healthy (shaded): " +
      "far more is restless, far less hardly learns.",
  },
  {
    key: "saturated",
    title: "Saturated",
    log: false,
    healthy: null,
    text: value => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`,
    help:
      "Share of predictions beyond the rating scale, or of probabilities that are all but certain. " +
      "There the gradient says little; near 0 % is healthy.",
  },
]
const RESTLESS = 30 // times the upper end of what is healthy
const WIDTH = 120,
  HEIGHT = 32,
  EDGE = 3

/** @param {View} view */
export function drawHealth(view) {
  const { run, part, data, look } = view
  const seen = SIGNS.map(sign => ({ sign, points: pointsOf(run, sign.key) })).filter(({ points }) => points.length)
  part.health.hidden = Boolean(data.compact) || !seen.length
  if (part.health.hidden) return
  const shown = seen.map(({ sign }) => sign.key).join()
  if (part.health.dataset.shown !== shown) {
    part.health.dataset.shown = shown
    part.health.replaceChildren(...seen.map(({ sign }) => makeTile(sign)))
  }
  seen.forEach(({ sign, points }, index) => {
    const tile = part.health.children[index],
      last = points[points.length - 1].y
    setText(tile.querySelector(".mfx-sign-value"), sign.text(last))
    tile.dataset.restless = String(sign.healthy !== null && points.length > 3 && last > RESTLESS * sign.healthy[1])
    drawSparkline(tile.querySelector("svg"), points, sign, tint(look.good, 0.16))
  })
}

/** @param {import("./types.js").Run} run @param {Sign["key"]} key */
const pointsOf = (run, key) =>
  thin(
    run.health.flatMap(point => (defined(point[key]) ? [{ x: point.step, y: point[key] }] : [])),
    80,
  )

/** @param {Sign} sign */
function makeTile({ key, title, help }) {
  const picture = svgElement(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svgElement("rect"),
    svgElement("polyline"),
  )
  const ariaLabel = `${title}: ${help}`
  return element(
    "div",
    // Reached by keyboard and told by screen readers too: a tooltip alone is not.
    { className: "mfx-sign", title: help, tabIndex: 0, role: "group", ariaLabel, dataset: { sign: key } },
    element("span", { className: "mfx-label", textContent: `${title} ⓘ` }),
    element("span", { className: "mfx-sign-value" }),
    picture,
  )
}

/** @param {SVGElement} picture @param {import("./axes.js").Point[]} points @param {Sign} sign @param {string} shade */
function drawSparkline(picture, points, { log, healthy }, shade) {
  const [band, course] = picture.children
  const scale = (/** @type {number} */ value) => (log ? Math.log10(Math.max(value, 1e-12)) : value)
  const values = [...points.map(point => scale(point.y)), ...(healthy?.map(scale) ?? (log ? [] : [0, 0.02]))]
  const low = Math.min(...values),
    span = Math.max(Math.max(...values) - low, log ? 0.3 : 1e-9)
  const y = (/** @type {number} */ value) => HEIGHT - EDGE - ((HEIGHT - 2 * EDGE) * (scale(value) - low)) / span
  const first = points[0].x,
    width = Math.max(points[points.length - 1].x - first, 1)
  band.setAttribute("visibility", healthy ? "visible" : "hidden")
  if (healthy) {
    const [bottom, top] = healthy.map(y),
      box = { x: 0, width: WIDTH, y: top, height: bottom - top, fill: shade }
    for (const [name, value] of Object.entries(box)) band.setAttribute(name, String(value))
  }
  const places = points.map(point => `${((WIDTH * (point.x - first)) / width).toFixed(1)},${y(point.y).toFixed(1)}`)
  course.setAttribute("points", places.join(" "))
}
