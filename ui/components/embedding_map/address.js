// The map's state in the address, so that a link or a reload shows the same thing. The address is replaced, never
// pushed, and the
// page is not run again for it: Streamlit sends the whole query along with its next run anyway.

import { clamp } from "../shared/text.js"
import { cameraText, home } from "./camera.js"

/** @typedef {import("./types.js").View} View */

const OWN = [
  "points",
  "axes",
  "x",
  "y",
  "z",
  "colour",
  "genre",
  "film",
  "user",
  "epoch",
  "cam",
  "find",
  "sel",
  "sphere",
  "trails",
  "show",
]
/** @type {Record<string, string>} */
const KINDS = { films: "Films", users: "Users", both: "Both" }

export function readAddress() {
  const query = new URLSearchParams(location.search),
    text = (/** @type {string} */ name) => query.get(name)
  const axis = (/** @type {string} */ name) =>
    /^\d+$/.test(text(name) ?? "") ? clamp(Number(text(name)) - 1, 0, 255) : null
  const kind = (text("points") ?? "").toLowerCase()
  return {
    kinds: kind in KINDS ? kind : kind === "items" ? "films" : null,
    dims: text("axes") === "3-D" ? 3 : text("axes") === "2-D" ? 2 : null,
    x: axis("x"),
    y: axis("y"),
    z: axis("z"),
    colour: text("colour"),
    genre: text("genre"),
    film: text("film"),
    user: text("user"),
    epoch: /^\d+$/.test(text("epoch") ?? "") ? Number(text("epoch")) : null,
    cam: text("cam"),
    find: text("find") ?? "",
    sel: (text("sel") ?? "").split(".").filter(Boolean),
    sphere: text("sphere") === "1",
    trails: text("trails"),
    layout: text("show"),
  }
}

// Only what differs from the map as it opens is written.
/** @param {View} view @returns {Record<string, any>} */
function addressOf(view) {
  const { want, source, camera, chosen } = view,
    last = source.frames.length - 1,
    frame = Math.round(view.time)
  const rest = Object.entries(home(want.dims))
  const resting = rest.every(([key, value]) => Math.abs(camera[/** @type {"x"} */ (key)] - value) < 0.004)
  const picked = [...view.picked].filter(row => row < source.items)
  return {
    points: want.kinds === "films" ? null : KINDS[want.kinds],
    axes: want.dims === 3 ? "3-D" : null,
    colour: want.colour === view.firstColour ? null : want.colour,
    genre: want.genre,
    x: want.x === 0 || view.special.between ? null : want.x + 1,
    y: want.y === 1 ? null : want.y + 1,
    z: want.z === 2 ? null : want.z + 1,
    film: chosen >= 0 && chosen < source.items ? source.id[chosen] : null,
    user: chosen >= source.items ? source.id[chosen] : null,
    epoch: frame >= last ? null : source.epochs[frame],
    cam: resting || camera.goal ? null : cameraText(camera),
    find: want.find || null,
    sel: picked.length && picked.length <= 80 ? picked.map(row => source.id[row]).join(".") : null,
    sphere: view.special.sphere ? 1 : null,
    trails: want.trails === "auto" ? null : want.trails,
    show: view.layout,
  }
}

/** @param {View} view */
export function writeAddress(view) {
  const query = new URLSearchParams(location.search),
    own = addressOf(view)
  for (const name of OWN) query.delete(name) // then in one order, so that the same view has the same address
  for (const name of OWN)
    if (own[name] !== null && own[name] !== undefined && own[name] !== "") query.append(name, own[name])
  const text = query.toString(),
    target = `${location.pathname}${text ? `?${text}` : ""}${location.hash}`
  if (target !== `${location.pathname}${location.search}${location.hash}`)
    history.replaceState(history.state, "", target)
}
