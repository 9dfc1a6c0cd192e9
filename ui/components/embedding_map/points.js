// Points and trails on the graphics card; where there is none, on a plain canvas. Both draw the same picture.

import { clamp } from "../shared/text.js"
import { DISTANCE, scaleOf, toScreen } from "./camera.js"

/** @typedef {import("./types.js").Camera} Camera */
/** @typedef {import("./types.js").Look} Look */

const POINT_SHADER = `#version 300 es
in vec3 place; in vec4 ink; in vec2 mark; // mark: size in pixels, shape
uniform mat3 turn; uniform vec3 centre; uniform vec2 view; uniform float scale, depth, ratio, shift;
uniform vec4 ground;
out vec4 colour; out float shape; out float pixels;
void main() {
  vec3 seen = transpose(turn) * (place - centre);
  float near = 1.0 / max(0.15, 1.0 - depth * seen.z / ${DISTANCE.toFixed(2)});
  gl_Position = vec4(seen.xy * scale * near * 2.0 / view - vec2(shift, 0.0), clamp(-seen.z * 0.2, -1.0, 1.0), 1.0);
  pixels = mark.x * ratio * mix(1.0, clamp(near, 0.5, 1.8), depth);
  gl_PointSize = mark.x > 0.0 ? pixels + 1.0 : 0.0;
  if (mark.x <= 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  float haze = depth * clamp(0.3 - seen.z * 0.36, 0.0, 0.6); // what is far fades into the ground
  colour = mix(ink, vec4(ground.rgb, ink.a), haze);
  shape = mark.y;
}`
const POINT_PIXEL = `#version 300 es
precision highp float;
in vec4 colour; in float shape; in float pixels;
uniform float depth; uniform vec4 ground; out vec4 result;
void main() {
  vec2 p = gl_PointCoord * 2.0 - 1.0;
  float far = shape < 0.5 ? length(p) : shape < 1.5 ? abs(p.x) + abs(p.y) : abs(length(p) - 0.72) + 0.72;
  float soft = 2.4 / max(pixels, 2.0);
  float inside = 1.0 - smoothstep(1.0 - soft, 1.0, far);
  if (inside * colour.a < 0.02 || (depth > 0.5 && inside < 0.5)) discard;
  float rim = pixels > 5.0 ? smoothstep(1.0 - 2.2 * soft, 1.0 - soft, far) * 0.75 : 0.0;
  result = vec4(mix(colour.rgb, ground.rgb, rim), colour.a * inside);
  result.rgb *= result.a;
}`
const TRAIL_SHADER = `#version 300 es
in vec3 place; in vec4 ink;
uniform mat3 turn; uniform vec3 centre; uniform vec2 view; uniform float scale, depth, shift;
out vec4 colour;
void main() {
  vec3 seen = transpose(turn) * (place - centre);
  float near = 1.0 / max(0.15, 1.0 - depth * seen.z / ${DISTANCE.toFixed(2)});
  float behind = clamp(-seen.z * 0.2 + 0.001, -1.0, 1.0);
  gl_Position = vec4(seen.xy * scale * near * 2.0 / view - vec2(shift, 0.0), behind, 1.0);
  colour = ink;
}`
const TRAIL_PIXEL = `#version 300 es
precision highp float;
in vec4 colour; out vec4 result;
void main() { result = vec4(colour.rgb * colour.a, colour.a); }`

/** @param {WebGL2RenderingContext} gl @param {string} vertex @param {string} fragment */
function program(gl, vertex, fragment) {
  const made = gl.createProgram()
  const sources = { [gl.VERTEX_SHADER]: vertex, [gl.FRAGMENT_SHADER]: fragment }
  for (const kind of [gl.VERTEX_SHADER, gl.FRAGMENT_SHADER]) {
    const source = sources[kind]
    const shader = /** @type {WebGLShader} */ (gl.createShader(kind))
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "")
    gl.attachShader(made, shader)
  }
  gl.linkProgram(made)
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made) ?? "")
  return {
    made,
    uniform: Object.fromEntries(
      ["turn", "centre", "view", "scale", "depth", "ratio", "shift", "ground"].map(name => [
        name,
        gl.getUniformLocation(made, name),
      ]),
    ),
  }
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {any} one
 * @param {string} name
 * @param {number} size
 * @param {number} kind
 * @param {boolean} normalised
 */
