// The way through the epochs: play, the slider, trails, and the curve of the run above the slider.

import { setText, svgElement } from "../shared/dom.js"
import { metricFacts } from "../shared/metrics.js"
import { requestJson } from "../shared/server.js"
import { clamp, defined } from "../shared/text.js"
import { orbit } from "./camera.js"
import { placesAt } from "./projection.js"
import { epochAt, frameAt, frameNow, isGoing, lastFrame } from "./state.js"

/** @typedef {import("./types.js").View} View */

const TRAIL_STEPS = 9
const MOST_TRAILS = 6000 // points that all draw one while they move
const TRAIL_REACH = 2.4 // epochs at most; short runs take a tenth of their length

// Epochs a second: the whole way takes about nine seconds at speed 1, a short one less.
/** @param {View} view */
function pace(view) {
  const { epochs } = view.source
  return clamp((epochs[lastFrame(view)] - epochs[0]) / 9, 1, 15) * view.speed
}

/** @param {View} view @param {boolean} on */
export function play(view, on) {
  if (on && lastFrame(view) < 1) return
  if (on && view.layout) view.showLayout(null) // of t-SNE there is one moment only
  view.playing = on
  view.following = false
  view.goalTime = null
  if (on && view.time >= lastFrame(view) - 1e-3) view.time = 0
  view.ticked = null
  view.part.play.setAttribute("aria-pressed", String(on))
  view.part.play.setAttribute("aria-label", on ? "Pause" : "Play")
  view.part.play.title = on ? "Pause (space)" : "Play through the epochs (space)"
  view.root.dataset.playing = String(on)
  if (!on) {
    view.goalTime = Math.round(view.time)
    view.settle()
  }
  view.dress()
  view.again()
}

// To a frame: at once while the slider is dragged, gliding after a click or a key.
/** @param {View} view @param {number} frame @param {any} [options] */
export function goTo(view, frame, { glide: gliding = true } = {}) {
  const goal = clamp(frame, 0, lastFrame(view))
  if (view.layout && goal < lastFrame(view)) view.showLayout(null)
  view.following = goal >= lastFrame(view)
  if (gliding && !view.calm) view.goalTime = goal
  else {
    view.time = goal
    view.goalTime = null
  }
  view.settle()
  view.again()
}

// One step of time; true while it moves.
/** @param {View} view @param {number} now */
export function tick(view, now) {
  const passed = view.ticked === null ? 0 : Math.min(100, now - view.ticked)
  view.ticked = now
  if (view.playing) {
    // A slow turn shows the depth.
    const turning = view.want.dims === 3 && !view.gesture && !view.camera.goal && !view.calm
    if (turning) orbit(view.camera, passed * 0.012, 0)
    view.time = frameAt(view, epochAt(view, view.time) + (passed / 1000) * pace(view))
    if (view.time < lastFrame(view)) {
      view.rested = now
      return true
    }
    if (!view.loop) play(view, false)
    else if (now - (view.rested ?? now) > 1200) view.time = 0 // after a moment at the end
    return true
  }
  if (view.goalTime === null) {
    view.ticked = null
    return false
  }
  const gap = view.goalTime - view.time
  view.time = Math.abs(gap) < 0.003 ? view.goalTime : view.time + gap * (1 - Math.exp(-passed / 130))
  if (view.time === view.goalTime) {
    view.goalTime = null
    view.settle()
  }
  return true
}

/** @param {View} view */
export function drawTime(view) {
  const { part, source } = view,
    last = lastFrame(view),
    frame = frameNow(view),
    time = clamp(view.time, 0, last)
  part.time.hidden = last < 1
  part.watermark.hidden = last < 1 || Boolean(view.layout)
  if (last < 1) return
  const first = source.epochs[0],
    length = source.epochs[last] - first,
    done = (epochAt(view, time) - first) / length
  part.slider.min = String(first)
  part.slider.max = String(source.epochs[last])
  if (!view.sliding) part.slider.value = String(epochAt(view, time))
  part.slider.setAttribute("aria-valuetext", `epoch ${source.epochs[frame]} of ${source.epochs[last]}`)
  part.slider.style.setProperty("--mfs-done", `${100 * done}%`)
  setText(part.epoch, `epoch ${source.epochs[frame]} of ${source.epochs[last]}`)
  setText(part.watermark, String(source.epochs[frame]))
  view.root.dataset.epoch = String(source.epochs[frame])
  const going = isGoing(view)
  part.live.hidden = !going
  part.live.dataset.on = String(going && view.following)
  const { score } = view
  const value = score?.points.findLast(point => point.epoch <= source.epochs[frame])
  setText(part.score, score && value ? `${score.words} ${value.value.toFixed(3)}` : "")
  part.now?.setAttribute("x1", String(1000 * done))
  part.now?.setAttribute("x2", String(1000 * done))
}

