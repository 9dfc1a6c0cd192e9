// The watchdog: three numbers that say early whether training is healthy, each with its course.

const SIGNS = [
  ["gradient_norm", "Gradient", value => compact(value), null,
    "Length of the gradient over all parameters. It should fall or stay level; a sudden rise comes before a divergence."],
  ["update_ratio", "Update ratio", value => compact(value), [0.0003, 0.003],
    "How far one step moves the parameters, as a share of their length. About 0.001 is healthy (shaded): far more is restless, far less hardly learns."],
  ["saturated", "Saturated", value => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`, null,
    "Share of predictions beyond the rating scale, or of probabilities that are all but certain. There the gradient says little; near 0 % is healthy."],
]
const SVG = "http://www.w3.org/2000/svg"

const compact = value => (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e5) ? value.toExponential(1) : Number(value.toPrecision(3)).toString())

function drawWatch(view) {
  const { run, part, data, look } = view, seen = SIGNS.filter(([key]) => run.watch.some(p => defined(p[key])))
  part.watch.hidden = Boolean(data.compact) || !seen.length
  if (part.watch.hidden) return
  if (part.watch.dataset.shown !== seen.map(([key]) => key).join()) {
    part.watch.dataset.shown = seen.map(([key]) => key).join()
    part.watch.replaceChildren(...seen.map(makeTile))
  }
  seen.forEach(([key, , words, healthy], index) => {
    const points = thin(run.watch.filter(p => defined(p[key])).map(p => ({ x: p.step, y: p[key] })), 80), last = points.at(-1).y
    const tile = part.watch.children[index], restless = healthy && points.length > 3 && (last > 30 * healthy[1])
    setText(tile.querySelector(".mfx-sign-value"), words(last))
    tile.dataset.restless = String(Boolean(restless))
    spark(tile.querySelector("svg"), points, healthy, key !== "saturated", look)
  })
}

function makeTile([key, title, , , help]) {
  const tile = make("div", { className: "mfx-sign", title: help })
  tile.dataset.sign = key
  const picture = document.createElementNS(SVG, "svg")
  picture.setAttribute("viewBox", "0 0 120 32")
  picture.setAttribute("preserveAspectRatio", "none")
  picture.setAttribute("aria-hidden", "true")
  for (const name of ["rect", "polyline"]) picture.append(document.createElementNS(SVG, name))
  tile.append(make("span", { className: "mfx-label", textContent: title }), make("span", { className: "mfx-sign-value" }), picture)
  return tile
}

// A sparkline; those that run over powers of ten are drawn on a logarithmic scale.
function spark(picture, points, healthy, log, look) {
  const [band, course] = picture.children, scale = v => (log ? Math.log10(Math.max(v, 1e-12)) : v)
  const values = points.map(p => scale(p.y)).concat(healthy ? healthy.map(scale) : log ? [] : [0, 0.02])
  const low = Math.min(...values), high = Math.max(...values), span = Math.max(high - low, log ? 0.3 : 1e-9)
  const y = v => 29 - (26 * (v - low)) / span, first = points[0].x, width = Math.max(points.at(-1).x - first, 1)
  band.setAttribute("visibility", healthy ? "visible" : "hidden")
  if (healthy) {
    const [bottom, top] = healthy.map(v => y(scale(v)))
    for (const [name, value] of Object.entries({ x: 0, width: 120, y: top, height: bottom - top, fill: tint(look.good, 0.16) })) band.setAttribute(name, value)
  }
  course.setAttribute("points", points.map(p => `${((120 * (p.x - first)) / width).toFixed(1)},${y(scale(p.y)).toFixed(1)}`).join(" "))
}
