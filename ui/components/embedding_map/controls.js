// The row of controls above the map, and what choosing does.

import { element, setText } from "../shared/dom.js"
import { project, projecting } from "../shared/projector.js"
import { plural, whole } from "../shared/text.js"
import { readAddress, writeAddress } from "./address.js"
import { aim, cameraFrom, fly, home } from "./camera.js"
import { colourings } from "./colours.js"
import { askLayout } from "./layouts.js"
import { drawHover, drawPanel } from "./panel.js"
import { axisName } from "./projection.js"
import { drawNames, readNear, readSource, rowById } from "./source.js"
import { SPEEDS, frameAt, frameNow, goTo, lastFrame, play } from "./timeline.js"
import { takeOver } from "./updates.js"
import { matcher, shorten } from "./words.js"

export function choosing(view) {
  return {
    choose(row) {
      view.chosen = row
      if (row < 0 && !view.near.length && !view.picked.size) {
        view.dress()
        view.settle()
        return
      }
      if (row < 0 && view.picked.size && view.near.length === 0) view.picked = new Set()
      view.near = []
      view.findNear()
    },
    pick(rows) {
      view.picked = new Set(rows)
      view.chosen = -1
      view.near = []
      view.refresh()
    },
    refresh() {
      view.dress()
      drawPanel(view)
      view.settle()
    },
    async findNear({ quiet = false } = {}) {
      const { chosen, source } = view
      if (chosen < 0) {
        if (!quiet) view.refresh()
        return
      }
      if (!quiet) view.refresh()
      const asked = `${chosen} ${frameNow(view)} ${view.measure}`,
        before = view.near.map(one => one.row).join()
      if (quiet && view.nearOf === asked && view.near.length) return
      let near
      try {
        near = await readNear(view, chosen, view.measure)
      } catch (error) {
        view.nearWords = error.message
        drawPanel(view)
        return
      }
      if (view.chosen !== chosen || view.source !== source) return
      Object.assign(view, { near, nearOf: asked })
      if (quiet && before === near.map(one => one.row).join()) {
        drawPanel(view)
        return
      }
      view.nearWords = "It has no direction, so nothing is near it."
      view.dress()
      drawPanel(view)
      if (!quiet) view.settle()
    },
    point(row, place) {
      if (row !== view.hover) {
        view.hover = row
        view.part.stage.style.cursor = row >= 0 ? "pointer" : ""
        view.again()
      }
      drawHover(view, place)
    },
    clear() {
      if (view.playing) play(view, false)
      Object.assign(view, { chosen: -1, picked: new Set(), near: [], found: [], cursor: -1 })
      view.want.find = view.part.find.value = ""
      view.want.genre = null
      setText(view.part.hits, "")
      if (view.special.items) view.isolate(null)
      view.refresh()
    },
    home() {
      fly(view.camera, home(view.want.dims), performance.now(), view.calm)
      view.settle()
      view.again()
    },
    // Another way of putting the vectors into the plane is computed by the server, for all epochs and in one basis again.
    async change(special) {
      const { source, data } = view,
        asked = (view.asked = { ...view.special, ...special })
      for (const [name, value] of Object.entries(asked)) if (!value) delete asked[name]
      try {
        const next = await readSource(data, { basis: source.head.basis, special: asked, about: view.about })
        if (view.source === source && view.asked === asked) takeOver(view, next, asked)
      } catch (error) {
        tellBriefly(view, error.message)
      }
    },
    isolate(rows) {
      const films = rows?.filter(row => row < view.source.items)
      if (films && films.length < 3) {
        tellBriefly(view, "Select at least three to see them apart.")
        return
      }
      view.change({ items: films ? films.map(row => view.source.head.item_idx[row]) : null, between: null })
    },
    setCustom() {
      const { from, to } = view.ends
      if (!from || !to) {
        tellBriefly(view, `Now choose ${from ? "where the axis leads to" : "where the axis comes from"}.`)
        return
      }
      const name = rows =>
        rows.length === 1 ? shorten(view.source.title[rows[0]], 32) : plural(rows.length, view.data.nouns[0])
      const index = rows =>
        rows
          .filter(row => row < view.source.items)
          .slice(0, 200)
          .map(row => view.source.head.item_idx[row])
      view.ends = {}
      view.change({ between: { from: index(from), to: index(to), words: `from ${name(from)} to ${name(to)}` } })
    },
  }
}

