// From vectors to places on the map: which directions are the axes, what is subtracted, and how it is scaled to the
// window.
// Everything is measured in one basis, that of the whole run, so a point moves only because its vector does.

import { clamp, defined, plural } from "../shared/text.js"
import { percent, quantile, shorten } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Layout} Layout */

const CAUTION =
  "who is near whom counts here; distances across the map and sizes of groups mean little, " +
  "and another run looks different"

/** @param {View} view */
export function lensOf(view) {
  const { source, want } = view,
    { width, count } = source
  const axes = [want.x, want.y, want.dims === 3 ? want.z : null],
    still = view.layout ? source.layouts[view.layout] : null
  return scaled(view, frame => {
    if (still) return stillPlaces(still, count)
    const table = source.frames[frame],
      out = new Float32Array(3 * count)
    axes.forEach((axis, k) => {
      if (axis !== null && axis < width)
        for (let row = 0; row < count; row += 1) out[3 * row + k] = table[row * width + axis]
    })
    return out
  })
}

/** @param {Layout} layout @param {number} count */
function stillPlaces(layout, count) {
  const out = new Float32Array(3 * count).fill(NaN)
  layout.rows.forEach((row, at) => {
    for (let k = 0; k < 3; k += 1) out[3 * row + k] = k < layout.width ? layout.table[at * layout.width + k] : 0
  })
  return out
}

// The scale is that of the whole journey: the cloud may be small in the first epoch because it is.
/** @param {View} view @param {(frame: number) => Float32Array} raw */
function scaled(view, raw) {
  const { source, want, camera } = view,
    last = source.frames.length - 1
  const looks = view.layout ? [last] : [...new Set([0, Math.round(last / 3), Math.round((2 * last) / 3), last])]
  const shown = looks.map(raw),
    middle = [0, 0, 0],
    half = [1, 1, 1]
  for (let k = 0; k < (want.dims === 3 ? 3 : 2); k += 1) {
    const rows = view.drawn(),
      values = new Float32Array(rows.length * shown.length)
    let at = 0
    for (const places of shown)
      for (const row of rows) if (defined(places[3 * row + k])) values[at++] = places[3 * row + k]
    const sorted = values.subarray(0, at).sort(),
      edge = at > 20000 ? 0.0005 : 0,
      [low, high] = [quantile(sorted, edge), quantile(sorted, 1 - edge)]
    if (high > low) [middle[k], half[k]] = [(low + high) / 2, (high - low) / 2]
  }
  // Wider than high where the window is, whether or not a panel covers some of it: the same map before and after.
  const room = clamp((camera.width - 40) / Math.max(camera.height, 1), 0.5, 2.2)
  if (want.dims === 3) half.fill(Math.max(...half))
  const stretch = want.dims === 3 ? 1 : room
  const fit = (/** @type {Float32Array} */ places) => {
    for (let row = 0; row < source.count; row += 1) {
      places[3 * row] = ((places[3 * row] - middle[0]) / half[0]) * stretch
      places[3 * row + 1] = (places[3 * row + 1] - middle[1]) / half[1]
      places[3 * row + 2] = want.dims === 3 ? (places[3 * row + 2] - middle[2]) / half[2] : 0
    }
    return places
  }
  const zero = [(-middle[0] / half[0]) * stretch, -middle[1] / half[1], want.dims === 3 ? -middle[2] / half[2] : 0]
  const kept = new Map([[last, fit(shown[shown.length - 1])]])
  const at = (/** @type {number} */ frame) => {
    const made = kept.get(frame) ?? fit(raw(frame))
    kept.set(frame, made)
    return made
  }
  return { zero, stretch, at }
}

// Places at a time between two epochs: on a smooth curve through all of them (Catmull & Rom, 1974), with no corner
// at any, also
// where epochs are missing in between.
/** @param {View} view @param {number} time @param {Float32Array} out */
export function placesAt(view, time, out) {
  const { lens, source } = view,
    last = source.frames.length - 1,
    here = clamp(Math.floor(time), 0, last),
    u = clamp(time - here, 0, 1)
  if (u === 0 || here === last) {
    out.set(lens.at(here))
    return out
  }
  const nearby = [here - 1, here, here + 1, here + 2].map(f => clamp(f, 0, last)),
    [ta, tb, tc, td] = nearby.map(f => source.epochs[f])
  const [a, b, c, d] = nearby.map(f => lens.at(f)),
    u2 = u * u,
    u3 = u2 * u,
    start = (u3 - 2 * u2 + u) * ((tc - tb) / (tc - ta)),
    end = (u3 - u2) * ((tc - tb) / (td - tb))
  const wa = -start,
    wb = 2 * u3 - 3 * u2 + 1 - end,
    wc = 3 * u2 - 2 * u3 + start,
    wd = end
  for (let k = 0; k < out.length; k += 1) out[k] = wa * a[k] + wb * b[k] + wc * c[k] + wd * d[k]
  return out
}

// Axis 1 · mostly popularity · 23 %. The column of one's own axis comes after the components.
/** @param {View} view @param {number} axis */
export function axisName(view, axis) {
  const { source } = view,
    own = view.special.between
  if (own && axis === source.width - 1) return `from ${endWords(view, own.from)} to ${endWords(view, own.to)}`
  return [
    `Axis ${axis + 1}${view.special.items ? " of the selection" : view.special.sphere ? " on the sphere" : ""}`,
    source.axisNames[axis],
    percent(source.explained[axis]),
  ]
    .filter(Boolean)
    .join(" · ")
}

/** One end of an axis of one's own: its only item, or how many. @param {View} view @param {number[]} index */
export function endWords({ known, data }, index) {
  const { item, items } = data.nouns
  if (index.length !== 1) return plural(index.length, item, items)
  return shorten(String(known.items.title[known.items.idx.indexOf(index[0])]), 32)
}

/** @param {View} view @param {number} k */
export function axisWords(view, k) {
  if (view.layout) return k === 0 ? `${view.source.layouts[view.layout].words}: ${CAUTION}` : ""
  return axisName(view, [view.want.x, view.want.y, view.want.z][k])
}
