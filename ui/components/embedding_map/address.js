// The map's state in the address, so that a link, a reload or the back button shows the same thing. Nothing here
// touches the page: what is read is a state, what is written is text.

import { clamp } from "../shared/text.js"
import { poseFrom, poseText } from "./camera.js"
import { isEmpty, membersFrom, membersText, NOBODY } from "./members.js"

/** @typedef {import("./types.js").MapState} MapState */

const KINDS = { films: "", users: "Users", both: "Both" }
const OWN_AXIS = "own"
export const TRAILS = ["auto", "all", "selected", "off"]
export const SPEEDS = [0.25, 0.5, 1, 2, 4]
export const TOOLS = ["move", "lasso", "box"]
export const MEASURES = ["cosine", "dot"]
const MOST_AXES = 255

/** Every parameter that is the map's, in the order of the address. */
export const NAMES = [
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
  "at",
  "sel",
  "selusers",
  "apart",
  "own",
  "sphere",
  "show",
  "near",
  "trails",
  "path",
  "names",
  "sizes",
  "table",
  "drag",
  "speed",
  "loop",
]

/** @returns {MapState} the map as it opens */
export const freshMap = () => ({
  kinds: "films",
  dims: 2,
  axes: [0, 1, 2],
  colour: "",
  genre: "",
  film: "",
  user: "",
  epoch: null,
  cam: null,
  find: "",
  at: -1,
  picked: NOBODY,
  pickedUsers: NOBODY,
  apart: NOBODY,
  own: null,
  sphere: false,
  layout: "",
  measure: "cosine",
  trails: "auto",
  path: true,
  labels: true,
  sized: true,
  table: false,
  tool: "move",
  speed: 1,
  loop: true,
})

/** Which axes a map begins with; -1 is an axis of one's own. @param {MapState["own"]} own @returns {number[]} */
export const firstAxes = own => (own && !isEmpty(own.to) ? [-1, 0, 1] : [0, 1, 2])

/**
 * Only what differs from the map as it opens is written.
 * @param {MapState} state
 * @returns {Record<string, string>}
 */
export function encode(state) {
  const axes = firstAxes(state.own),
    off = (/** @type {boolean} */ on) => (on ? "" : "0"),
    other = (/** @type {string | number} */ value, /** @type {string | number} */ usual) =>
      value === usual ? "" : String(value)
  const [x, y, z] = state.axes.map((axis, k) => (axis === axes[k] ? "" : axis < 0 ? OWN_AXIS : String(axis + 1)))
  const { own } = state
  return {
    points: KINDS[state.kinds],
    axes: state.dims === 3 ? "3-D" : "",
    x,
    y,
    z,
    colour: state.colour,
    genre: state.genre,
    film: state.film,
    user: state.user,
    epoch: state.epoch === null ? "" : String(state.epoch),
    cam: state.cam ? poseText(state.cam) : "",
    find: state.find,
    at: state.at < 0 ? "" : String(state.at + 1),
    sel: membersText(state.picked),
    selusers: membersText(state.pickedUsers),
    apart: membersText(state.apart),
    own: own ? `${membersText(own.from)}~${membersText(own.to)}` : "",
    sphere: state.sphere ? "1" : "",
    show: state.layout,
    near: other(state.measure, "cosine"),
    trails: other(state.trails, "auto"),
    path: off(state.path),
    names: off(state.labels),
    sizes: off(state.sized),
    table: state.table ? "1" : "",
    drag: other(state.tool, "move"),
    speed: other(state.speed, 1),
    loop: off(state.loop),
  }
}

/**
 * What an address asks for; nonsense in it is passed over.
 * @param {string} search such as location.search
 * @returns {MapState}
 */
export function decode(search) {
  const query = new URLSearchParams(search),
    text = (/** @type {string} */ name) => query.get(name) ?? "",
    whole = (/** @type {string} */ name) => (/^\d{1,9}$/.test(text(name)) ? Number(text(name)) : null)
  const [from, to] = text("own").split("~").map(membersFrom),
    own = query.has("own") && (!isEmpty(from) || !isEmpty(to ?? NOBODY)) ? { from, to: to ?? NOBODY } : null
  const usual = firstAxes(own)
  const axes = ["x", "y", "z"].map((name, k) => {
    const asked = whole(name)
    return text(name) === OWN_AXIS ? -1 : asked ? clamp(asked - 1, 0, MOST_AXES) : usual[k]
  })
  const points = text("points").toLowerCase(),
    among = (/** @type {string} */ name, /** @type {string[]} */ known) =>
      known.includes(text(name)) ? text(name) : known[0]
  return {
    kinds: points === "users" || points === "both" ? points : "films",
    dims: text("axes") === "3-D" ? 3 : 2,
    axes: /** @type {[number, number, number]} */ (axes),
    colour: text("colour"),
    genre: text("genre"),
    film: text("film"),
    user: text("user"),
    epoch: whole("epoch"),
    cam: poseFrom(text("cam")),
    find: text("find"),
    at: (whole("at") ?? 0) - 1,
    picked: membersFrom(text("sel")),
    pickedUsers: membersFrom(text("selusers")),
    apart: membersFrom(text("apart")),
    own,
    sphere: text("sphere") === "1",
    layout: text("show"),
    measure: among("near", MEASURES),
    trails: among("trails", TRAILS),
    path: text("path") !== "0",
    labels: text("names") !== "0",
    sized: text("sizes") !== "0",
    table: text("table") === "1",
    tool: among("drag", TOOLS),
    speed: SPEEDS.includes(Number(text("speed"))) ? Number(text("speed")) : 1,
    loop: text("loop") !== "0",
  }
}