export function tellBriefly(view, words) {
  setText(view.part.toast, words)
  view.part.toast.hidden = false
  clearTimeout(view.toasted)
  view.toasted = setTimeout(() => {
    view.part.toast.hidden = true
  }, 4000)
}

function options(select, entries, current) {
  select.replaceChildren(
    ...entries.map(([value, words]) => element("option", { value: String(value), textContent: words })),
  )
  select.value = String(current)
}

// What can be chosen depends on what the source knows.
export function fillControls(view) {
  const { part, source, want, data } = view
  if (!source) return
  const kinds = { films: data.nouns[1][0].toUpperCase() + data.nouns[1].slice(1), users: "Users", both: "Both" }
  part.kinds.replaceChildren(
    ...(source.users ? Object.entries(kinds) : []).map(([value, words]) =>
      toggle(words, want.kinds === value, () => {
        want.kinds = value
        fillControls(view)
        view.renew()
      }),
    ),
  )
  part.kinds.hidden = !source.users
  part.dims.replaceChildren(
    ...(source.width > 2 ? [2, 3] : [2]).map(dims =>
      toggle(`${dims}-D`, want.dims === dims, () => setDims(view, dims)),
    ),
  )
  const methods = Object.entries(data.methods ?? {})
  part.layout.parentNode.hidden = !methods.length
  options(part.layout, [["", "PCA"], ...methods], view.making ?? view.layout ?? "")
  const axes = Array.from({ length: source.width }, (_, axis) => [
    axis,
    axisName(view, axis).replace(/^Axis (\d+)[^·]*/, "$1 "),
  ])
  for (const name of ["x", "y", "z"]) {
    options(part[name], axes, want[name])
    part[name].parentNode.hidden = Boolean(view.layout) || (name === "z" && want.dims === 2)
  }
  options(part.colour, colourings(source), want.colour)
  for (const [name, tool] of [
    ["move", "move"],
    ["lasso", "lasso"],
    ["box", "box"],
  ])
    part[name].setAttribute("aria-pressed", String(want.tool === tool))
  options(
    part.trails,
    [
      ["auto", "while moving"],
      ["all", "always"],
      ["selected", "of the selected"],
      ["off", "off"],
    ],
    want.trails,
  )
  options(
    part.speed,
    SPEEDS.map(speed => [speed, `${speed}×`]),
    view.speed,
  )
  for (const name of ["labels", "sized"]) part[name].checked = want[name]
  part.sphere.checked = Boolean(view.special.sphere)
}

function toggle(words, on, does) {
  const button = element("button", { type: "button", textContent: words, ariaPressed: String(on) })
  button.onclick = does
  return button
}

function setDims(view, dims) {
  if (view.want.dims === dims) return
  view.want.dims = view.camera.dims = dims
  fly(view.camera, home(dims), performance.now(), view.calm, 900)
  fillControls(view)
  view.renew()
  drawNames(view)
}

function search(view, text) {
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
  setText(
    part.hits,
    test === undefined ? "not a valid expression" : test ? (view.found.length ? whole(view.found.length) : "none") : "",
  )
  part.hits.title = test && view.found.length ? "Enter goes to the next one" : ""
  view.refresh()
}