function attribute(gl, one, name, size, kind, normalised) {
  const place = gl.getAttribLocation(one.made, name),
    buffer = gl.createBuffer()
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer)
  gl.enableVertexAttribArray(place)
  gl.vertexAttribPointer(place, size, kind, normalised, 0, 0)
  return buffer
}

/** @param {HTMLCanvasElement} canvas */
function makeCard(canvas) {
  const gl = canvas.getContext("webgl2", {
    alpha: true,
    antialias: false,
    premultipliedAlpha: true,
    powerPreference: "high-performance",
  })
  if (!gl) return null
  const points = /** @type {any} */ (program(gl, POINT_SHADER, POINT_PIXEL)),
    trails = /** @type {any} */ (program(gl, TRAIL_SHADER, TRAIL_PIXEL))
  points.array = gl.createVertexArray()
  gl.bindVertexArray(points.array)
  points.place = attribute(gl, points, "place", 3, gl.FLOAT, false)
  points.ink = attribute(gl, points, "ink", 4, gl.UNSIGNED_BYTE, true)
  points.mark = attribute(gl, points, "mark", 2, gl.FLOAT, false)
  points.order = gl.createBuffer()
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, points.order)
  trails.array = gl.createVertexArray()
  gl.bindVertexArray(trails.array)
  trails.place = attribute(gl, trails, "place", 3, gl.FLOAT, false)
  trails.ink = attribute(gl, trails, "ink", 4, gl.UNSIGNED_BYTE, true)
  gl.bindVertexArray(null)
  const send = (/** @type {WebGLBuffer} */ buffer, /** @type {any} */ data) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer)
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW)
  }
  /** @type {any} */
  const card = { kind: "webgl", gl, points, trails, count: 0, segments: 0 }
  card.places = (/** @type {Float32Array} */ positions) => send(points.place, positions)
  card.looks = (
    /** @type {Uint8Array} */ inks,
    /** @type {Float32Array} */ marks,
    /** @type {Uint32Array} */ order,
  ) => {
    send(points.ink, inks)
    send(points.mark, marks)
    gl.bindVertexArray(points.array)
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.STATIC_DRAW)
    gl.bindVertexArray(null)
    card.count = order.length
  }
  card.lines = (
    /** @type {Float32Array} */ positions,
    /** @type {Uint8Array} */ inks,
    /** @type {number} */ segments,
  ) => {
    card.segments = segments
    if (!segments) return
    send(trails.place, positions.subarray(0, 6 * segments))
    send(trails.ink, inks.subarray(0, 8 * segments))
  }
  card.draw = (/** @type {Camera} */ camera, /** @type {Look} */ look, share = 1) => drawCard(card, camera, look, share)
  return card
}

// share: of the points, the last in order; fewer where all would make the motion stutter.
/** @param {any} card @param {Camera} camera @param {Look} look @param {number} share */
function drawCard(card, camera, look, share) {
  const { gl } = card,
    ratio = look.ratio
  gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight)
  gl.clearColor(0, 0, 0, 0)
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT)
  gl.enable(gl.BLEND)
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
  for (const one of [card.trails, card.points]) {
    const total = one === card.trails ? card.segments : card.count
    if (!total) continue
    if (camera.depth > 0.5 && one === card.points) gl.enable(gl.DEPTH_TEST)
    else gl.disable(gl.DEPTH_TEST)
    gl.depthFunc(gl.LEQUAL)
    gl.useProgram(one.made)
    gl.uniformMatrix3fv(one.uniform.turn, false, camera.rotation)
    gl.uniform3f(one.uniform.centre, camera.x, camera.y, camera.z)
    gl.uniform2f(one.uniform.view, camera.width, camera.height)
    gl.uniform1f(one.uniform.scale, scaleOf(camera))
    gl.uniform1f(one.uniform.depth, camera.depth)
    gl.uniform1f(one.uniform.ratio, ratio)
    gl.uniform1f(one.uniform.shift, camera.inset / camera.width)
    gl.uniform4f(one.uniform.ground, ...look.ground.map(part => part / 255), 1)
    gl.bindVertexArray(one.array)
    const skip = one === card.points ? Math.floor(total * (1 - share)) : 0
    if (one === card.points) gl.drawElements(gl.POINTS, total - skip, gl.UNSIGNED_INT, 4 * skip)
    else gl.drawArrays(gl.LINES, 0, 2 * total)
  }
  gl.bindVertexArray(null)
}

