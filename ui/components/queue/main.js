// The queue: a word in the corner of every page that opens to a list, or why one run waits. It asks the server itself.

import { element } from "../shared/dom.js"
import { PREFIX, requestJson, runRoute } from "../shared/server.js"
import { reason, standing, summary } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Waiting} Waiting */

const BUSY = 1000, // milliseconds between two questions while anything is on
  IDLE = 5000
/** @type {WeakMap<HTMLElement, View>} */
const views = new WeakMap()

/** @param {View} view */
async function ask(view) {
  clearTimeout(view.timer)
  try {
    if (document.visibilityState === "visible") {
      view.queue = await requestJson("/api/queue")
      draw(view)
    }
  } catch {
    // The server is restarting, or the network is away: what stood there stays, and it is asked again.
  }
  const wait = summary(view.queue) ? BUSY : IDLE
  clearTimeout(view.timer)
  if (!view.closed) view.timer = setTimeout(() => ask(view), wait)
}

/** @param {View} view @param {Waiting} run @param {string} what @param {object} body */
async function tell(view, run, what, body) {
  const headers = { "Content-Type": "application/json", "X-MF-Explorer-Token": view.data.token }
  view.said = ""
  try {
    await requestJson(`${runRoute(run.id)}/${what}`, { method: "POST", body: JSON.stringify(body), headers })
  } catch (error) {
    view.said = error instanceof Error ? error.message : String(error)
  }
  await ask(view)
}

/**
 * @param {View} view @param {Waiting} run
 * @param {string} label @param {string} title @param {string} what @param {object} body
 */
function action(view, run, label, title, what, body) {
  const button = element("button", { type: "button", textContent: label, title, ariaLabel: `${title}: ${run.title}` })
  button.dataset.does = `${run.id} ${label}`
  button.onclick = () => tell(view, run, what, body)
  return button
}

/** @param {Waiting} run */
const link = run =>
  run.id
    ? element("a", {
        className: "mfx-page",
        href: `${PREFIX}/train?run=${encodeURIComponent(run.id)}`,
        textContent: run.title,
      })
    : element("span", { textContent: run.title })

/** @param {View} view @param {Waiting} run @param {number} [place] among those that wait, from 1 */
function actions(view, run, place = 0) {
  if (!run.own) return []
  const does = (/** @type {string} */ label, /** @type {string} */ title, what = "commands", body = {}) =>
    action(view, run, label, title, what, body)
  const stop = does("Stop", "End it; what it has learned is kept", "commands", { kind: "stop" })
  const hangs = "End its process, which does not answer; it can go on from its last checkpoint"
  if (run.silent_since) return [does("End", hangs, "end")]
  if (run.state === "paused") return [does("Go on", "Go on training", "commands", { kind: "resume" }), stop]
  if (run.state !== "queued")
    return [does("Pause", "Hold it; the next in the queue begins", "commands", { kind: "pause" }), stop]
  const begun = view.queue.waiting.filter(other => other.state === "resuming").length,
    own = place - begun
  const last = place === view.queue.waiting.length
  return [
    own > 1 && does("Next", "Let it begin before your others", "place", { to: 1 }),
    own > 1 && does("↑", "One place earlier", "place", { to: own - 1 }),
    !last && does("↓", "One place later", "place", { to: own + 1 }),
    does("Cancel", "Take it out of the queue", "commands", { kind: "stop" }),
  ]
}

/** @param {View} view @param {string} heading @param {Waiting[]} runs @param {boolean} [numbered] */
function section(view, heading, runs, numbered = false) {
  if (!runs.length) return null
  const rows = runs.map((run, index) =>
    element(
      "li",
      {},
      element("span", {}, numbered && `${index + 1}. `, link(run)),
      element("small", { textContent: standing(run) }),
      element("span", { className: "mfx-does" }, ...actions(view, run, numbered ? index + 1 : 0)),
    ),
  )
  return element("section", { ariaLabel: heading }, element("h2", { textContent: heading }), element("ul", {}, ...rows))
}

