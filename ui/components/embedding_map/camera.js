// From the map's units to pixels, in the plane and in space: one formula for both, so that one can turn into the other.
// The plane is space seen straight from the front, without depth and without perspective.

import { clamp } from "../shared/text.js"
import { ease } from "./words.js"

/** @typedef {import("./types.js").Camera} Camera */
/** @typedef {import("./types.js").CameraPose} CameraPose */

const REST = { x: 0, y: 0, z: 0, zoom: 1, yaw: 0, pitch: 0, depth: 0 }
const TILT = { yaw: -0.55, pitch: 0.42, depth: 1, zoom: 1.6 }

export const makeCamera = () => ({
  ...REST,
  width: 1,
  height: 1,
  inset: 0,
  dims: 2,
  rotation: new Float32Array(9),
  speed: null,
  goal: null,
})

/** @param {Camera} camera */
export function aim(camera) {
  const { yaw, pitch, rotation } = camera
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)]
  rotation.set([cy, 0, sy, sp * sy, cp, -sp * cy, -cp * sy, sp, cp * cy])
}

// Pixels of one unit at the centre. The panel beside the map takes its width from the right.
/** @param {Camera} camera */
export const scaleOf = camera =>
  0.46 * Math.min(camera.height, camera.width - camera.inset) * (camera.dims === 3 ? 0.86 : 1) * camera.zoom
/** @param {Camera} camera */
export const middleOf = camera => (camera.width - camera.inset) / 2
export const DISTANCE = 3.4

// (x, y, z) → [x in pixels, y in pixels, depth towards the eye, magnification].
/** @param {Camera} camera @param {number} x @param {number} y @param {number} z @param {number[]} [out] */
export function toScreen(camera, x, y, z, out = []) {
  const r = camera.rotation,
    dx = x - camera.x,
    dy = y - camera.y,
    dz = z - camera.z
  const rx = r[0] * dx + r[1] * dy + r[2] * dz,
    ry = r[3] * dx + r[4] * dy + r[5] * dz,
    rz = r[6] * dx + r[7] * dy + r[8] * dz
  const near = 1 / Math.max(0.15, 1 - (camera.depth * rz) / DISTANCE),
    scale = scaleOf(camera) * near
  out[0] = middleOf(camera) + rx * scale
  out[1] = camera.height / 2 - ry * scale
  out[2] = rz
  out[3] = near
  return out
}

/** @param {Camera} camera @param {Float32Array} positions @param {number} count @param {Float32Array} out */
export function screenOf(camera, positions, count, out) {
  /** @type {number[]} */
  const point = []
  for (let i = 0; i < count; i += 1) {
    toScreen(camera, positions[3 * i], positions[3 * i + 1], positions[3 * i + 2], point)
    out[2 * i] = point[0]
    out[2 * i + 1] = point[1]
  }
  return out
}

/** @param {Camera} camera @param {number} dx @param {number} dy */
export function pan(camera, dx, dy) {
  const r = camera.rotation,
    scale = scaleOf(camera)
  camera.x -= (r[0] * dx - r[3] * dy) / scale
  camera.y -= (r[1] * dx - r[4] * dy) / scale
  camera.z -= (r[2] * dx - r[5] * dy) / scale
}

/** @param {Camera} camera @param {number} dx @param {number} dy */
export function orbit(camera, dx, dy) {
  camera.yaw += dx * 0.008
  camera.pitch = clamp(camera.pitch + dy * 0.008, -1.5, 1.5)
  aim(camera)
}

// The point under the cursor stays under it.
/** @param {Camera} camera @param {number} factor @param {number} px @param {number} py */
export function zoomAt(camera, factor, px, py) {
  const before = camera.zoom
  camera.zoom = clamp(camera.zoom * factor, 0.4, 60)
  const grown = (camera.zoom / before - 1) * (camera.dims === 3 ? 0.5 : 1)
  pan(camera, -(px - middleOf(camera)) * grown, -(py - camera.height / 2) * grown)
}

// A flight to another view; where motion is not wanted, a cut.
/**
 * @param {Camera} camera
 * @param {Partial<CameraPose>} goal
 * @param {number} now
 * @param {boolean} calm
 * @param {number} [length]
 */
export function fly(camera, goal, now, calm, length = 650) {
  camera.speed = null
  if (calm) {
    Object.assign(camera, goal)
    aim(camera)
    camera.goal = null
    return
  }
  const from = Object.fromEntries(partsOf(goal).map(key => [key, camera[key]]))
  camera.goal = { from, to: goal, began: now, length }
}

/** @param {number} dims @returns {Omit<CameraPose, "inset">} */
export const home = dims => (dims === 3 ? { ...REST, ...TILT } : { ...REST })

/** @param {Partial<CameraPose>} pose @returns {(keyof CameraPose)[]} */
const partsOf = pose => /** @type {(keyof CameraPose)[]} */ (Object.keys(pose))

// One step of whatever moves; true while it does.
/** @param {Camera} camera @param {number} now */
export function glide(camera, now) {
  if (camera.goal) {
    const { from, to, began, length } = camera.goal,
      u = clamp((now - began) / length, 0, 1)
    for (const key of partsOf(to)) camera[key] = (from[key] ?? 0) + ((to[key] ?? 0) - (from[key] ?? 0)) * ease(u)
    aim(camera)
    if (u >= 1) camera.goal = null
    return true
  }
  if (!camera.speed) return false
  const { kind, vx, vy, last } = camera.speed,
    passed = Math.min(50, now - last)
  if (kind === "orbit") orbit(camera, vx * passed, vy * passed)
  else pan(camera, vx * passed, vy * passed)
  const slower = Math.exp(-passed / 160)
  camera.speed = { kind, vx: vx * slower, vy: vy * slower, last: now }
  if (Math.hypot(camera.speed.vx, camera.speed.vy) < 0.01) camera.speed = null
  return true
}

/** @typedef {number[]} Pose x, y, z, zoom, yaw and pitch, as an address holds them */

/** @param {Camera} camera @returns {Pose} */
export const poseOf = ({ x, y, z, zoom, yaw, pitch }) => within([x, y, z, zoom, yaw, pitch])

const FAR = 9 // units from the middle, which no point is
const DIGITS = 4

/** @param {Pose} pose @returns {Pose} */
function within([x, y, z, zoom, yaw, pitch]) {
  const places = [x, y, z].map(value => clamp(value, -FAR, FAR))
  return [...places, clamp(zoom, 0.4, 60), yaw, clamp(pitch, -1.5, 1.5)].map(
    value => Number(value.toFixed(DIGITS)) || 0,
  )
}

/** Whether a camera is where it begins. @param {Camera} camera */
export const isHome = camera =>
  Object.entries(home(camera.dims)).every(([key, value]) => Math.abs(camera[/** @type {"x"} */ (key)] - value) < 0.004)

/** @param {Pose} pose */
export const poseText = pose => pose.join("_")

/** @param {string | null} text @returns {Pose | null} */
export function poseFrom(text) {
  const numbers = text ? text.split("_").map(Number) : []
  return numbers.length === 6 && numbers.every(Number.isFinite) ? within(numbers) : null
}

/** Puts a camera there at once. @param {Camera} camera @param {Pose | null} pose @param {number} dims */
export function placeCamera(camera, pose, dims) {
  const [x, y, z, zoom, yaw, pitch] = pose ?? []
  camera.dims = dims
  Object.assign(camera, home(dims), pose && { x, y, z, zoom, yaw, pitch }, { goal: null, speed: null })
  aim(camera)
}
