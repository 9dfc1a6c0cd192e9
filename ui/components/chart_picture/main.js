// Two buttons that take a chart of the page along, as a picture of pixels or of lines.

import { element, setText } from "../shared/dom.js"
import { loadPlotly } from "../shared/plotly.js"
import { PREFIX } from "../shared/server.js"
import { pictureLayout, pictureTrace } from "./picture.js"

/** @typedef {{chart: string, file: string, plotly: string, ground: string}} PictureData */

const KINDS = { png: "Picture (PNG)", svg: "Drawing (SVG)" }

/**
 * @param {import("../shared/types.js").Mounted<PictureData>} component
 */
export default function show({ data, parentElement }) {
  const root = /** @type {HTMLElement | null} */ (parentElement.querySelector(".mfx-picture-buttons"))
  if (!root) return undefined
  const note = element("span", { className: "mfx-picture-note", role: "status" })
  const buttons = Object.entries(KINDS).map(([format, words]) =>
    element("button", { type: "button", className: "mfx-button", onclick: () => void take(data, format, note) }, words),
  )
  root.replaceChildren(...buttons, note)
  return undefined
}

/**
 * Downloads the chart as it stands, zoom included.
 * @param {PictureData} data
 * @param {string} format
 * @param {HTMLElement} note
 */
async function take(data, format, note) {
  const chart = /** @type {any} */ (document.querySelector(`.st-key-${CSS.escape(data.chart)} .js-plotly-plot`))
  if (!chart?.data) return setText(note, "The chart is not on the page any more.")
  setText(note, "")
  try {
    const plotly = await loadPlotly(PREFIX + data.plotly)
    const { width, height } = chart.getBoundingClientRect()
    const layout = pictureLayout(chart.layout, chart.data, { width, height, ground: data.ground })
    const size = { width: layout.width, height: layout.height, scale: format === "png" ? 2 : 1 }
    const href = await plotly.toImage({ data: chart.data.map(pictureTrace), layout }, { format, ...size })
    // Inside the popover: a click anywhere else would close it.
    const link = element("a", { href, download: `${data.file}.${format}`, hidden: true })
    note.append(link)
    link.click()
    link.remove()
  } catch {
    setText(note, "The picture could not be made; reload the page.")
  }
  return undefined
}
