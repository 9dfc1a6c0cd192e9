// The map's picture, with its title and its legend: drawn once as SVG, which a browser turns into a PNG of any size.

import { element, svgElement } from "../shared/dom.js"
import { toScreen } from "./camera.js"
import { legendOf } from "./colours.js"
import { axisWords } from "./projection.js"
import { shorten } from "./words.js"
import { lastFrame, tellBriefly, messageOf } from "./state.js"
import { csvOf } from "./shown.js"

/** @typedef {import("./types.js").View} View */

const HEAD = 46 // pixels above the map, for its title
const FOOT = 26 // and below it, for where it comes from
const MOST_SVG = 60000 // points; beyond, the picture is the painted one

/** What the picture shows, in words. @param {View} view */
export function pictureTitle(view) {
  const { data, want, source } = view,
    { items, users } = data.nouns,
    what = { films: items, users, both: `${items} and ${users}` }[want.kinds] ?? items
  const epoch = lastFrame(view) > 0 ? `, epoch ${source.epochs[Math.round(view.time)]}` : ""
  return [data.title, `${what}${epoch}`].filter(Boolean).join(": ")
}

/** @param {View} view @returns {SVGSVGElement} */
export function svgOf(view) {
  const { camera, look, data } = view,
    width = camera.width - camera.inset,
    height = camera.height + HEAD + FOOT,
    family = look.font.replaceAll('"', "'")
  const svg = /** @type {SVGSVGElement} */ (
    svgElement("svg", { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` })
  )
  const said = (/** @type {string} */ words, /** @type {Record<string, any>} */ how) => {
    const node = svgElement("text", { fill: look.ink, "font-family": family, "font-size": 13, ...how })
    node.textContent = words
    return node
  }
  const map = svgElement("svg", { x: 0, y: HEAD, width, height: camera.height })
  svg.append(
    svgElement("rect", { width, height, fill: look.background }),
    said(shorten(pictureTitle(view), 120), { x: 16, y: 28, "font-size": 17, "font-weight": 600 }),
    map,
    said(`MF Explorer · ${data.run_id || data.about.embeddings || ""}`, {
      x: 16,
      y: height - 9,
      "font-size": 11,
      fill: look.muted,
    }),
  )
  drawPoints(view, map)
  drawNames(view, map, said)
  const middle = width / 2
  map.append(said(axisWords(view, 0), { x: middle, y: camera.height - 8, "text-anchor": "middle", fill: look.muted }))
  if (!view.layout) {
    const turned = `translate(14 ${camera.height / 2}) rotate(-90)`
    map.append(said(axisWords(view, 1), { transform: turned, "text-anchor": "middle", fill: look.muted }))
  }
  drawKey(view, map, said)
  return svg
}

/** @param {View} view @param {SVGElement} map */
function drawPoints(view, map) {
  const { camera, places, inks, marks, source } = view,
    at = /** @type {number[]} */ ([])
  const order = view
    .drawn()
    .filter(row => marks[2 * row] > 0)
    .map(row => ({ row, depth: toScreen(camera, places[3 * row], places[3 * row + 1], places[3 * row + 2], at)[2] }))
    .sort((a, b) => view.dim[b.row] - view.dim[a.row] || a.depth - b.depth)
  for (const { row } of order.slice(0, MOST_SVG)) {
    toScreen(camera, places[3 * row], places[3 * row + 1], places[3 * row + 2], at)
    const [x, y] = at.map(value => Math.round(10 * value) / 10),
      radius = (marks[2 * row] / 2) * (camera.depth > 0.5 ? at[3] : 1),
      fill = `rgb(${inks.subarray(4 * row, 4 * row + 3).join()})`,
      how = { fill, "fill-opacity": (inks[4 * row + 3] / 255).toFixed(2) }
    if (x < -9 || y < -9 || x > camera.width - camera.inset + 9 || y > camera.height + 9) continue
    map.append(
      row < source.items
        ? svgElement("circle", { cx: x, cy: y, r: radius.toFixed(1), ...how })
        : svgElement("path", {
            d: `M${x} ${y - radius}l${radius} ${radius}l${-radius} ${radius}l${-radius} ${-radius}z`,
            ...how,
          }),
    )
  }
}

/** @typedef {(words: string, how: Record<string, any>) => SVGElement} Said */

/** @param {View} view @param {SVGElement} map @param {Said} said */
function drawNames(view, map, said) {
  const { camera, places, look } = view
  for (const [row, { text, dx, dy, goal }] of view.labels) {
    if (!goal) continue
    const [x, y] = toScreen(camera, places[3 * row], places[3 * row + 1], places[3 * row + 2], [])
    if (row === view.chosen)
      map.append(svgElement("circle", { cx: x, cy: y, r: 9, fill: "none", stroke: look.primary, "stroke-width": 3 }))
    map.append(
      said(text, {
        x: x + dx,
        y: y + dy + 4,
        stroke: look.background,
        "stroke-width": 4,
        "paint-order": "stroke",
        "stroke-linejoin": "round",
        "font-weight": row === view.chosen ? 700 : 500,
      }),
    )
  }
}

/** The legend. @param {View} view @param {SVGElement} map @param {Said} said */
function drawKey(view, map, said) {
  const { paint, source, look, part } = view
  if (paint.scale) {
    const stops = paint.scale.stops.map((stop, at, all) =>
      svgElement("stop", { offset: at / (all.length - 1), "stop-color": `rgb(${stop})` }),
    )
    const [words, low, high] = ["-title", "-low", "-high"].map(
      name => part.legend.querySelector(`.mfs-legend${name}`)?.textContent ?? "",
    )
    map.append(
      svgElement("linearGradient", { id: "ramp" }, ...stops),
      said(words, { x: 36, y: 22 }),
      svgElement("rect", { x: 36, y: 29, width: 176, height: 10, rx: 3, fill: "url(#ramp)" }),
      said(low, { x: 36, y: 54, fill: look.muted }),
      said(high, { x: 212, y: 54, "text-anchor": "end", fill: look.muted }),
    )
    return
  }
  if (!paint.named.length) return
  legendOf(source, view.rows).forEach(({ genre, place, has }, line) => {
    const y = 18 + 20 * line,
      fill = place < 0 ? `rgb(${look.faint})` : paint.shades[place]
    map.append(
      svgElement("circle", { cx: 41, cy: y, r: 5, fill }),
      said(`${genre || "other"}  ${has}`, { x: 53, y: y + 4.5 }),
    )
  })
}

/** @param {View} view @param {Blob} blob @param {string} ending */
function takeAlong(view, blob, ending) {
  const name = `embeddings-${view.data.run_id || view.data.about.embeddings || "map"}.${ending}`,
    link = element("a", { href: URL.createObjectURL(blob), download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 5000)
}

/** @param {View} view */
const asSvg = view => new Blob([new XMLSerializer().serializeToString(svgOf(view))], { type: "image/svg+xml" })

/** @param {View} view @param {number} times the size on screen @returns {Promise<Blob>} */
export async function pngOf(view, times) {
  const url = URL.createObjectURL(asSvg(view)),
    image = new Image()
  try {
    image.src = url
    await image.decode()
    const canvas = element("canvas", { width: image.width * times, height: image.height * times }),
      context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
    context.scale(times, times)
    context.drawImage(image, 0, 0)
    const blob = await new Promise(done => canvas.toBlob(done))
    if (!blob) throw new Error("The browser cannot make a picture of this size; choose a smaller one.")
    return /** @type {Blob} */ (blob)
  } finally {
    URL.revokeObjectURL(url)
  }
}

/** @param {View} view @param {string} kind png, svg or csv */
export async function save(view, kind) {
  try {
    if (kind === "csv") takeAlong(view, new Blob(["\ufeff", csvOf(view)], { type: "text/csv" }), kind)
    else takeAlong(view, kind === "svg" ? asSvg(view) : await pngOf(view, Number(view.part.times.value)), kind)
  } catch (error) {
    tellBriefly(view, messageOf(error))
  }
}