/** @param {View} view */
function corner(view) {
  const { queue, open } = view,
    words = summary(queue)
  if (!words) return []
  const [first] = queue.running
  const button = element(
    "button",
    {
      type: "button",
      className: "mfx-queue-chip",
      ariaExpanded: String(open),
      title: "Runs that train, are paused or wait",
    },
    element("i", { dataset: { on: String(queue.running.length > 0) } }),
    words,
    element("b", { style: { width: `${first ? (100 * first.epoch) / Math.max(1, first.epochs) : 0}%` } }),
  )
  button.dataset.does = "open"
  button.onclick = () => toggle(view, !view.open)
  if (!open) return [button]
  const panel = element(
    "div",
    { className: "mfx-queue-panel" },
    section(view, "Training", queue.running),
    section(view, "Paused", queue.paused),
    section(view, "Waiting", queue.waiting, true),
    view.said && element("p", { role: "alert", textContent: view.said }),
  )
  return [button, panel]
}

/** @param {View} view */
function explanation(view) {
  const { text, after, waits } = reason(view.queue, view.data.about)
  if (!text) return []
  const own = view.queue.waiting.find(run => run.id === view.data.about),
    place = own ? view.queue.waiting.indexOf(own) + 1 : 0
  return [
    element(
      "p",
      {},
      text,
      " ",
      after && link(after),
      after && element("small", { textContent: ` ${standing(after)}` }),
    ),
    after && element("span", { className: "mfx-does" }, ...actions(view, after)),
    waits && own && element("span", { className: "mfx-does" }, "This run: ", ...actions(view, own, place)),
    view.said && element("p", { role: "alert", textContent: view.said }),
  ]
}

/** Only where something changed: a button that is being pressed, and the focus, stay. @param {View} view */
function draw(view) {
  const { root, data, queue, open, said } = view,
    shown = JSON.stringify([queue, open, said, data.about])
  if (view.closed || shown === view.drawn) return
  view.drawn = shown
  const focused = document.activeElement instanceof HTMLElement && root.contains(document.activeElement)
  const does = focused ? /** @type {HTMLElement} */ (document.activeElement).dataset.does : undefined
  const parts = data.about ? explanation(view) : corner(view)
  root.dataset.about = String(Boolean(data.about))
  root.replaceChildren(...parts.filter(part => part instanceof Node))
  if (does) /** @type {HTMLElement | null} */ (root.querySelector(`[data-does="${CSS.escape(does)}"]`))?.focus()
}

/** @param {View} view @param {boolean} open */
function toggle(view, open) {
  view.open = open
  draw(view)
}

/** @param {View} view */
function listen(view) {
  const away = (/** @type {Event} */ event) => {
    if (view.open && event.target instanceof Node && event.target.isConnected && !view.root.contains(event.target))
      toggle(view, false)
  }
  const escape = (/** @type {KeyboardEvent} */ event) => {
    if (view.open && event.key === "Escape") toggle(view, false)
  }
  const seen = () => ask(view)
  document.addEventListener("click", away)
  document.addEventListener("keydown", escape)
  document.addEventListener("visibilitychange", seen)
  return () => {
    document.removeEventListener("click", away)
    document.removeEventListener("keydown", escape)
    document.removeEventListener("visibilitychange", seen)
  }
}

/**
 * @param {{ data: import("./types.js").Data, parentElement: HTMLElement }} component
 * @returns {() => void} ends it
 */
export default function show({ data, parentElement }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".mfx-queue"))
  const before = views.get(parentElement)
  const nothing = { running: [], paused: [], waiting: [] }
  /** @type {View} */
  const view = before ?? {
    root,
    data,
    queue: nothing,
    open: false,
    said: "",
    drawn: "",
    timer: undefined,
    closed: false,
  }
  Object.assign(view, { root, data, closed: false })
  views.set(parentElement, view)
  const forget = listen(view)
  ask(view)
  return () => {
    view.closed = true
    clearTimeout(view.timer)
    forget()
  }
}