// Without WebGL: squares for very many points, discs else. Slower, and complete.
/** @param {HTMLCanvasElement} canvas */
function makePlain(canvas) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
  /** @type {any} */
  const card = { kind: "canvas", count: 0, segments: 0 }
  card.places = (/** @type {Float32Array} */ positions) => {
    card.positions = positions
  }
  card.looks = (/** @type {Uint8Array} */ inks, /** @type {Float32Array} */ marks, /** @type {Uint32Array} */ order) =>
    Object.assign(card, { inks, marks, order, count: order.length })
  card.lines = (
    /** @type {Float32Array} */ positions,
    /** @type {Uint8Array} */ inks,
    /** @type {number} */ segments,
  ) => Object.assign(card, { linePlaces: positions, lineInks: inks, segments })
  card.draw = (/** @type {Camera} */ camera, /** @type {Look} */ look, share = 1) => {
    context.setTransform(look.ratio, 0, 0, look.ratio, 0, 0)
    context.clearRect(0, 0, camera.width, camera.height)
    const one = /** @type {number[]} */ ([]),
      two = /** @type {number[]} */ ([]),
      { positions, inks, marks } = card
    const rgba = (/** @type {Uint8Array} */ bytes, /** @type {number} */ at) =>
      `rgba(${bytes[at]},${bytes[at + 1]},${bytes[at + 2]},${bytes[at + 3] / 255})`
    for (let s = 0; s < card.segments; s += 1) {
      toScreen(camera, card.linePlaces[6 * s], card.linePlaces[6 * s + 1], card.linePlaces[6 * s + 2], one)
      toScreen(camera, card.linePlaces[6 * s + 3], card.linePlaces[6 * s + 4], card.linePlaces[6 * s + 5], two)
      context.strokeStyle = rgba(card.lineInks, 8 * s)
      context.beginPath()
      context.moveTo(one[0], one[1])
      context.lineTo(two[0], two[1])
      context.stroke()
    }
    for (const row of (card.order ?? []).slice(Math.floor(card.count * (1 - share)))) {
      const size = marks[2 * row],
        shape = marks[2 * row + 1]
      if (size <= 0) continue
      toScreen(camera, positions[3 * row], positions[3 * row + 1], positions[3 * row + 2], one)
      const half = (size / 2) * (camera.depth ? clamp(one[3], 0.5, 1.8) : 1)
      context.fillStyle = rgba(inks, 4 * row)
      if (card.count > 8000) {
        context.fillRect(one[0] - half, one[1] - half, 2 * half, 2 * half)
        continue
      }
      context.beginPath()
      if (shape < 0.5) context.arc(one[0], one[1], half, 0, 7)
      else
        for (const [x, y] of [
          [0, -1],
          [1, 0],
          [0, 1],
          [-1, 0],
        ])
          context.lineTo(one[0] + x * half, one[1] + y * half)
      context.fill()
    }
  }
  return card
}

/** @param {HTMLCanvasElement} canvas @param {boolean} [plainOnly] @returns {import("./types.js").Painter} */
export function makePainter(canvas, plainOnly = false) {
  try {
    const card = plainOnly ? null : makeCard(canvas)
    if (card) return card
  } catch (error) {
    console.warn("The map is drawn without WebGL:", error)
    const fresh = /** @type {HTMLCanvasElement} */ (canvas.cloneNode())
    canvas.replaceWith(fresh) // a canvas has one kind of context for life
    return makePlain(fresh)
  }
  return makePlain(canvas)
}
