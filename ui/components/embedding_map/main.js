// One state for each mounted map: made once, given new data, ended.

import { placeOf } from "../shared/address.js"
import { bytesOf, groundOf } from "../shared/colours.js"
import { calmMotion, partsOf } from "../shared/dom.js"
import { projecting, watchProjector } from "../shared/projector.js"
import { makeCamera } from "./camera.js"
import { fillControls, listenToControls, search } from "./controls.js"
import { drawingActions } from "./frame.js"
import { listenToPointer } from "./gestures.js"
import { listenToMapKeys } from "./keyboard.js"
import { showLayout } from "./layouts.js"
import { listenToMenus } from "./menus.js"
import { makePainter } from "./points.js"
import { goBack, stateOf, writeAddress } from "./restore.js"
import { choosingActions } from "./selection.js"
import { adopt, open } from "./updates.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").MapData} MapData */
/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./types.js").Special} Special */

/** @type {WeakMap<HTMLElement, View>} */
const VIEWS = new WeakMap()

/**
 * Shows what `data` says in the element it is mounted in; called again for new data, on the same nodes.
 * @param {import("../shared/types.js").Mounted<MapData>} component
 * @returns {(() => void) | undefined} ends it
 */
export default function show({ data, parentElement, setTriggerValue }) {
  /** @type {HTMLElement | null} */
  const root = parentElement.querySelector(".mfs-space")
  if (!root) return undefined
  const known = VIEWS.get(root),
    view = known ?? makeView(root)
  VIEWS.set(root, view)
  const changed = view.data?.key !== data.key
  Object.assign(view, { data, send: setTriggerValue })
  const repaint = readLook(view)
  measure(view)
  if (changed) view.place = placeOf(data.about)
  if (changed) open(view)
  else if (view.source) {
    if (repaint) view.dress()
    writeAddress(view)
    view.again()
  }
  return () => close(view)
}

/** What a map begins with; the rest comes with its data and its source. @param {HTMLElement} root */
function freshState(root) {
  const part = partsOf(root),
    painter = makePainter(part.points, root.dataset.plain === "true")
  part.points = root.querySelector("[data-part=points]") // without WebGL the painter has put another in its place
  return {
    root,
    part,
    painter,
    look: {},
    camera: makeCamera(),
    picked: new Set(),
    near: [],
    nearOf: "",
    found: [],
    labels: new Map(),
    ends: {},
    tabled: false,
    popular: [],
    chosen: -1,
    hover: -1,
    focused: -1,
    cursor: -1,
    time: 0,
    goalTime: null,
    ticked: null,
    special: {},
    speed: 1,
    loop: true,
    path: true,
    measure: "cosine",
    following: true,
    calm: calmMotion(),
    timers: {},
    request: null,
    stepped: 0,
    relabelled: 0,
    drawnFrames: 0,
    share: 1,
    patience: 0,
    layout: null,
    making: null,
    score: null,
    morph: null,
    gesture: null,
    want: {
      kinds: "films",
      dims: 2,
      x: 0,
      y: 1,
      z: 2,
      colour: "genre",
      genre: null,
      tool: "move",
      trails: "auto",
      labels: true,
      sized: true,
      find: "",
    },
  }
}

/** @param {HTMLElement} root @returns {View} */
function makeView(root) {
  const view = /** @type {View} */ (/** @type {unknown} */ (freshState(root)))
  const { part } = view
  Object.assign(view, drawingActions(view), choosingActions(view), {
    fillControls: () => fillControls(view),
    showLayout: (/** @type {string | null} */ method) => showLayout(view, method),
    adopt: (/** @type {Source} */ source, /** @type {Special} */ special) => adopt(view, source, special),
    search: () => search(view, view.want.find),
    state: () => stateOf(view),
  })
  root.dataset.painter = view.painter.kind
  listenToPointer(view)
  listenToControls(view)
  const resizer = new ResizeObserver(() => measure(view))
  resizer.observe(part.stage)
  const back = () => void goBack(view)
  addEventListener("popstate", back)
  part.points.addEventListener("webglcontextlost", (/** @type {Event} */ event) => event.preventDefault())
  part.points.addEventListener("webglcontextrestored", () => {
    view.painter = makePainter(part.points)
    view.dress()
    view.again()
  })
  view.stopListening = [
    listenToMapKeys(view),
    listenToMenus(root),
    watchProjector(root, () => {
      measure(view)
      if (view.source) view.dress()
    }),
    () => resizer.disconnect(),
    () => removeEventListener("popstate", back),
  ]
  Object.assign(root, { mfsView: view }) // for tests and the console
  return view
}

/** @param {View} view */
function measure(view) {
  const { part, camera, look } = view,
    width = part.stage.clientWidth,
    height = part.stage.clientHeight
  if (!width || !height) return
  look.ratio = Math.min(devicePixelRatio || 1, 2)
  view.big = projecting()
  view.root.dataset.big = String(view.big)
  look.text = view.big ? 18 : width < 600 ? 11 : 12.5
  const changed = camera.width !== width || camera.height !== height
  Object.assign(camera, { width, height })
  for (const canvas of [part.points, part.overlay]) {
    const size = { width: Math.round(width * look.ratio), height: Math.round(height * look.ratio) }
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size)
  }
  if (changed && view.source) view.renew({ still: true })
  view.again(true)
}

/** Reads the page's theme; true when it is another than before. @param {View} view */
function readLook(view) {
  const { theme, background, ground, font } = groundOf(view.root),
    shades = view.data.colours[theme]
  const changed = view.look.theme !== theme || view.look.background !== background
  Object.assign(view.look, {
    theme,
    background,
    ground,
    ink: shades.text,
    soft: shades.text,
    muted: shades.muted,
    grid: shades.grid,
    primary: shades.primary,
    accent: shades.accent,
    scales: shades.scales,
    font,
    faint: bytesOf(shades.muted),
    one: bytesOf(shades.palette[0]),
    users: bytesOf(shades.text),
    ratio: view.look.ratio ?? 1,
    text: view.look.text ?? 12.5,
  })
  for (const name of ["grid", "muted", "surface", "good"]) view.root.style.setProperty(`--mfs-${name}`, shades[name])
  return changed
}

/** @param {View} view */
function close(view) {
  view.closed = true
  view.abort?.abort()
  for (const timer of Object.values(view.timers)) clearTimeout(timer)
  if (view.request) cancelAnimationFrame(view.request)
  for (const stop of view.stopListening) stop()
  view.painter.gl?.getExtension("WEBGL_lose_context")?.loseContext()
  VIEWS.delete(view.root)
}
