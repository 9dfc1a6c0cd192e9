// What stands behind a chart, to be read and taken along: its numbers as a table and as CSV, itself as a picture.

import { element } from "../shared/dom.js"
import { csv, defined } from "../shared/text.js"
import { rateText } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {{ name: string, x: (number | null)[], y: (number | null)[], mode?: string, visible?: boolean }} Trace */
/** @typedef {{ head: string[], rows: (number | null)[][] }} Table */

const SCALE = 3 // a picture's pixels to one of the screen

/**
 * The numbers of the curves that are shown, a row for each place on the horizontal axis and a column for each curve.
 * Of a
 * smoothed one those that were measured, and its average beside them.
 * @param {object[]} traces @param {string} axis what the horizontal axis is
 * @returns {Table}
 */
export function tableOf(traces, axis) {
  const curves = /** @type {Trace[]} */ (traces).filter(
    one => one.visible !== false && one.x.length > 0 && !HELPERS.includes(one.name) && one.y.some(defined),
  )
  /** @type {Map<number, (number | null)[]>} */
  const rows = new Map()
  /** @type {Map<number, number | null>} */
  const across = new Map()
  /** @type {string[]} */
  const head = []
  for (const { name, x, y } of curves) {
    const column = head.push(head.includes(name) ? `${name}, smoothed` : name) - 1
    if ((x[0] ?? 0) < 0) {
      across.set(column, y[0]) // a baseline, the same everywhere
      continue
    }
    x.forEach((place, index) => {
      if (!defined(place)) return
      const row = rows.get(place) ?? []
      row[column] = y[index]
      rows.set(place, row)
    })
  }
  const places = [...rows.keys()].toSorted((a, b) => a - b)
  return {
    head: [axis, ...head],
    rows: places.map(place => [
      place,
      ...head.map((_, column) => across.get(column) ?? rows.get(place)?.[column] ?? null),
    ]),
  }
}

const HELPERS = ["gap from", "gap to", "best"]

/** @param {Table} table */
export const csvOf = ({ head, rows }) => csv([head, ...rows])

/** @param {View} view @param {string} name of the chart @param {string} title */
function tableNow(view, name, title) {
  const node = view.part[`plot-${name}`],
    { head, rows } = tableOf(node.data ?? [], view.axis)
  const cells = (/** @type {(number | null)[]} */ row) =>
    row.map((value, index) =>
      element(index ? "td" : "th", index ? {} : { scope: "row" }, index ? precise(value) : rateText(value)),
    )
  return element(
    "table",
    {},
    element("caption", { className: "mfx-hidden", textContent: title }),
    element("thead", {}, element("tr", {}, ...head.map(text => element("th", { scope: "col", textContent: text })))),
    element("tbody", {}, ...rows.map(row => element("tr", {}, ...cells(row)))),
  )
}

/** @param {number | null} value */
const precise = value => (defined(value) ? Number(value.toPrecision(6)).toString() : "–")

/** @param {View} view @param {string} name @param {string} ending */
const fileName = (view, name, ending) => `${view.run.runId || "run"}-${name}.${ending}`

/** @param {string} file @param {string} address */
function download(file, address) {
  const link = element("a", { href: address, download: file })
  link.click()
}

/** @param {View} view @param {string} name */
function takeNumbers(view, name) {
  const text = csvOf(tableOf(view.part[`plot-${name}`].data ?? [], view.axis))
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }))
  download(fileName(view, name, "csv"), address)
  setTimeout(() => URL.revokeObjectURL(address), 1000)
}

/**
 * The chart as it stands, on the page's own ground and with its title.
 * @param {View} view @param {string} name @param {string} title @param {"png" | "svg"} format
 */
async function takePicture(view, name, title, format) {
  const node = view.part[`plot-${name}`],
    { look } = view
  const [width, height] = [node.offsetWidth, Math.max(node.offsetHeight, 160) + 30]
  const layout = {
    ...node.layout,
    width,
    height,
    title: { text: title, font: { size: look.fontSize + 2, color: look.text }, x: 0.02, y: 0.97, yanchor: "top" },
    margin: { ...node.layout.margin, t: 34 },
    paper_bgcolor: look.background,
    showlegend: node.data.some((/** @type {Trace} */ one) => one.name.includes(", ")),
  }
  const figure = { data: node.data, layout }
  const address = await window.Plotly?.toImage(figure, { format, width, height, scale: format === "png" ? SCALE : 1 })
  if (address) download(fileName(view, name, format), address)
}

/**
 * The menu of a chart: its table, and what can be taken along.
 * @param {View} view @param {string} name @param {() => string} title
 */
export function wireTaking(view, name, title) {
  const menu = view.part[`take-${name}`],
    table = view.part[`table-${name}`]
  const show = element("button", { type: "button", textContent: "Show as table", ariaPressed: "false" })
  show.onclick = () => {
    table.hidden = !table.hidden
    menu.open = false
    drawTable(view, name, title())
    show.ariaPressed = String(!table.hidden)
    show.textContent = table.hidden ? "Show as table" : "Hide the table"
  }
  const take = (/** @type {string} */ words, /** @type {() => unknown} */ act) => {
    const button = element("button", { type: "button", textContent: words })
    button.onclick = () => {
      menu.open = false
      return act()
    }
    return button
  }
  menu.querySelector("div").replaceChildren(
    show,
    take("Picture (PNG)", () => takePicture(view, name, title(), "png")),
    take("Drawing (SVG)", () => takePicture(view, name, title(), "svg")),
    take("Numbers (CSV)", () => takeNumbers(view, name)),
  )
  menu.onkeydown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !menu.open) return
    menu.open = false
    menu.querySelector("summary").focus()
    event.stopPropagation()
  }
  menu.onfocusout = (/** @type {FocusEvent} */ event) => {
    if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) menu.open = false
  }
}

/** The table again, where it is shown. @param {View} view @param {string} name @param {string} title */
export function drawTable(view, name, title) {
  const table = view.part[`table-${name}`]
  if (table.hidden) return
  table.setAttribute("aria-label", `${title} as a table`)
  table.replaceChildren(tableNow(view, name, title))
}
