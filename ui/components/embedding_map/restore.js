// The map as the address says, where this source knows it.

import { readAddress } from "./address.js"
import { aim, cameraFrom, home } from "./camera.js"
import { colourings } from "./colours.js"
import { search } from "./controls.js"
import { askLayout } from "./layouts.js"
import { drawPanel } from "./panel.js"
import { rowById } from "./source.js"
import { lastFrame, tellBriefly } from "./state.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {ReturnType<typeof readAddress>} Asked */

const TRAILS = ["all", "selected", "off"]

/** @param {View} view */
export function restore(view) {
  const { source, want, camera } = view,
    asked = readAddress()
  restoreWanted(view, asked)
  const { epoch } = asked,
    last = lastFrame(view)
  const frame =
    epoch === null
      ? last
      : Math.max(
          0,
          source.epochs.findLastIndex(one => one <= epoch),
        )
  Object.assign(view, { time: frame, following: frame === last, goalTime: null, layout: null })
  camera.dims = want.dims
  Object.assign(camera, home(want.dims), cameraFrom(asked.cam, want.dims), { goal: null, speed: null })
  aim(camera)
  restoreChosen(view, asked)
  view.part.find.value = want.find = asked.find
  view.fillControls()
  view.renew({ still: true })
  if (asked.sphere && !view.special.sphere) view.change({ sphere: true })
  if (want.find) search(view, want.find)
  if (asked.layout && view.data.methods[asked.layout]) askLayout(view, asked.layout)
  if (view.chosen >= 0) view.findNear()
  else drawPanel(view)
}

/** What is shown and in which colours. @param {View} view @param {Asked} asked */
function restoreWanted(view, asked) {
  const { source, want } = view,
    ways = colourings(source),
    colour = (asked.colour ?? "").toLowerCase()
  view.firstColour = ways[0][0]
  Object.assign(want, {
    kinds: source.users ? (asked.kinds ?? "films") : "films",
    dims: source.width > 2 ? (asked.dims ?? 2) : 2,
    colour: ways.find(([key, words]) => [key, words.toLowerCase()].includes(colour))?.[0] ?? view.firstColour,
    genre: source.genreTable.named.includes(asked.genre ?? "") ? asked.genre : null,
    trails: TRAILS.includes(asked.trails ?? "") ? asked.trails : "auto",
  })
  for (const [place, name] of /** @type {const} */ (["x", "y", "z"]).entries()) {
    const axis = asked[name]
    want[name] = axis !== null && axis < source.width ? axis : place
  }
}

/** Who is chosen and picked; whoever is not on this map is named. @param {View} view @param {Asked} asked */
function restoreChosen(view, asked) {
  const { source, want, data } = view
  const film = asked.film ? rowById(source, "film", asked.film) : undefined
  const user = asked.user ? rowById(source, "user", asked.user) : undefined
  view.chosen = film ?? user ?? -1
  if (user !== undefined && film === undefined && want.kinds === "films") want.kinds = asked.kinds ?? "both"
  if (asked.film && film === undefined) tellBriefly(view, `${data.nouns.item} ${asked.film} is not on this map.`)
  else if (asked.user && user === undefined) tellBriefly(view, `${data.nouns.user} ${asked.user} is not on this map.`)
  view.picked = new Set(asked.sel.map(id => rowById(source, "film", id)).filter(row => row !== undefined))
}
