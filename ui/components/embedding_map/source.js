// What the server answers, unpacked: frames of points in one basis, and what the points are. See
// ui/api/embeddings.py for the format.

import { element } from "../shared/dom.js"
import { request, requestJson } from "../shared/server.js"
import { mainGenres } from "./colours.js"
import { frameNow } from "./state.js"

/** @typedef {import("./types.js").About} About */
/** @typedef {import("./types.js").Columns} Columns */
/** @typedef {import("./types.js").Frames} Frames */
/** @typedef {import("./types.js").Head} Head */
/** @typedef {import("./types.js").MapData} MapData */
/** @typedef {import("./types.js").Near} Near */
/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./types.js").Special} Special */
/** @typedef {import("./types.js").View} View */

const NEIGHBOURS = 10

/** @param {ArrayBuffer} buffer */
export function unpack(buffer) {
  const view = new DataView(buffer)
  if (buffer.byteLength < 8 || view.getUint32(0, false) !== 0x4d465331)
    throw new Error("this is not an answer of the map's route")
  const length = view.getUint32(4, true),
    head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)))
  const shorts = new Int16Array(buffer, 8 + length),
    columns = head.columns.length,
    count = head.items + head.users
  const normed = head.columns[columns - 1] === "norm",
    width = normed ? columns - 1 : columns
  /** @type {Float32Array[]} */
  const frames = []
  /** @type {Float32Array[]} */
  const norms = []
  head.epochs.forEach((/** @type {unknown} */ _, /** @type {number} */ f) => {
    const frame = new Float32Array(count * width),
      norm = new Float32Array(normed ? count : 0)
    const scale = head.ranges[f].map((/** @type {number} */ range) => range / 32767)
    for (let row = 0, at = f * count * columns; row < count; row += 1, at += columns) {
      for (let k = 0; k < width; k += 1) frame[row * width + k] = shorts[at + k] * scale[k]
      if (normed) norm[row] = shorts[at + width] * scale[width]
    }
    frames.push(frame)
    norms.push(norm)
  })
  return { head, frames, norms, width, count }
}

// One column of both tables, items first; NaN or nothing where it is unknown.
/** @param {string} name @param {About} about @param {Head} head */
function numbersOf(name, { items, users }, head) {
  const out = new Float32Array(head.items + head.users).fill(NaN)
  const fill = (/** @type {any[] | undefined} */ column, /** @type {number} */ length, /** @type {number} */ start) => {
    for (let row = 0; column && row < length; row += 1) if (column[row] !== null) out[start + row] = column[row]
  }
  fill(items[name], head.items, 0)
  fill(users?.[name], head.users, head.items)
  return out
}

/** @param {Special} special */
function specialQuery({ items, sphere, between }) {
  const parts = [
    items ? `&items=${items.join(",")}` : "",
    sphere ? "&sphere=1" : "",
    between ? `&between=${between.from.join(",")}~${between.to.join(",")}` : "",
  ]
  return parts.join("")
}

/**
 * @param {MapData} data
 * @param {{ basis?: number | "final", special?: Special, about?: About }} how `about`: what is known of the points
 *   already
 * @param {AbortSignal} [signal]
 * @returns {Promise<Source>}
 */
export async function readSource(data, { basis = "final", special = {}, about }, signal) {
  const base = data.source,
    every = data.every ? "&every=1" : ""
  const query = `what=both&norm=1&components=8&basis=${basis}${every}${specialQuery(special)}`
  const [frames, known] = await Promise.all([
    request(`${base}?${query}`, { signal })
      .then(answer => answer.arrayBuffer())
      .then(unpack),
    about ?? readPoints(data, signal),
  ])
  return sourceFrom(frames, known, special.items ? aboutSome(known, frames.head.item_idx) : known)
}

/** What all points are. @param {MapData} data @param {AbortSignal} [signal] @returns {Promise<About>} */
export const readPoints = (data, signal) =>
  requestJson(`${data.source}/points${data.every ? "?every=1" : ""}`, { signal })

// Row of a film or user by its id, as an address names it.
/** @param {Source} source @param {string} kind @param {string} id */
export function rowById(source, kind, id) {
  const row = kind === "film" ? source.id.indexOf(id) : source.id.indexOf(id, source.items)
  return row < 0 || (kind === "film" && row >= source.items) ? undefined : row
}

// The facts of some of the films, in the order of the answer.
/** @param {About} about @param {number[]} index @returns {About} */
function aboutSome({ items, users }, index) {
  const place = new Map(items.idx.map((one, row) => [one, row])),
    rows = index.map(one => place.get(one) ?? -1)
  const some = Object.fromEntries(Object.entries(items).map(([name, column]) => [name, rows.map(row => column[row])]))
  return { items: /** @type {Columns} */ (some), users }
}

