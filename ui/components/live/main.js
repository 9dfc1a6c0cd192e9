// The part that lives in the page: one state for each mounted view, drawn anew when events arrive, never rebuilt.

import { isAt } from "../shared/address.js"
import { groundOf } from "../shared/colours.js"
import { calmMotion, element, partsOf, setText } from "../shared/dom.js"
import { listenToKeys } from "../shared/keyboard.js"
import { loadPlotly } from "../shared/plotly.js"
import { projecting, watchProjector } from "../shared/projector.js"
import { PREFIX } from "../shared/server.js"
import { askedOf } from "./address.js"
import { AXES } from "./axes.js"
import { lay, wireCompare } from "./comparison.js"
import { chartTitle, draw } from "./draw.js"
import { schedule } from "./polling.js"
import { freshPicture, repaintBlock, showBlock, wireBlock } from "./rating_block.js"
import { freshRun } from "./reducer.js"
import { isOver } from "./state.js"
import { wireTaking } from "./taking.js"
import { onTransportKey, refuse, wireTransport } from "./transport.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").LiveData} LiveData */

/** @type {WeakMap<HTMLElement, View>} */
const VIEWS = new WeakMap()
const CHARTS = ["loss", "metric", "rate"]
const CAPTION = 44 // pixels of a figure that are not its chart

/**
 * Shows what `data` says in the element it is mounted in; called again for new data, on the same nodes.
 * @param {import("../shared/types.js").Mounted<LiveData>} component
 * @returns {(() => void) | undefined} ends it
 */
export default function show({ data, parentElement, setTriggerValue }) {
  /** @type {HTMLElement | null} */
  const root = parentElement.querySelector(".mfx-live")
  if (!root) return undefined
  const view = VIEWS.get(root) ?? makeView(root, data)
  VIEWS.set(root, view)
  const changed = view.run.runId !== data.run_id
  Object.assign(view, { data, send: setTriggerValue })
  root.dataset.compact = String(Boolean(data.compact))
  readLook(view)
  if (changed) follow(view, data.run_id)
  else if (data.going && data.going !== view.going && isOver(view) && !view.polling) {
    // The same run goes on where it was interrupted; or else it is over all the same, and the page hears so again.
    Object.assign(view, { ended: false, since: performance.now() })
    schedule(view, 0)
  }
  // A short run may be over before it is first asked for; the page around it, drawn for one that is going, has to
  // hear of that.
  if (data.going) view.sawItGoing = true
  view.going = data.going
  if (changed && view.shown) {
    bringIntoView(view)
    view.wantsFocus = Boolean(data.going) && !typing()
  }
  view.shown = true
  view.draw()
  const lost = "The charts could not be loaded; reload the page."
  loadPlotly(PREFIX + data.plotly).then(
    () => view.closed || view.draw(),
    () => setText(view.part.note, lost),
  )
  return () => close(view)
}

/** @param {HTMLElement} root @param {LiveData} data @returns {View} */
function makeView(root, data) {
  const view = freshView(root, data)
  wireOptions(view)
  wireTransport(view)
  for (const name of CHARTS) wireTaking(view, name, () => chartTitle(view, name))
  wireBlock(view)
  const wake = () => {
    if (document.visibilityState === "visible" && view.polling) schedule(view, 0)
  }
  document.addEventListener("visibilitychange", wake)
  const back = () => isAt(view.place) && showAsked(view)
  addEventListener("popstate", back)
  const resizer = new ResizeObserver(() => requestAnimationFrame(() => view.closed || resize(view)))
  resizer.observe(root)
  view.stopListening = [
    wireCompare(view),
    watchProjector(root, () => resize(view)),
    listenToKeys(root, event => onTransportKey(view, event)),
    () => document.removeEventListener("visibilitychange", wake),
    () => removeEventListener("popstate", back),
    () => resizer.disconnect(),
  ]
  return view
}

/** What a view knows before anything is drawn. @param {HTMLElement} root @param {LiveData} data @returns {View} */
function freshView(root, data) {
  /** @type {View} */
  const view = {
    root,
    data,
    part: partsOf(root),
    run: freshRun("", data.metrics),
    look: /** @type {any} */ ({}),
    ramp: null,
    room: 0,
    axis: "epoch",
    metric: "",
    askedMetric: "",
    log: undefined,
    logShown: false,
    closer: false,
    smoothing: 0,
    zoomed: {},
    others: new Map(),
    hidden: new Set(),
    worn: new Map(),
    parentLaid: "",
    branching: null,
    wished: null,
    unfolded: false,
    tipSeen: false,
    wantsFocus: false,
    picture: freshPicture(),
    going: 0,
    shown: false,
    closed: false,
    polling: false,
    busy: false,
    sawItGoing: false,
    ended: false,
    failures: 0,
    since: 0,
    frame: 0,
    stopListening: [],
    draw: () => draw(view),
    send: () => {},
  }
  return view
}

/** @param {View} view */
function wireOptions(view) {
  const { part } = view
  part.scale.onclick = () => change(view, "loss", { log: !view.logShown })
  part.closer.onclick = () => change(view, "metric", { closer: !view.closer })
  part.metric.onchange = () => change(view, "metric", { metric: part.metric.value })
  for (const name of CHARTS) part[`zoom-${name}`].onclick = () => change(view, name, {})
  part.smoothing.oninput = () => {
    view.smoothing = Number(part.smoothing.value)
    view.draw()
  }
  part.axis.replaceChildren(
    ...Object.keys(AXES).map(axis => {
      const button = element("button", { type: "button", textContent: axis, ariaPressed: String(axis === view.axis) })
      button.onclick = () => chooseAxis(view, /** @type {import("./types.js").Axis} */ (axis))
      return button
    }),
  )
}

