// The row of controls above the map, and what choosing does.

import { element, setText } from "../shared/dom.js"
import { project, projecting } from "../shared/projector.js"
import { capital, one as an, whole } from "../shared/text.js"
import { SPEEDS, TOOLS, TRAILS } from "./address.js"
import { fly, home } from "./camera.js"
import { colourings } from "./colours.js"
import { askLayout } from "./layouts.js"
import { save } from "./picture.js"
import { axisName, endWords } from "./projection.js"
import { drawNames } from "./source.js"
import { frameAt, lastFrame, tellBriefly } from "./state.js"
import { drawTable } from "./table.js"
import { goTo, play } from "./timeline.js"
import { matcher } from "./words.js"

/** @typedef {import("./types.js").View} View */

/**
 * @param {HTMLSelectElement} select
 * @param {(string | number)[][]} entries
 * @param {string | number} current
 */
function options(select, entries, current) {
  select.replaceChildren(
    ...entries.map(([value, words]) => element("option", { value: String(value), textContent: words })),
  )
  select.value = String(current)
}

/** @type {Record<string, string>} */
const TRAIL_WORDS = { auto: "while moving", all: "always", selected: "of the selected", off: "off" }
const AXES = /** @type {const} */ (["x", "y", "z"])

// What can be chosen depends on what the source knows.
/** @param {View} view */
export function fillControls(view) {
  const { part, source, want, data } = view
  if (!source) return
  fillToggles(view)
  const methods = Object.entries(data.methods)
  part.layout.parentNode.hidden = !methods.length
  options(part.layout, [["", "PCA"], ...methods], view.making ?? view.layout ?? "")
  const axes = Array.from({ length: source.width }, (_, axis) => [axis, shortAxisName(view, axis)])
  for (const name of AXES) {
    options(part[name], axes, want[name])
    part[name].parentNode.hidden = Boolean(view.layout) || (name === "z" && want.dims === 2)
  }
  options(part.colour, colourings(source), want.colour)
  for (const tool of TOOLS) part[tool].setAttribute("aria-pressed", String(want.tool === tool))
  options(
    part.trails,
    TRAILS.map(trails => [trails, TRAIL_WORDS[trails]]),
    want.trails,
  )
  options(
    part.speed,
    SPEEDS.map(speed => [speed, `${speed}×`]),
    view.speed,
  )
  part.labels.checked = want.labels
  part.sized.checked = want.sized
  drawOwnAxis(view)
  part.sphere.checked = Boolean(view.special.sphere)
  part.loop.setAttribute("aria-pressed", String(view.loop))
}

/** The ends of an axis of one's own, as far as they are chosen. @param {View} view */
export function drawOwnAxis(view) {
  const { part, special, ends, data } = view,
    { from, to } = { ...special.between, ...ends }
  const words = (/** @type {number[] | undefined} */ end) => (end ? endWords(view, end) : "not chosen yet")
  setText(part["axis-ends"], from || to ? `From ${words(from)} to ${words(to)}.` : "")
  const how = `Choose ${an(data.nouns.item)} on the map, or several with Lasso or Box: that is one end. Then the other.`
  setText(part["axis-how"], from && to ? "" : how)
  part["axis-drop"].hidden = !from && !to
}

/** Items, users or both; in the plane or in space. @param {View} view */
function fillToggles(view) {
  const { part, source, want, data } = view,
    { items: many, users } = data.nouns
  const kinds = { films: capital(many), users: capital(users), both: "Both" }
  const show = (/** @type {string} */ kind) => {
    want.kinds = kind
    fillControls(view)
    view.renew()
  }
  const choices = source.users ? Object.entries(kinds) : []
  part.kinds.replaceChildren(...choices.map(([kind, words]) => toggle(words, want.kinds === kind, () => show(kind))))
  part.kinds.hidden = !source.users
  const spaces = source.width > 2 ? [2, 3] : [2]
  part.dims.replaceChildren(...spaces.map(dims => toggle(`${dims}-D`, want.dims === dims, () => setDims(view, dims))))
}

/** "1 · mostly popularity". @param {View} view @param {number} axis */
const shortAxisName = (view, axis) => axisName(view, axis).replace(/^Axis (\d+)[^·]*/, "$1 ")

/** @param {string} words @param {boolean} on @param {() => void} does */
function toggle(words, on, does) {
  const button = element("button", { type: "button", textContent: words, ariaPressed: String(on) })
  button.onclick = does
  return button
}

/** @param {View} view @param {number} dims */
function setDims(view, dims) {
  if (view.want.dims === dims) return
  view.want.dims = view.camera.dims = dims
  fly(view.camera, home(dims), performance.now(), view.calm, 900)
  fillControls(view)
  view.renew()
  drawNames(view)
}