/** @param {Frames} frames @param {About} known of all points @param {About} about of these @returns {Source} */
function sourceFrom({ head, frames, norms, width, count }, known, about) {
  const { items, users } = about,
    texts = (/** @type {string} */ name, /** @type {string} */ other) =>
      items[name].slice(0, head.items).concat((users?.[other] ?? []).slice(0, head.users))
  const source = /** @type {Source} */ (
    /** @type {unknown} */ ({
      known,
      head,
      frames,
      norms,
      width,
      count,
      items: head.items,
      users: head.users,
      epochs: head.epochs,
      basis: head.basis,
      state: head.state,
      note: head.note,
      explained: head.explained.map(share => share ?? NaN),
      dim: head.dim ?? width,
      id: texts("id", "id").map(String),
      title: texts("title", "label"),
      genres: Array.from({ length: count }, (_, row) => (row < head.items ? items.genres?.[row] : null) ?? []),
      layouts: {},
      axisNames: [],
      sentences: [],
    })
  )
  for (const name of /** @type {const} */ (["year", "ratings", "mean", "bias"]))
    source[name] = numbersOf(name, about, head)
  source.genreTable = mainGenres(source, known.items.genres ?? []) // colours keep their meaning
  return source
}

// The films nearest to a film, or to a user, in all dimensions: of those on the map, with their cosine or dot product.
/** @param {View} view @param {number} row @param {string} measure */
export async function readNear(view, row, measure) {
  const { source, data, special } = view,
    film = row < source.items,
    index = film ? source.head.item_idx[row] : source.head.user_idx[row - source.items]
  const most = special.items ? 1000 : NEIGHBOURS
  const query = `${film ? "item" : "user"}=${index}&by=${measure}&epoch=${source.epochs[frameNow(view)]}&n=${most}`
  const { item_idx: nearest, value } = await requestJson(`${data.near}?${query}`)
  const rowOf = (source.rowOf ??= new Map(source.head.item_idx.map((one, at) => [one, at])))
  return nearest
    .map((/** @type {number} */ one, /** @type {number} */ at) => ({ row: rowOf.get(one), value: value[at] }))
    .filter((/** @type {Near} */ one) => one.row !== undefined)
    .slice(0, NEIGHBOURS)
}

// New frames of a run that is going on; true when there were any.
/** @param {View} view */
export async function readMore(view) {
  const { source, data } = view,
    last = source.epochs[source.epochs.length - 1] ?? -1
  const query = `what=both&norm=1&components=8&basis=${source.basis}&from=${last + 1}${specialQuery(view.special)}`
  const more = unpack(await (await request(`${data.source}?${query}`)).arrayBuffer())
  if (view.source !== source) return false
  source.state = more.head.state
  const gone = new Set(more.head.available),
    kept = source.epochs.map((epoch, f) => [epoch, f]).filter(([epoch]) => gone.has(epoch))
  const changed = kept.length !== source.epochs.length || more.frames.length > 0
  if (kept.length !== source.epochs.length) {
    for (const name of /** @type {const} */ (["frames", "norms"])) source[name] = kept.map(([, f]) => source[name][f])
    source.epochs = kept.map(([epoch]) => epoch)
  }
  turnSides(source, more.frames)
  source.frames.push(...more.frames)
  source.norms.push(...more.norms)
  source.epochs.push(...more.head.epochs)
  return changed
}

// What each axis means, in a few words for the axis itself and in a sentence for below. The map does not wait for it.
/** @param {View} view */
export async function readNames(view) {
  const { source, data, special } = view
  source.axisNames = []
  source.sentences = []
  drawNames(view) // those of other vectors, or of other axes, hold no longer
  if (!data.names) return
  try {
    const { axes } = await requestJson(`${data.names}?components=8&basis=${source.head.basis}${specialQuery(special)}`)
    if (view.source !== source) return
    source.sentences = axes.map((/** @type {any} */ axis) => axis.sentence)
    source.axisNames = axes.map((/** @type {any} */ { correlations: [first] }, /** @type {number} */ axis) => {
      if (!first || !(first.p < 0.01) || Math.abs(first.rho) < 0.25) return ""
      const name =
        first.rho * (source.flip?.[axis] ?? 1) > 0
          ? first.name
          : first.kind === "genre"
            ? `not ${first.name}`
            : first.name === "year"
              ? `older ${data.nouns.items}`
              : `low ${first.name}`
      return `${Math.abs(first.rho) >= 0.5 ? "mostly" : "partly"} ${name}`
    })
    view.fillControls()
    view.again()
  } catch {
    /* fewer than eight films have no names */
  }
  drawNames(view)
}

/** @param {View} view */
export function drawNames(view) {
  const { part, source, want } = view,
    shown = [...new Set(want.dims === 3 ? [want.x, want.y, want.z] : [want.x, want.y])]
  const sentences = view.layout ? [] : shown.map(axis => source.sentences?.[axis]).filter(Boolean)
  part.names.hidden = !sentences.length
  part.names.replaceChildren(
    ...(sentences.length ? [element("h3", { textContent: "What the axes stand for" })] : []),
    ...sentences.map(textContent => element("p", { textContent })),
  )
}

/** @param {any} options @param {Float32Array[]} frames */
export function turnSides({ flip, width }, frames) {
  flip?.forEach((/** @type {number} */ side, /** @type {any} */ axis) => {
    if (side > 0) return
    for (const frame of frames) for (let at = axis; at < frame.length; at += width) frame[at] = -frame[at]
  })
}
