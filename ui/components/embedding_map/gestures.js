// Mouse, finger and keyboard on the stage.

import { isTyping, listenToKeys } from "../shared/keyboard.js"
import { projecting } from "../shared/projector.js"
import { clamp } from "../shared/text.js"
import { middleOf, orbit, pan, screenOf, toScreen, zoomAt } from "./camera.js"
import { frameNow, goTo, lastFrame, play } from "./timeline.js"

function pointerPlace(view, event) {
  const box = view.part.stage.getBoundingClientRect()
  return [event.clientX - box.left, event.clientY - box.top]
}

// The point nearest to a place on the screen, if one is near.
function pointAt(view, [px, py], reach = 11) {
  const { source, camera } = view
  if (!source) return -1
  const point = [],
    { places } = view
  let best = -1,
    nearest = reach * reach,
    bestDepth = -Infinity
  for (const row of view.drawn()) {
    toScreen(camera, places[3 * row], places[3 * row + 1], places[3 * row + 2], point)
    const gap = (point[0] - px) ** 2 + (point[1] - py) ** 2 + (view.dimmed(row) ? 40 : 0)
    if (gap < nearest - 9 || (gap < nearest && point[2] >= bestDepth)) [best, nearest, bestDepth] = [row, gap, point[2]]
  }
  return best
}

function inside(outline, x, y) {
  let within = false
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i, i += 1) {
    const [xi, yi] = outline[i],
      [xj, yj] = outline[j]
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) within = !within
  }
  return within
}

function within(view, outline) {
  const screen = screenOf(view.camera, view.places, view.source.count, view.screen)
  return [...view.drawn()].filter(row => inside(outline, screen[2 * row], screen[2 * row + 1]))
}

export function listenToPointer(view) {
  const { stage } = view.part,
    down = new Map()
  stage.onpointerdown = event => {
    if (event.target.closest("button, a, input, aside, .mfs-legend") || !view.source) return
    stage.setPointerCapture(event.pointerId)
    down.set(event.pointerId, pointerPlace(view, event))
    view.camera.speed = view.camera.goal = null
    const place = pointerPlace(view, event),
      tool = event.altKey ? "lasso" : view.want.tool
    if (down.size === 2) view.gesture = { kind: "pinch" }
    else if (event.button === 0 && tool !== "move")
      view.gesture = { kind: tool, add: event.shiftKey, outline: [place], began: place }
    else
      view.gesture = {
        kind: view.want.dims === 3 && !event.shiftKey && event.button === 0 ? "orbit" : "pan",
        began: place,
        moved: 0,
        at: performance.now(),
      }
    stage.focus({ preventScroll: true })
  }
  stage.onpointermove = event => {
    const place = pointerPlace(view, event),
      before = down.get(event.pointerId),
      { gesture, camera } = view
    if (!before) {
      if (event.pointerType === "mouse") view.point(pointAt(view, place), place)
      return
    }
    const [dx, dy] = [place[0] - before[0], place[1] - before[1]]
    if (gesture?.kind === "pinch" && down.size === 2) pinch(view, down, event.pointerId, place)
    else if (gesture?.outline) stretch(gesture, place)
    else if (gesture) {
      const now = performance.now(),
        passed = Math.max(1, now - gesture.at)
      gesture.moved += Math.hypot(dx, dy)
      Object.assign(gesture, { at: now, vx: dx / passed, vy: dy / passed })
      if (gesture.kind === "orbit") orbit(camera, dx, dy)
      else pan(camera, dx, dy)
      view.point(-1)
    }
    down.set(event.pointerId, place)
    view.again()
  }
  const end = event => {
    if (!down.delete(event.pointerId)) return
    const { gesture } = view
    view.gesture = null
    if (gesture?.outline) finishOutline(view, gesture)
    else if (gesture && gesture.kind !== "pinch" && gesture.moved < 5) {
      const row = pointAt(view, gesture.began, event.pointerType === "touch" ? 18 : 11)
      if (event.shiftKey && row >= 0)
        view.pick(view.picked.has(row) ? [...view.picked].filter(one => one !== row) : [...view.picked, row])
      else view.choose(row)
    } else if (gesture?.vx !== undefined && !view.calm && performance.now() - gesture.at < 60)
      view.camera.speed = { kind: gesture.kind, vx: gesture.vx, vy: gesture.vy, last: performance.now() }
    view.settle()
    view.again()
  }
  stage.onpointerup = stage.onpointercancel = end
  stage.onpointerleave = () => view.point(-1)
  stage.addEventListener(
    "wheel",
    event => {
      if (!view.source || event.target.closest("aside")) return
      event.preventDefault()
      zoomAt(
        view.camera,
        Math.exp(-clamp(event.deltaY * (event.deltaMode ? 16 : 1), -120, 120) * 0.0022),
        ...pointerPlace(view, event),
      )
      view.settle()
      view.again()
    },
    { passive: false },
  )
  stage.ondblclick = event => {
    if (!event.target.closest("button, aside")) view.home()
  }
}

function pinch(view, down, moving, place) {
  const [other] = [...down].filter(([id]) => id !== moving).map(([, at]) => at),
    before = down.get(moving)
  const gap = Math.hypot(before[0] - other[0], before[1] - other[1]),
    now = Math.hypot(place[0] - other[0], place[1] - other[1])
  if (gap > 4) zoomAt(view.camera, now / gap, (place[0] + other[0]) / 2, (place[1] + other[1]) / 2)
  pan(view.camera, (place[0] - before[0]) / 2, (place[1] - before[1]) / 2)
}

function stretch(gesture, place) {
  const [x, y] = place,
    [x0, y0] = gesture.began
  if (gesture.kind === "box")
    gesture.outline = [
      [x0, y0],
      [x, y0],
      [x, y],
      [x0, y],
    ]
  else gesture.outline.push(place)
}

function finishOutline(view, { outline, add, began }) {
  const far = Math.max(...outline.map(([x, y]) => Math.hypot(x - began[0], y - began[1])))
  if (far < 5) {
    view.choose(pointAt(view, began))
    return
  }
  const rows = within(view, outline)
  view.pick(add ? [...view.picked, ...rows] : rows)
}

export function listenToMapKeys(view) {
  return listenToKeys(view.root, event => {
    if (isTyping(event)) return
    const ours = view.root.contains(event.target) || event.target === document.body
    if (!ours || !view.source) return
    const done = () => event.preventDefault()
    if (event.key === " " && !event.target.closest?.("button, summary")) {
      play(view, !view.playing)
      done()
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      if (lastFrame(view)) {
        play(view, false)
        goTo(view, frameNow(view) + (event.key === "ArrowLeft" ? -1 : 1))
        done()
      }
    } else if (event.key === "Escape" && !projecting()) {
      view.clear()
      done()
    } else if (event.key === "/") {
      view.part.find.focus()
      done()
    } else if (event.key === "+" || event.key === "-") {
      zoomAt(view.camera, event.key === "+" ? 1.25 : 0.8, middleOf(view.camera), view.camera.height / 2)
      view.settle()
      view.again()
      done()
    }
  })
}