/** @param {import("../shared/events.js").RunEvent[]} events @param {import("./types.js").MapData} data */
function scoreIn(events, data) {
  const start = events.find(event => event.kind === "start"),
    key = start?.selection_metric ?? ""
  const points = events.flatMap(event => {
    const value = event.kind === "epoch" ? event.metrics?.[key] : undefined
    return event.kind === "epoch" && defined(value) ? [{ epoch: event.epoch, value }] : []
  })
  if (points.length < 2) return null
  return { key, points, words: `${metricFacts(key, start, data.metrics).label} on validation` }
}

// The metric the run is chosen by, epoch by epoch: how good the map was at each moment of the slider.
/** @param {View} view */
export async function readScore(view) {
  const { data, source } = view
  if (!data.events) return
  try {
    const { events } = await requestJson(`${data.events}?from=0`)
    if (view.source !== source) return
    view.score = scoreIn(events, data)
    drawScore(view)
    drawTime(view)
  } catch {
    /* the map is whole without its curve */
  }
}

/** @param {View} view */
function drawScore(view) {
  const { score, source, part } = view,
    last = lastFrame(view)
  part.curve.replaceChildren()
  part.now = null
  if (!score || last < 1) return
  const values = score.points.filter(point => point.epoch > 0 || score.points.length < 4).map(point => point.value)
  const low = Math.min(...values),
    high = Math.max(...values),
    span = high - low || 1
  const first = source.epochs[0],
    place = (/** @type {number} */ epoch) => (1000 * (epoch - first)) / (source.epochs[last] - first)
  const path = score.points
    .filter(point => point.epoch <= source.epochs[last])
    .map(({ epoch, value }) => `${place(epoch)},${29 - 26 * clamp((value - low) / span, -0.05, 1.05)}`)
  part.curve.append(
    svgElement("polygon", {
      points: `0,32 ${path.join(" ")} ${path[path.length - 1].split(",")[0]},32`,
      class: "mfs-under",
    }),
  )
  part.curve.append(
    svgElement("polyline", { points: path.join(" "), class: "mfs-line", "vector-effect": "non-scaling-stroke" }),
  )
  part.now = svgElement("line", {
    x1: 0,
    x2: 0,
    y1: 0,
    y2: 32,
    class: "mfs-now",
    "vector-effect": "non-scaling-stroke",
  })
  part.curve.append(part.now)
}

// Tails behind the points: where they were during the last few epochs, fading.
/** @param {View} view */
export function drawTrails(view) {
  const { painter } = view,
    rows = trailing(view),
    segments = rows.length * TRAIL_STEPS
  if (!segments) {
    if (view.trailing) painter.lines(null, null, 0)
    view.trailing = false
    return
  }
  view.trailing = true
  if (!view.tail || view.tail.room < segments) {
    view.tail = { room: segments, places: new Float32Array(6 * segments), inks: new Uint8Array(8 * segments), past: [] }
  }
  const { places, inks, past } = view.tail
  lookBack(view, past)
  for (const [index, row] of rows.entries()) drawTail(view, row, index * TRAIL_STEPS)
  painter.lines(places, inks, segments)
}

/** The points that draw a tail behind them now. @param {View} view @returns {number[]} */
function trailing(view) {
  const { source, want } = view,
    moving = view.playing || view.goalTime !== null || view.sliding
  if (lastFrame(view) < 1 || view.layout || view.morph || want.trails === "off") return []
  const all = want.trails === "all" || (want.trails === "auto" && moving && source.count <= MOST_TRAILS)
  if (all) return view.drawn().filter(row => !view.dimmed(row))
  if (want.trails !== "selected" && !moving) return []
  return [...new Set([view.chosen, ...view.picked])].filter(row => row >= 0)
}

/**
 * Where all points were at each step of a tail, now first.
 * @param {View} view
 * @param {Float32Array[]} past is filled
 */
function lookBack(view, past) {
  const last = lastFrame(view),
    time = clamp(view.time, 0, last),
    { length } = view.places
  const reach = Math.min(TRAIL_REACH, Math.max(0.8, last / 10))
  for (let step = 0; step <= TRAIL_STEPS; step += 1) {
    if (past[step]?.length !== length) past[step] = new Float32Array(length)
    if (step === 0) past[0].set(view.places)
    else placesAt(view, Math.max(0, time - (step * reach) / TRAIL_STEPS), past[step])
  }
}

/** @param {View} view @param {number} row @param {number} start first segment of its tail */
function drawTail(view, row, start) {
  if (!view.tail) return
  const { places, inks, past } = view.tail,
    strong = row === view.chosen || view.picked.has(row) ? 235 : 150
  for (let step = 0, at = start; step < TRAIL_STEPS; step += 1, at += 1) {
    for (let k = 0; k < 3; k += 1) {
      places[6 * at + k] = past[step][3 * row + k]
      places[6 * at + 3 + k] = past[step + 1][3 * row + k]
      inks[8 * at + k] = inks[8 * at + 4 + k] = view.inks[4 * row + k]
    }
    inks[8 * at + 3] = strong * (1 - step / TRAIL_STEPS) ** 1.5
    inks[8 * at + 7] = strong * (1 - (step + 1) / TRAIL_STEPS) ** 1.5
  }
}