/** @param {View} view @param {string} text */
export function search(view, text) {
  const { source, want, part } = view,
    test = matcher(text)
  want.find = text.trim()
  view.cursor = -1
  view.found =
    !source || !test
      ? []
      : view
          .drawn()
          .filter(row => test(source.title[row]))
          .sort((a, b) => (source.ratings[b] || 0) - (source.ratings[a] || 0))
  drawHits(view)
  part.hits.title = test && view.found.length ? "Enter goes to the next one" : ""
  view.refresh()
}

/** How many were found, or which of them one is at. @param {View} view */
export function drawHits({ part, want, found, cursor }) {
  const test = matcher(want.find),
    many = found.length ? whole(found.length) : "none"
  const counted = cursor >= 0 ? `${cursor + 1} of ${many}` : many
  setText(part.hits, test === undefined ? "not a valid expression" : test ? counted : "")
}

/** @param {View} view */
export function listenToControls(view) {
  const { part } = view
  part.find.oninput = () => search(view, part.find.value)
  part.find.onkeydown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter") goToNextFound(view, event.shiftKey ? -1 : 1)
    if (event.key !== "Escape") return
    view.clear()
    part.stage.focus({ preventScroll: true })
  }
  listenToChoices(view)
  listenToTimeline(view)
  part.home.onclick = () => view.home()
  part.closer.onclick = () => lookCloser(view)
  part.full.onclick = () => project(!projecting())
  for (const kind of ["png", "svg", "csv"]) part[kind].onclick = () => save(view, kind)
  part.tabled.onclick = () => {
    view.tabled = !view.tabled
    drawTable(view)
    view.settle()
  }
  for (const end of /** @type {const} */ (["from", "to"]))
    part[`axis-${end}`].onclick = () => view.setEnd(end, view.chosen >= 0 ? [view.chosen] : [...view.picked])
  part["axis-drop"].onclick = () => view.dropAxis()
  part.link.onclick = () => copyLink(view)
}

/** To what the page shows below the map; the projector, which shows the map alone, ends. @param {View} view */
function lookCloser(view) {
  const below = document.querySelector(".st-key-closer"),
    first = /** @type {HTMLElement | null | undefined} */ (below?.querySelector("button"))
  project(false)
  below?.scrollIntoView({ behavior: view.calm ? "auto" : "smooth", block: "start" })
  first?.focus({ preventScroll: true })
}

/** @param {View} view @param {number} by */
function goToNextFound(view, by) {
  const { found, places } = view
  if (!found.length) return
  view.cursor = (view.cursor + by + found.length) % found.length
  const row = found[view.cursor],
    [x, y, z] = places.subarray(3 * row, 3 * row + 3)
  drawHits(view)
  fly(view.camera, { x, y, z }, performance.now(), view.calm, 450)
  view.choose(row)
}

/** What is shown, and how. @param {View} view */
function listenToChoices(view) {
  const { part, want } = view
  for (const name of AXES) {
    part[name].onchange = () => {
      const before = want[name],
        chosen = Number(part[name].value),
        other = AXES.find(one => one !== name && want[one] === chosen)
      want[name] = chosen
      if (other) want[other] = before // the same axis twice is a diagonal line
      fillControls(view)
      view.renew()
      drawNames(view)
    }
  }
  for (const tool of TOOLS) {
    part[tool].onclick = () => {
      want.tool = tool
      view.root.dataset.tool = tool
      fillControls(view)
      view.settle()
    }
  }
  part.colour.onchange = () => {
    Object.assign(want, { colour: part.colour.value, genre: null })
    view.dress()
    view.settle()
  }
  part.trails.onchange = () => {
    want.trails = part.trails.value
    view.settle()
    view.again()
  }
  part.labels.onchange = () => {
    want.labels = part.labels.checked
    view.settle()
  }
  part.sized.onchange = () => {
    want.sized = part.sized.checked
    view.dress()
    view.settle()
  }
  part.layout.onchange = () => askLayout(view, part.layout.value)
  part.sphere.onchange = () => view.change({ sphere: part.sphere.checked })
}

/** @param {View} view */
function listenToTimeline(view) {
  const { part } = view,
    frame = () => frameAt(view, Number(part.slider.value))
  part.play.onclick = () => play(view, !view.playing)
  part.live.onclick = () => goTo(view, lastFrame(view))
  part.speed.onchange = () => {
    view.speed = Number(part.speed.value)
    view.settle()
  }
  part.loop.onclick = () => {
    view.loop = !view.loop
    part.loop.setAttribute("aria-pressed", String(view.loop))
    view.settle()
  }
  part.slider.oninput = () => {
    if (view.playing) play(view, false)
    view.sliding = true
    goTo(view, frame(), { glide: false })
  }
  part.slider.onchange = () => {
    view.sliding = false
    goTo(view, Math.round(frame()))
  }
}

/** @param {View} view */
async function copyLink(view) {
  await navigator.clipboard?.writeText(location.href).catch(() => {})
  tellBriefly(view, "The address of this view is copied.")
}
