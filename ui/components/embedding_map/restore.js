// From the map to its state and back: the map as an address says, where this source knows it.

import { isAt, writeQuery } from "../shared/address.js"
import { decode, encode, firstAxes, NAMES } from "./address.js"
import { isHome, placeCamera, poseOf } from "./camera.js"
import { colourings } from "./colours.js"
import { drawHits, search } from "./controls.js"
import { askLayout } from "./layouts.js"
import { isEmpty, MOST_NAMED, NOBODY } from "./members.js"
import { drawPanel } from "./panel.js"
import { readPoints, readSource, rowById } from "./source.js"
import { frameNow, lastFrame, messageOf, tellBriefly } from "./state.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").MapState} MapState */
/** @typedef {import("./types.js").Members} Members */
/** @typedef {import("./types.js").Special} Special */
/** @typedef {import("./types.js").About} About */

/** @param {View} view @returns {MapState} */
export function stateOf(view) {
  const { want, source, camera, chosen, special, picked } = view,
    frame = frameNow(view),
    own = ownAxis(view),
    lastAxis = special.between ? source.width - 1 : NaN
  const axes = [want.x, want.y, want.z].map(axis => (axis === lastAxis ? -1 : axis))
  return {
    kinds: /** @type {MapState["kinds"]} */ (want.kinds),
    dims: want.dims === 3 ? 3 : 2,
    axes,
    colour: want.colour === view.firstColour ? "" : want.colour,
    genre: want.genre ?? "",
    film: chosen >= 0 && chosen < source.items ? source.id[chosen] : "",
    user: chosen >= source.items ? source.id[chosen] : "",
    epoch: frame >= lastFrame(view) ? null : source.epochs[frame],
    cam: isHome(camera) || camera.goal ? null : poseOf(camera),
    find: want.find,
    at: view.found.length ? view.cursor : -1,
    picked: membersOf(
      view,
      [...picked].filter(row => row < source.items),
    ),
    pickedUsers: membersOf(
      view,
      [...picked].filter(row => row >= source.items),
    ),
    apart: special.items ? itemMembers(view.known, special.items) : NOBODY,
    own,
    sphere: Boolean(special.sphere),
    layout: view.making ?? view.layout ?? "",
    measure: view.measure,
    trails: want.trails,
    path: view.path,
    labels: want.labels,
    sized: want.sized,
    table: view.tabled,
    tool: want.tool,
    speed: view.speed,
    loop: view.loop,
  }
}

/** An axis of one's own, or the one end of it that is chosen so far. @param {View} view @returns {MapState["own"]} */
function ownAxis({ known, special, ends }) {
  const { from, to } = ends.from || ends.to ? ends : (special.between ?? {})
  if (!from && !to) return null
  return { from: itemMembers(known, from ?? []), to: itemMembers(known, to ?? []) }
}

/** @param {View} view @param {number[]} rows of items alone, or of users alone @returns {Members} */
function membersOf({ source }, rows) {
  const sorted = rows.sort((a, b) => a - b)
  if (sorted.length <= MOST_NAMED) return { ids: sorted.map(row => source.id[row]), index: [] }
  const { items, head } = source
  const index = sorted.map(row => (row < items ? head.item_idx[row] : head.user_idx[row - items]))
  return { ids: [], index: index.sort((a, b) => a - b) }
}

/** @param {About} known @param {number[]} index of items @returns {Members} */
function itemMembers({ items }, index) {
  const sorted = [...index].sort((a, b) => a - b)
  if (sorted.length > MOST_NAMED) return { ids: [], index: sorted }
  const place = new Map(items.idx.map((one, at) => [one, at]))
  return { ids: sorted.map(one => String(items.id[place.get(one) ?? -1])), index: [] }
}

/** Indices of items, those that are there. @param {About} known @param {Members} members */
function itemIndices({ items }, { ids, index }) {
  const place = new Map(items.id.map((id, at) => [String(id), items.idx[at]])),
    there = new Set(items.idx)
  return [...ids.map(id => place.get(id)), ...index].flatMap(one => (one !== undefined && there.has(one) ? [one] : []))
}

/**
 * Which vectors a state asks for, and on which axes.
 * @param {MapState} state @param {About} known @returns {Special}
 */
export function specialOf(state, known) {
  const items = itemIndices(known, state.apart),
    [from, to] = [state.own?.from ?? NOBODY, state.own?.to ?? NOBODY].map(end => itemIndices(known, end))
  return {
    ...(items.length && { items }),
    ...(state.sphere && { sphere: true }),
    ...(from.length && to.length && { between: { from, to } }),
  }
}

/** What the address asks for, loaded. @param {View} view @param {AbortSignal} [signal] */
export async function readAsked(view, signal) {
  const state = decode(location.search),
    { data } = view
  if (isEmpty(state.apart) && !state.own && !state.sphere) {
    const source = await readSource(data, { about: view.known }, signal)
    return { source, special: {} }
  }
  const known = view.known ?? (await readPoints(data, signal)),
    special = specialOf(state, known)
  try {
    return { source: await readSource(data, { special, about: known }, signal), special }
  } catch (error) {
    if (signal?.aborted || !Object.keys(special).length) throw error
    tellBriefly(view, messageOf(error)) // this data has no such selection or axis: the whole map, and why
    return { source: await readSource(data, { about: known }, signal), special: {} }
  }
}

