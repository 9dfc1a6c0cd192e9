// Beside the map: the chosen point with its neighbours, or the picked ones and what they share.

import { element, setText } from "../shared/dom.js"
import { PREFIX } from "../shared/server.js"
import { clamp, defined, median, plural, whole } from "../shared/text.js"
import { fly } from "./camera.js"
import { frameNow, lastFrame } from "./state.js"
import { fixed } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Source} Source */

const MEASURES = { cosine: "cosine", dot: "dot product" }
const MOST_LISTED = 300
/** @type {[words: string, column: import("./types.js").NumberColumn, text: (value: number) => string][]} */
const MEDIANS = [
  ["Median year", "year", value => fixed(value, 0)],
  ["Median number of ratings", "ratings", whole],
  ["Median of the mean rating", "mean", value => fixed(value, 1)],
]

/** @param {View} view */
export function drawPanel(view) {
  const { panel } = view.part,
    rows = [...view.picked]
  const content = !view.source ? null : view.chosen >= 0 ? onePoint(view) : rows.length ? manyPoints(view, rows) : null
  panel.hidden = !content
  view.root.dataset.panel = String(Boolean(content))
  if (content) panel.replaceChildren(closeButton(view), ...content)
  makeRoom(view, content && view.camera.width >= 600 ? panel.offsetWidth : 0)
}

// The map moves aside for the panel, at an eye's pace.
/** @param {View} view @param {number} width */
function makeRoom(view, width) {
  const { camera } = view
  if ((camera.goal?.to.inset ?? camera.inset) === width) return
  fly(camera, { ...(camera.goal?.to ?? {}), inset: width }, performance.now(), view.calm, 350)
  view.settle()
  view.again()
}

/** @param {View} view */
function closeButton(view) {
  const button = element("button", {
    type: "button",
    className: "mfs-close",
    title: "Close (Esc)",
    ariaLabel: "Close",
    textContent: "×",
  })
  button.onclick = () => view.clear()
  return button
}

/** @param {View} view @param {number} row */
export function factsOf(view, row) {
  const { source } = view,
    norm = view.norms()[row]
  return [
    source.genres[row].join(", "),
    [
      defined(source.year[row]) ? String(source.year[row]) : "",
      defined(source.ratings[row]) ? plural(source.ratings[row], "rating") : "",
      defined(source.mean[row]) ? `${fixed(source.mean[row], 1)} on average` : "",
    ]
      .filter(Boolean)
      .join(" · "),
    defined(norm) ? `Length of its vector ${fixed(norm)}` : "",
  ].filter(Boolean)
}

/** @param {View} view */
function onePoint(view) {
  const { source, chosen: row } = view,
    film = row < source.items
  const list = element("ol", { className: "mfs-near" })
  const choice = segments(Object.keys(MEASURES), MEASURES, view.measure, value => {
    view.measure = value
    view.findNear()
  })
  choice.title = "Cosine compares directions; the dot product is what the model predicts with, and favours long vectors"
  for (const { row: other, value } of view.near) {
    const name = element("button", { type: "button", className: "mfs-link", textContent: source.title[other] })
    name.onclick = () => view.choose(other)
    name.onpointerenter = () => view.point(other)
    name.onpointerleave = () => view.point(-1)
    list.append(element("li", {}, name, element("span", { textContent: fixed(value) })))
  }
  const links = element("p", { className: "mfs-links" })
  if (view.data.run_id) {
    const query = new URLSearchParams({
      run: view.data.run_id,
      ...(film ? { find: `By ${view.data.nouns.item}`, film: source.id[row] } : { user: source.id[row] }),
    })
    links.append(
      element("a", {
        href: `${PREFIX}/recommend?${query}`,
        target: "_self",
        textContent: film ? "Who rated it, on Recommend" : "What to recommend them",
      }),
    )
  }
  const epoch = source.epochs.length > 1 ? `, epoch ${source.epochs[frameNow(view)]}` : ""
  return [
    element("h3", { textContent: source.title[row] }),
    ...factsOf(view, row).map(line => element("p", { className: "mfs-facts", textContent: line })),
    links,
    element("h4", { textContent: `Nearest ${view.data.nouns.items} in all ${whole(source.dim)} dimensions${epoch}` }),
    choice,
    view.near.length ? list : element("p", { className: "mfs-facts", textContent: view.nearWords || "…" }),
    element(
      "div",
      { className: "mfs-actions" },
      lastFrame(view) > 0 &&
        action(view.path ? "Hide its path" : "Show its path", "Its way through the epochs", () => {
          view.path = !view.path
          view.redraw()
          view.settle()
        }),
      ...axisActions(view, [row]),
    ),
  ]
}

// The ends of an axis of one's own: one point or several each, whose middle counts.
/** @param {View} view @param {number[]} rows */
function axisActions(view, rows) {
  if (!rows.some(row => row < view.source.items)) return []
  const put = (/** @type {"from" | "to"} */ end) => () => view.setEnd(end, rows)
  return [
    action("Axis from here", "One end of an axis of your own: the middle of what is selected", put("from")),
    action("Axis to here", "The other end of it", put("to")),
  ]
}

/** @param {string} words @param {string} title @param {() => void} does */
function action(words, title, does) {
  const button = element("button", { type: "button", className: "mfs-button", textContent: words, title })
  button.onclick = does
  return button
}

/**
 * @param {string[]} values
 * @param {Record<string, string>} words
 * @param {string} current
 * @param {(value: string) => void} pick
 */
function segments(values, words, current, pick) {
  return element(
    "div",
    { className: "mfs-segments", role: "group" },
    ...values.map(value => {
      const button = element("button", {
        type: "button",
        textContent: words[value],
        ariaPressed: String(value === current),
      })
      button.onclick = () => pick(value)
      return button
    }),
  )
}