export function listenToControls(view) {
  const { part, want } = view
  part.find.oninput = () => search(view, part.find.value)
  part.find.onkeydown = event => {
    if (event.key === "Escape") {
      view.clear()
      part.stage.focus({ preventScroll: true })
    }
    if (event.key !== "Enter" || !view.found.length) return
    view.cursor = (view.cursor + (event.shiftKey ? view.found.length - 1 : 1)) % view.found.length
    const row = view.found[view.cursor]
    setText(part.hits, `${view.cursor + 1} of ${view.found.length}`)
    fly(
      view.camera,
      { x: view.places[3 * row], y: view.places[3 * row + 1], z: view.places[3 * row + 2] },
      performance.now(),
      view.calm,
      450,
    )
    view.choose(row)
  }
  for (const name of ["x", "y", "z"])
    part[name].onchange = () => {
      want[name] = Number(part[name].value)
      view.renew()
      drawNames(view)
    }
  part.colour.onchange = () => {
    want.colour = part.colour.value
    want.genre = null
    view.dress()
    view.settle()
  }
  part.layout.onchange = () => askLayout(view, part.layout.value)
  for (const tool of ["move", "lasso", "box"])
    part[tool].onclick = () => {
      want.tool = tool
      view.root.dataset.tool = tool
      fillControls(view)
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
  }
  part.sphere.onchange = () => view.change({ sphere: part.sphere.checked })
  part.home.onclick = () => view.home()
  part.play.onclick = () => play(view, !view.playing)
  part.speed.onchange = () => {
    view.speed = Number(part.speed.value)
  }
  part.loop.onclick = () => {
    view.loop = !view.loop
    part.loop.setAttribute("aria-pressed", String(view.loop))
  }
  part.slider.oninput = () => {
    if (view.playing) play(view, false)
    view.sliding = true
    goTo(view, frameAt(view, Number(part.slider.value)), { glide: false })
  }
  part.slider.onchange = () => {
    view.sliding = false
    goTo(view, Math.round(frameAt(view, Number(part.slider.value))))
  }
  part.full.onclick = () => project(!projecting())
  part.live.onclick = () => goTo(view, lastFrame(view))
  part.picture.onclick = () => savePicture(view)
  part.link.onclick = async () => {
    writeAddress(view)
    await navigator.clipboard?.writeText(location.href).catch(() => {})
    tellBriefly(view, "The address of this view is copied.")
  }
}

function savePicture(view) {
  const { part, look } = view,
    canvas = element("canvas", { width: part.overlay.width, height: part.overlay.height }),
    context = canvas.getContext("2d")
  view.painter.draw(view.camera, look) // in this very moment, for a drawing buffer is empty once it was shown
  context.fillStyle = look.background
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(part.points, 0, 0)
  context.drawImage(part.overlay, 0, 0)
  canvas.toBlob(blob => {
    const link = element("a", { href: URL.createObjectURL(blob), download: "embeddings.png" })
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 5000)
  })
}

// What the address says, where this source knows it.
export function restore(view) {
  const { source, want, camera } = view,
    asked = readAddress(),
    ways = colourings(source),
    width = source.width
  const named = ways.find(([key, words]) => [key, words.toLowerCase()].includes((asked.colour ?? "").toLowerCase()))
  view.firstColour = ways[0][0]
  Object.assign(want, {
    kinds: source.users ? (asked.kinds ?? "films") : "films",
    dims: width > 2 ? (asked.dims ?? 2) : 2,
    colour: named?.[0] ?? view.firstColour,
    genre: source.genreTable.named.includes(asked.genre) ? asked.genre : null,
    trails: ["all", "selected", "off"].includes(asked.trails) ? asked.trails : "auto",
  })
  for (const [name, fallback] of [
    ["x", 0],
    ["y", 1],
    ["z", 2],
  ])
    want[name] = asked[name] !== null && asked[name] < width ? asked[name] : fallback
  const frame =
    asked.epoch === null
      ? lastFrame(view)
      : Math.max(
          0,
          source.epochs.findLastIndex(epoch => epoch <= asked.epoch),
        )
  Object.assign(view, { time: frame, following: frame === lastFrame(view), goalTime: null, layout: null })
  camera.dims = want.dims
  Object.assign(camera, home(want.dims), cameraFrom(asked.cam, want.dims), { goal: null, speed: null })
  aim(camera)
  const film = asked.film ? rowById(source, "film", asked.film) : undefined,
    user = asked.user ? rowById(source, "user", asked.user) : undefined
  view.chosen = film ?? user ?? -1
  if (user !== undefined && film === undefined && want.kinds === "films") want.kinds = asked.kinds ?? "both"
  if ((asked.film && film === undefined) || (asked.user && user === undefined))
    tellBriefly(
      view,
      `${asked.film && film === undefined ? `${view.data.nouns[0]} ${asked.film}` : `user ${asked.user}`} is not on this map.`,
    )
  view.picked = new Set(asked.sel.map(id => rowById(source, "film", id)).filter(row => row !== undefined))
  view.part.find.value = want.find = asked.find
  fillControls(view)
  view.renew({ still: true })
  if (asked.sphere && !view.special.sphere) view.change({ sphere: true })
  if (want.find) search(view, want.find)
  if (view.data.methods?.[asked.layout]) askLayout(view, asked.layout)
  if (view.chosen >= 0) view.findNear()
  else drawPanel(view)
}
