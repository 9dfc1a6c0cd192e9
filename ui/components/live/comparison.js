// Other runs laid over this one: chosen from a menu, a branch's parent by itself. They are read as this run is, only
// less often.

import { element } from "../shared/dom.js"
import { Refused, requestJson, runRoute } from "../shared/server.js"
import { fold, freshRun } from "./reducer.js"
import { isOver } from "./state.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Overlay} Overlay */

const MOST = 5
const AFTER_FAILURE = 5000 // milliseconds
const ALONE = 1500 // milliseconds between questions when this run is not asked for any more

/** @param {View} view @param {string} id @param {{ title?: string, parent?: boolean }} [known] */
export function lay(view, id, { title, parent = false } = {}) {
  if (id === view.run.runId || view.others.has(id)) return
  const listed = view.data.runs.find(run => run.id === id),
    run = freshRun(id, view.data.metrics)
  view.others.set(id, { id, title: title || listed?.title || id, parent, run, next: 0 })
  view.hidden.delete(id)
  dress(view, id)
  readOverlays(view)
}

/** @param {View} view */
export function layParent(view) {
  const { parent, config } = view.run
  if (!parent || view.data.compact || view.parentLaid === parent.run_id) return
  view.parentLaid = parent.run_id
  lay(view, parent.run_id, { title: config.parent_title, parent: true })
}

/** @param {View} view */
export function readOverlays(view) {
  for (const other of view.others.values()) {
    if (other.busy || performance.now() < other.next) continue
    other.busy = true
    readOverlay(view, other)
      .catch(error => {
        if (error instanceof Refused && error.status === 404) view.others.delete(other.id)
        other.next = performance.now() + AFTER_FAILURE
      })
      .finally(() => {
        other.busy = false
      })
  }
}

/** @param {View} view @param {Overlay} other */
async function readOverlay(view, other) {
  const { run } = other
  /** @type {import("./types.js").EventsAnswer} */
  const found = await requestJson(`${runRoute(other.id)}/events?from=${run.offset}`)
  if (found.config) {
    run.config = found.config
    other.title = found.config.title || other.title
  }
  for (const event of found.events) fold(run, event)
  run.offset = found.next
  const over = isOver(view, found.state)
  other.next = performance.now() + (over ? Infinity : 3 * (view.run.every || 500))
  if (view.closed || !view.others.has(other.id)) return
  if (found.events.length || found.config) view.draw()
  if (!view.polling && !over) setTimeout(() => view.closed || readOverlays(view), ALONE)
}

/**
 * Gives a run the place in the palette that it had on this page before, or the first that is free.
 * @param {Pick<View, "others" | "worn">} view @param {string} id
 */
export function dress({ others, worn }, id) {
  const taken = new Set([...others.keys()].filter(other => other !== id).map(other => worn.get(other)))
  const before = worn.get(id)
  if (before !== undefined && !taken.has(before)) return
  let place = 0
  while (taken.has(place)) place += 1
  worn.set(id, place)
}

/**
 * A colour each; this run itself wears those of its parts.
 * @param {Pick<View, "others" | "worn" | "look">} view
 * @returns {import("./types.js").PaintedOverlay[]}
 */
export const paintOverlays = ({ look, others, worn }) =>
  [...others.values()].map(other => ({ ...other, colour: look.runs[(worn.get(other.id) ?? 0) % look.runs.length] }))

/** @param {View} view @returns {() => void} stops listening */
export function wireCompare(view) {
  const menu = view.part.compare
  const outside = (/** @type {Event} */ event) => {
    if (menu.open && !menu.contains(event.target)) menu.open = false
  }
  menu.ontoggle = () => {
    if (menu.open) fillCompare(view)
  }
  document.addEventListener("pointerdown", outside)
  return () => document.removeEventListener("pointerdown", outside)
}

/** @param {View} view */
function fillCompare(view) {
  const { loss } = view.run.config,
    { others } = view.part
  const runs = view.data.runs.filter(run => run.id !== view.run.runId && (!loss || run.loss === loss))
  if (runs.length) others.replaceChildren(...runs.map(run => compareBox(view, run)))
  else others.replaceChildren(element("p", { textContent: "There is no other run with the same loss yet." }))
}

/** @param {View} view @param {import("./types.js").OtherRun} run */
function compareBox(view, run) {
  const checked = view.others.has(run.id),
    disabled = !checked && view.others.size >= MOST
  const box = element("input", { type: "checkbox", checked, disabled })
  box.onchange = () => {
    if (box.checked) lay(view, run.id)
    else view.others.delete(run.id)
    fillCompare(view)
    view.draw()
  }
  return element(
    "label",
    {},
    box,
    element("span", { textContent: run.title }),
    element("small", { textContent: run.when }),
  )
}

/**
 * Every run on the charts by its name; a click hides its curves or shows them again.
 * @param {View} view @param {import("./types.js").PaintedOverlay[]} others
 */
export function drawLegend(view, others) {
  const { legend } = view.part,
    { run, look, hidden } = view
  const own = others.length ? [{ id: run.runId, title: "This run", colour: look.valid }] : []
  const shown = [...own, ...others]
  const wanted = shown.map(one => `${one.id} ${one.title} ${one.colour} ${hidden.has(one.id)}`).join("|")
  if (legend.dataset.shown === wanted) return
  legend.dataset.shown = wanted
  const focused = document.activeElement?.closest("[data-run]")?.getAttribute("data-run")
  legend.replaceChildren(...shown.map(entry => legendEntry(view, entry)))
  if (focused)
    [...legend.children]
      .find(node => node.dataset.run === focused)
      ?.querySelector("button")
      ?.focus()
}

/** @param {View} view @param {{ id: string, title: string, colour: string }} entry */
function legendEntry(view, { id, title, colour }) {
  const seen = !view.hidden.has(id)
  const name = element("button", {
    type: "button",
    className: "mfx-legend-name",
    textContent: title,
    title: `${title}: click to ${seen ? "hide" : "show"} its curves`,
    ariaPressed: String(seen),
  })
  name.onclick = () => {
    if (seen) view.hidden.add(id)
    else view.hidden.delete(id)
    view.draw()
  }
  const style = { "--mfx-swatch": colour }
  if (id === view.run.runId) return element("span", { style, dataset: { run: id } }, name)
  const away = element("button", {
    type: "button",
    textContent: "×",
    title: "Take it away",
    ariaLabel: `Take ${title} away`,
  })
  away.onclick = () => {
    view.others.delete(id)
    view.draw()
  }
  return element("span", { style, dataset: { run: id } }, name, away)
}