// What a set has in common that others have not, in sentences; lift is how many times more frequent a genre is in it.
/** @param {View} view @param {number[]} rows */
function sharedWords(view, rows) {
  const { source } = view,
    films = rows.filter(row => row < source.items),
    all = Array.from({ length: source.items }, (_, row) => row),
    lines = []
  if (!films.length) {
    const usual = whole(median(rows.map(row => source.ratings[row]))),
      { user, users, items: rated } = view.data.nouns
    return [`${plural(rows.length, user, users)}; each rated ${usual} ${rated} at the median.`]
  }
  const tally = new Map()
  for (const row of films) for (const genre of source.genres[row]) tally.set(genre, (tally.get(genre) ?? 0) + 1)
  const usual = (/** @type {string} */ genre) => (source.genreTable.counts.get(genre) ?? 0) / source.items
  const surprise = (/** @type {[string, number]} */ [genre, n]) => {
    const p = usual(genre)
    return (n - films.length * p) / Math.sqrt(films.length * p * (1 - p) + 1e-9)
  }
  const telling = [...tally]
    .filter(one => one[1] > 1 && surprise(one) > 1.64)
    .sort((a, b) => surprise(b) - surprise(a))
    .slice(0, 3)
  for (const [genre, n] of telling)
    lines.push(
      `${n} of ${films.length} are ${genre}: ${fixed(n / films.length / usual(genre), 1)} times as often as among all.`,
    )
  if (source.genreTable.named.length && !telling.length)
    lines.push("No genre is clearly more frequent here than among all.")
  for (const [words, column, text] of MEDIANS) {
    const [here, there] = [median(films.map(row => source[column][row])), median(all.map(row => source[column][row]))]
    if (defined(here)) lines.push(`${words} ${text(here)} (all: ${text(there)}).`)
  }
  return lines
}

/** @param {View} view @param {number[]} rows */
function tableOf(view, rows) {
  const { source } = view,
    body = element("tbody")
  for (const row of rows) {
    const name = element("button", { type: "button", className: "mfs-link", textContent: source.title[row] })
    name.onclick = () => view.choose(row)
    name.onpointerenter = () => view.point(row)
    const cells = [whole(source.ratings[row]), fixed(source.mean[row], 1)].map(textContent =>
      element("td", { textContent }),
    )
    const genres = element("small", { textContent: source.genres[row].join(", ") })
    body.append(element("tr", {}, element("td", {}, name, genres), ...cells))
  }
  const titles = ["Title", "Ratings", "Mean"].map(textContent => element("th", { textContent }))
  return element("table", {}, element("thead", {}, element("tr", {}, ...titles)), body)
}

/** @param {View} view @param {number[]} rows */
function manyPoints(view, rows) {
  const { source } = view,
    { item, items, user, users } = view.data.nouns,
    words = rows.every(row => row < source.items)
      ? [item, items]
      : rows.every(row => row >= source.items)
        ? [user, users]
        : ["point", "points"]
  const sorted = [...rows].sort((a, b) => (source.ratings[b] || 0) - (source.ratings[a] || 0))
  const copy = action("Copy as table", "Tab-separated, for a spreadsheet", async () => {
    await navigator.clipboard?.writeText(asTable(source, sorted)).catch(() => {})
    setText(copy, "Copied")
  })
  return [
    element("h3", { textContent: `${whole(rows.length)} ${words[rows.length === 1 ? 0 : 1]} selected` }),
    element(
      "ul",
      { className: "mfs-shared" },
      ...sharedWords(view, rows).map(line => element("li", { textContent: line })),
    ),
    element(
      "div",
      { className: "mfs-actions" },
      action(view.special.items ? "Show all again" : "Isolate", "Show only these, on axes fitted to them", () =>
        view.isolate(view.special.items ? null : rows),
      ),
      ...axisActions(view, rows),
      copy,
    ),
    tableOf(view, sorted.slice(0, MOST_LISTED)),
    sorted.length > MOST_LISTED
      ? element("p", { className: "mfs-facts", textContent: `and ${whole(sorted.length - MOST_LISTED)} more` })
      : null,
  ].filter(Boolean)
}

/** @param {Source} source @param {number[]} rows */
function asTable(source, rows) {
  const clean = (/** @type {unknown} */ text) => String(text).replace(/[\t\r\n]+/g, " ")
  const lines = rows.map(row =>
    [
      source.id[row],
      source.title[row],
      defined(source.year[row]) ? source.year[row] : "",
      source.genres[row].join("|"),
      source.ratings[row],
      defined(source.mean[row]) ? source.mean[row].toFixed(2) : "",
    ]
      .map(clean)
      .join("\t"),
  )
  return ["id\ttitle\tyear\tgenres\tratings\tmean", ...lines].join("\n")
}

/** @param {View} view @param {number[]} [place] */
export function drawHover(view, place) {
  const { card } = view.part,
    row = view.hover
  card.hidden = row < 0 || !place
  if (card.hidden) return
  card.replaceChildren(
    element("strong", { textContent: view.source.title[row] }),
    ...factsOf(view, row).map(line => element("span", { textContent: line })),
  )
  const { width, height } = view.camera,
    { offsetWidth: wide, offsetHeight: tall } = card,
    [x, y] = place ?? [0, 0]
  const left = x + 16 + wide > width ? x - wide - 14 : x + 16
  const top = y + 14 + tall > height ? y - tall - 10 : y + 14
  card.style.transform = `translate(${clamp(left, 4, width)}px, ${clamp(top, 4, height)}px)`
}
