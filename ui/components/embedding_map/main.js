// One state for each mounted map: what is wanted, what is drawn, and when to draw again.

import { bytesOf } from "../shared/colours.js"
import { projecting, watchProjector } from "../shared/projector.js"
import { clamp, defined } from "../shared/text.js"
import { writeAddress } from "./address.js"
import { chooseRows, dress } from "./appearance.js"
import { aim, glide, makeCamera } from "./camera.js"
import { choosing, listenToControls, restore } from "./controls.js"
import { listenToMapKeys, listenToPointer } from "./gestures.js"
import { chooseLabels, drawOverlay } from "./overlay.js"
import { drawPanel } from "./panel.js"
import { makePainter } from "./points.js"
import { lensOf, placesAt } from "./projection.js"
import { drawTime, drawTrails, frameNow, lastFrame, tick } from "./timeline.js"
import { open } from "./updates.js"
import { ease } from "./words.js"

const VIEWS = new WeakMap()

function makeView(root) {
  const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map(node => [node.dataset.part, node]))
  const view = {
    root,
    part,
    data: {},
    look: {},
    source: null,
    camera: makeCamera(),
    picked: new Set(),
    near: [],
    found: [],
    labels: new Map(),
    ends: {},
    popular: [],
    chosen: -1,
    hover: -1,
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
    live: 0,
    calm: matchMedia("(prefers-reduced-motion: reduce)").matches,
    painter: makePainter(part.points, root.dataset.plain === "true"),
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
  part.points = root.querySelector("[data-part=points]")
  root.dataset.painter = view.painter.kind
  Object.assign(view, drawing(view), choosing(view))
  listenToPointer(view)
  listenToMapKeys(view)
  listenToControls(view)
  view.unwatch = watchProjector(root, () => {
    measure(view)
    if (view.source) view.dress()
  })
  view.resizer = new ResizeObserver(() => measure(view))
  view.resizer.observe(part.stage)
  view.back = () => {
    if (view.source) {
      restore(view)
      view.again()
    }
  }
  addEventListener("popstate", view.back)
  part.points.addEventListener("webglcontextlost", event => event.preventDefault())
  part.points.addEventListener("webglcontextrestored", () => {
    view.painter = makePainter(part.points)
    view.dress()
    view.again()
  })
  root.mfsView = view // for tests and the console
  return view
}

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
    const size = [Math.round(width * look.ratio), Math.round(height * look.ratio)]
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size
  }
  if (changed && view.source) view.renew({ still: true })
  view.again(true)
}

function readLook(view) {
  const style = getComputedStyle(view.root),
    ground = style.getPropertyValue("--st-background-color").trim() || "#ffffff"
  const [r, g, b] = bytesOf(ground),
    theme = 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light",
    shades = view.data.colours[theme]
  const changed = view.look.theme !== theme || view.look.background !== ground
  Object.assign(view.look, {
    theme,
    background: ground,
    ground: [r, g, b],
    ink: shades.text,
    soft: shades.text,
    muted: shades.muted,
    grid: shades.grid,
    primary: style.getPropertyValue("--st-primary-color").trim() || shades.primary,
    font: style.fontFamily || "sans-serif",
    faint: bytesOf(shades.baseline),
    one: bytesOf(shades.mf),
    users: bytesOf(shades.text),
    ratio: view.look.ratio ?? 1,
    text: view.look.text ?? 12.5,
  })
  for (const name of ["grid", "muted", "surface", "good"]) view.root.style.setProperty(`--mfs-${name}`, shades[name])
  return changed
}

// --- what is drawn -----------------------------------------------------------------------------------------------------