/** Puts the map into the state the address names. @param {View} view whose source is the one that was asked for */
export function restore(view) {
  const { source, want } = view,
    state = decode(location.search)
  restoreWanted(view, state)
  const { epoch } = state,
    last = lastFrame(view),
    known = source.epochs.findLastIndex(one => epoch !== null && one <= epoch)
  const frame = epoch === null ? last : Math.max(0, known)
  Object.assign(view, { time: frame, following: frame === last, goalTime: null, layout: null })
  placeCamera(view.camera, state.cam, want.dims)
  restoreChosen(view, state)
  view.part.find.value = want.find = state.find
  view.root.dataset.tool = want.tool
  view.fillControls()
  view.renew({ still: true })
  if (want.find) search(view, want.find)
  view.cursor = state.at < view.found.length ? state.at : -1
  drawHits(view)
  if (state.layout && view.data.methods[state.layout]) askLayout(view, state.layout, { stay: Boolean(state.cam) })
  if (view.chosen >= 0) view.findNear()
  else drawPanel(view)
}

/** What is shown, how, and in which colours. @param {View} view @param {MapState} state */
function restoreWanted(view, state) {
  const { source, want, known, special } = view,
    ways = colourings(source),
    colour = state.colour.toLowerCase()
  view.firstColour = ways[0][0]
  Object.assign(want, {
    kinds: source.users ? state.kinds : "films",
    dims: source.width > 2 ? state.dims : 2,
    colour: ways.find(([key, words]) => [key, words.toLowerCase()].includes(colour))?.[0] ?? view.firstColour,
    genre: source.genreTable.named.includes(state.genre) ? state.genre : null,
    trails: state.trails,
    labels: state.labels,
    sized: state.sized,
    tool: state.tool,
  })
  const { measure, path, speed, loop, table: tabled } = state
  const ends = { from: state.own?.from ?? NOBODY, to: state.own?.to ?? NOBODY }
  Object.assign(view, { measure, path, speed, loop, tabled, ends: {} })
  if (!special.between)
    for (const end of /** @type {const} */ (["from", "to"]))
      if (!isEmpty(ends[end])) view.ends[end] = itemIndices(known, ends[end])
  const usual = firstAxes(special.between ? state.own : null),
    own = source.width - 1
  for (const [place, name] of /** @type {const} */ (["x", "y", "z"]).entries()) {
    const [axis, first] = [state.axes[place], usual[place]].map(one => (one < 0 && special.between ? own : one))
    const before = [want.x, want.y].slice(0, place),
      free = [axis, first, 0, 1, 2].find(one => one >= 0 && one < source.width && !before.includes(one))
    want[name] = free ?? place // the same axis twice is a diagonal line
  }
}

/** Who is chosen and picked; whoever is not on this map is named. @param {View} view @param {MapState} state */
function restoreChosen(view, state) {
  const { source, want, data } = view
  const film = state.film ? rowById(source, "film", state.film) : undefined
  const user = state.user ? rowById(source, "user", state.user) : undefined
  view.chosen = film ?? user ?? -1
  if (user !== undefined && film === undefined && want.kinds === "films") want.kinds = "both"
  if (state.film && film === undefined) tellBriefly(view, `${data.nouns.item} ${state.film} is not on this map.`)
  else if (state.user && user === undefined) tellBriefly(view, `${data.nouns.user} ${state.user} is not on this map.`)
  const rows = [rowsFrom(view, state.picked, "film"), rowsFrom(view, state.pickedUsers, "user")].flat()
  view.picked = new Set(rows)
}

/** @param {View} view @param {Members} members @param {"film" | "user"} kind */
function rowsFrom({ source }, { ids, index }, kind) {
  const { item_idx: items, user_idx: users } = source.head,
    start = kind === "film" ? 0 : source.items,
    place = new Map((kind === "film" ? items : users)?.map((one, at) => [one, start + at]))
  const rows = [...ids.map(id => rowById(source, kind, id)), ...index.map(one => place.get(one))]
  return rows.flatMap(row => (row === undefined ? [] : [row]))
}

/** Back and forward within this page: the map as that entry has it. @param {View} view */
export async function goBack(view) {
  if (!view.source || !isAt(view.place)) return // another page's address by now, or another run's
  clearTimeout(view.timers.rest) // what is on screen does not belong to the new address
  view.restoring = true
  const before = view.source
  try {
    const { source, special } = await readAsked(view)
    if (view.closed || view.source !== before || !isAt(view.place)) return
    view.adopt(source, special)
  } catch (error) {
    tellBriefly(view, messageOf(error))
  } finally {
    view.restoring = false
  }
}

/** @param {View} view */
export function writeAddress(view) {
  if (view.source && !view.restoring) writeQuery(view.place, NAMES, encode(stateOf(view)))
}
