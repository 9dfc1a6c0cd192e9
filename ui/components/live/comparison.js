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
function lay(view, id, { title, parent = false } = {}) {
  if (id === view.run.runId || view.others.has(id)) return
  const listed = view.data.runs.find(run => run.id === id),
    run = freshRun(id, view.data.metrics)
  view.others.set(id, { id, title: title || listed?.title || id, model: listed?.model, parent, run, next: 0 })
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
    other.model ??= found.config.model
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
 * A colour each: the model's, or if that is taken already or nobody has given it one, the next of the palette that
 *   is free.
 * @param {View} view
 * @returns {import("./types.js").PaintedOverlay[]}
 */
export function paintOverlays(view) {
  const { look } = view,
    taken = new Set()
  return [...view.others.values()].map(other => {
    const first = other.parent ? look.baseline : look[other.model ?? ""]
    const colour = [first, ...look.palette].find(one => one && !taken.has(one)) ?? look.baseline
    taken.add(colour)
    return { ...other, colour }
  })
}

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

/** @param {View} view @param {import("./types.js").PaintedOverlay[]} others */
export function drawLegend(view, others) {
  const { legend } = view.part,
    wanted = others.map(other => `${other.id} ${other.title} ${other.colour}`).join("|")
  if (legend.dataset.shown === wanted) return
  legend.dataset.shown = wanted
  legend.replaceChildren(
    ...others.map(({ id, title, colour }) => {
      const ariaLabel = `Take ${title} away`
      const away = element("button", { type: "button", textContent: "×", title: "Take it away", ariaLabel })
      away.onclick = () => {
        view.others.delete(id)
        view.draw()
      }
      return element(
        "span",
        { title, style: { "--mfx-swatch": colour } },
        element("span", { textContent: title }),
        away,
      )
    }),
  )
}