function drawing(view) {
  return {
    // A frame is asked for only when something moves; a still map costs nothing.
    again(now) {
      if (now) view.moved = true
      view.request ??= requestAnimationFrame(step(view))
    },
    turn() {
      aim(view.camera)
    },
    redraw() {
      drawPanel(view)
      view.again()
    },
    // Something moved: names are chosen anew once it rests, and then the address is written.
    settle() {
      clearTimeout(view.rest)
      view.rest = setTimeout(
        () => {
          if (!view.source || view.closed) return
          if (view.camera.goal || view.camera.speed) {
            view.settle()
            return
          }
          view.findNear({ quiet: true })
          chooseLabels(view)
          writeAddress(view)
          view.again()
        },
        view.calm ? 0 : 160,
      )
    },
    remember() {
      view.settle()
    },
    // Another way to look at the same vectors: points fly from where they are.
    renew({ still = false } = {}) {
      const { source } = view
      if (!source) return
      const before = view.places && view.places.length === 3 * source.count ? view.places.slice() : null
      chooseRows(view)
      view.lens = lensOf(view)
      if (!before) view.places = new Float32Array(3 * source.count)
      view.screen = view.screen?.length === 2 * source.count ? view.screen : new Float32Array(2 * source.count)
      placesAt(view, view.time, view.places)
      view.morph = before && !still && !view.calm ? { from: before, began: performance.now(), length: 750 } : null
      view.moved = true
      view.dress()
      view.settle()
    },
    norms() {
      return view.source.norms[frameNow(view)]
    },
    rowsOf(kinds) {
      const { items, count } = view.source
      return Array.from({ length: count }, (_, row) => row).filter(row =>
        row < items ? kinds !== "users" : kinds !== "films",
      )
    },
    // Rows on the map now.
    drawn() {
      return view.rows ?? []
    },
    shown(row) {
      return view.marks && view.marks[2 * row] > 0
    },
    dimmed(row) {
      return view.dim[row] === 1
    },
    dress() {
      dress(view)
      view.again()
    },
  }
}

const step = view => now => {
  view.request = null
  if (view.closed || !view.source || !view.camera.height) return
  const flying = glide(view.camera, now),
    ticking = tick(view, now)
  if (flying || ticking || view.morph || view.moved) {
    placesAt(view, Math.min(view.time, lastFrame(view)), view.places)
    if (view.morph) {
      const { from, began, length } = view.morph,
        u = ease(clamp((now - began) / length, 0, 1))
      for (let k = 0; k < from.length; k += 1)
        if (defined(from[k]) && defined(view.places[k])) view.places[k] = from[k] + (view.places[k] - from[k]) * u
      if (now - began >= length) {
        view.morph = null
        view.settle()
      }
    }
    view.painter.places(view.places)
    view.moved = false
  }
  if (ticking) renewWhilePlaying(view, now)
  view.root.dataset.moving = String(ticking || Boolean(view.sliding))
  drawTrails(view)
  view.painter.draw(view.camera, view.look, shareOf(view, now))
  drawOverlay(view, now)
  drawTime(view)
  view.drawnFrames = (view.drawnFrames ?? 0) + 1
  if (!view.root.dataset.drawn) view.root.dataset.drawn = String(Math.round(performance.now()))
  if (flying || ticking || view.morph) {
    view.again(true)
  } else if (view.trailing && view.want.trails === "auto") view.again()
}

// Very many points: while they move, as many as the machine can draw 25 times a second; all of them as soon as they rest.
function shareOf(view, now) {
  const gap = now - (view.stepped ?? 0)
  view.stepped = now
  clearTimeout(view.filled)
  if (!view.many || gap > 250) {
    view.share ??= 1
    return 1
  }
  view.share = clamp(view.share * (gap > 45 ? 0.75 : gap < 25 ? 1.12 : 1), 0.08, 1)
  if (view.share < 1)
    view.filled = setTimeout(() => {
      view.stepped = 0
      view.again()
    }, 260)
  return view.share
}

function renewWhilePlaying(view, now) {
  if (now - (view.relabelled ?? 0) < 700) return
  view.relabelled = now
  if (view.want.colour === "norm") dress(view)
  chooseLabels(view)
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".mfs-space")
  if (!root) return undefined
  let view = VIEWS.get(root)
  if (!view) VIEWS.set(root, (view = makeView(root)))
  const changed = view.data.key !== data.key
  Object.assign(view, { data, send: setTriggerValue, closed: false })
  const repaint = readLook(view)
  measure(view)
  if (changed) open(view)
  else if (view.source) {
    if (repaint) view.dress()
    writeAddress(view)
    view.again()
  }
  return () => {
    view.closed = true
    view.abort?.abort()
    for (const timer of [view.poll, view.rest, view.watching, view.filled]) clearTimeout(timer)
    if (view.request) cancelAnimationFrame(view.request)
    view.resizer.disconnect()
    view.unwatch()
    removeEventListener("popstate", view.back)
    document.removeEventListener("keydown", view.keys)
    view.painter.gl?.getExtension("WEBGL_lose_context")?.loseContext()
    VIEWS.delete(root)
  }
}