/**
 * Draws a chart anew with something else shown on it.
 * @param {View} view
 * @param {string} chart
 * @param {Partial<View>} changes
 */
function change(view, chart, changes) {
  Object.assign(view, changes)
  view.zoomed[chart] = false
  view.draw()
}

/** @param {View} view @param {import("./types.js").Axis} axis */
function chooseAxis(view, axis) {
  Object.assign(view, { axis, zoomed: {} })
  pressAxis(view)
  view.draw()
}

/** @param {View} view */
function pressAxis({ part, axis }) {
  for (const button of part.axis.children) button.setAttribute("aria-pressed", String(button.textContent === axis))
}

/** On the projector heights follow the window's; else only widths do. @param {View} view */
function resize(view) {
  if (view.closed) return
  if (view.shown && view.room !== roomOf(view)) {
    readLook(view)
    view.draw()
  }
  repaintBlock(view)
  if (!window.Plotly) return
  for (const name of CHARTS) {
    const node = view.part[`plot-${name}`]
    const fits = node._fullLayout?.width === node.offsetWidth
    if (node.data && node.offsetWidth && !fits) window.Plotly.relayout(node, { autosize: true })
  }
}

/** @param {View} view */
const isLarge = view => projecting() && !view.data.compact
/** @param {View} view */
const roomOf = view => (isLarge(view) ? innerHeight : 0)

/** The page's theme, and how large everything is drawn. @param {View} view */
function readLook(view) {
  const { theme, font } = groundOf(view.root),
    shades = view.data.colours[theme],
    large = isLarge(view),
    { style } = view.root
  view.root.classList.toggle("mfx-stage", !view.data.compact)
  // On the projector everything fits the screen: what bar, captions and sentences leave goes to curves and picture.
  const room = Math.max(340, innerHeight - 386),
    height = large ? Math.round(0.56 * room) + CAPTION : view.data.height
  view.ramp = null
  view.room = roomOf(view)
  view.look = {
    ...shades,
    running: shades.valid,
    dark: theme === "dark",
    font,
    fontSize: large ? 20 : 12,
    lineWidth: large ? 3.5 : 2,
    plotHeight: height - CAPTION,
    pictureHeight: large ? 0.44 * room : 232,
    touch: matchMedia("(pointer: coarse)").matches,
  }
  for (const name of ["grid", "muted", "warning", "bad", "good"]) style.setProperty(`--mfx-${name}`, shades[name])
  style.setProperty("--mfx-height", `${height}px`)
  style.colorScheme = theme
  repaintBlock(view)
}

/** Another run on the same nodes. @param {View} view @param {string} runId */
function follow(view, runId) {
  clearTimeout(view.timer)
  Object.assign(view, {
    run: freshRun(runId, view.data.metrics),
    zoomed: {},
    sawItGoing: false,
    ended: false,
    failures: 0,
    polling: false,
    metric: "",
    log: undefined,
    closer: false,
    others: new Map(),
    hidden: new Set(),
    parentLaid: "",
    branching: null,
    wished: null,
    picture: freshPicture(),
    since: performance.now(),
  })
  for (const canvas of [view.part.known, view.part.believed]) {
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height)
  }
  showBlock(view, Boolean(runId))
  setText(view.part.cell, "")
  setText(view.part.note, "")
  view.part.branch.hidden = true
  showAsked(view)
  for (const input of view.root.querySelectorAll("[data-touched]")) input.removeAttribute("data-touched")
  refuse(view, "")
  if (runId) schedule(view, 0)
}

/** What the address asks for besides the run. @param {View} view */
function showAsked(view) {
  const { axis, log, closer, smoothing, others } = askedOf(view)
  Object.assign(view, { axis, log, closer, smoothing, metric: "", zoomed: {} })
  view.part.smoothing.value = String(smoothing)
  pressAxis(view)
  for (const [id, other] of view.others) if (!other.parent && !others.includes(id)) view.others.delete(id)
  for (const id of others) lay(view, id)
  view.draw()
}

/**
 * On a narrow screen the charts stand below the form: whoever pressed Train there should see them.
 * @param {View} view
 */
function bringIntoView(view) {
  if (view.root.getBoundingClientRect().top < 0.6 * innerHeight || view.data.compact) return
  view.root.scrollIntoView({ behavior: calmMotion() ? "auto" : "smooth", block: "start" })
}

/** Whether somebody types, who is not to lose the keyboard to the run's own button. */
const typing = () => document.activeElement?.matches("input, textarea, select, [contenteditable=true]") ?? false

/** @param {View} view */
function close(view) {
  view.closed = true
  view.polling = false
  clearTimeout(view.timer)
  cancelAnimationFrame(view.frame)
  for (const stop of view.stopListening) stop()
  for (const name of CHARTS) {
    const node = view.part[`plot-${name}`]
    if (window.Plotly && node.data) window.Plotly.purge(node)
    delete node.dataset.listening
  }
  VIEWS.delete(view.root)
}
