// The table behind the map: the points that are lit, with their values, for those who read rather than look.

import { element, setText } from "../shared/dom.js"
import { capital, plural, whole } from "../shared/text.js"
import { columnsOf, litRows } from "./shown.js"

/** @typedef {import("./types.js").View} View */

const MOST_ROWS = 300

/** @param {View} view */
export function drawTable(view) {
  const { part, source, tabled } = view
  part.table.hidden = !tabled || !source
  part.tabled.setAttribute("aria-pressed", String(Boolean(tabled)))
  setText(part.tabled, tabled ? "Map" : "Table")
  if (part.table.hidden) return
  const rows = litRows(view),
    columns = columnsOf(view, rows),
    { item, items } = view.data.nouns,
    words = rows.every(row => row < source.items) ? plural(rows.length, item, items) : plural(rows.length, "point")
  const more = rows.length > MOST_ROWS ? `, the ${MOST_ROWS} most rated of them here; all are in the CSV file` : ""
  const head = columns.map(({ head: textContent, number }) =>
    element("th", { textContent: capital(textContent), scope: "col", dataset: { number: String(number) } }),
  )
  const body = rows
    .slice(0, MOST_ROWS)
    .map(row => element("tr", {}, ...columns.map(column => cellOf(view, column, row))))
  part.table.replaceChildren(
    element(
      "table",
      {},
      element("caption", {
        textContent: `${capital(words)}${view.picked.size ? " selected" : " lit on the map"}${more}.`,
      }),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body),
    ),
  )
  part.table.ariaLabel = `Table of ${whole(rows.length)} points`
}

/** @param {View} view @param {import("./shown.js").Column} column @param {number} row */
function cellOf(view, { head, cells, number }, row) {
  const words = String(cells(row))
  if (head !== "title") return element("td", { textContent: words, dataset: { number: String(number) } })
  const name = element("button", { type: "button", className: "mfs-link", textContent: words })
  name.onclick = () => view.choose(row)
  return element("td", {}, name)
}
