// One state for each mounted map: what is wanted, what is drawn, and when to draw again.

const VIEWS = new WeakMap()
const LIVE_PAUSE = 700 // milliseconds between two looks at a run that is going on

function makeView(root) {
  const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map(node => [node.dataset.part, node]))
  const view = {
    root, part, data: {}, look: {}, source: null, camera: makeCamera(), picked: new Set(), near: [], found: [], labels: new Map(), ends: {}, popular: [],
    chosen: -1, hover: -1, cursor: -1, time: 0, goalTime: null, ticked: null, special: {}, speed: 1, loop: true, path: true, measure: "cosine", following: true, live: 0,
    calm: matchMedia("(prefers-reduced-motion: reduce)").matches, painter: makePainter(part.points, root.dataset.plain === "true"),
    want: { kinds: "films", dims: 2, x: 0, y: 1, z: 2, colour: "genre", genre: null, tool: "move", trails: "auto", labels: true, sized: true, find: "" },
  }
  part.points = root.querySelector("[data-part=points]")
  root.dataset.painter = view.painter.kind
  Object.assign(view, drawing(view), choosing(view))
  listenToPointer(view)
  listenToKeys(view)
  listenToControls(view)
  view.resizer = new ResizeObserver(() => measure(view))
  view.resizer.observe(part.stage)
  view.back = () => { if (view.source) { restore(view); view.again() } }
  addEventListener("popstate", view.back)
  part.points.addEventListener("webglcontextlost", event => event.preventDefault())
  part.points.addEventListener("webglcontextrestored", () => { view.painter = makePainter(part.points); view.dress(); view.again() })
  root.mfsView = view // for tests and the console
  return view
}

function measure(view) {
  const { part, camera, look } = view, width = part.stage.clientWidth, height = part.stage.clientHeight
  if (!width || !height) return
  look.ratio = Math.min(devicePixelRatio || 1, 2)
  view.big = Boolean(document.fullscreenElement && document.fullscreenElement.contains(view.root))
  view.root.dataset.big = String(view.big)
  look.text = view.big ? 18 : width < 600 ? 11 : 12.5
  const changed = camera.width !== width || camera.height !== height
  Object.assign(camera, { width, height })
  for (const canvas of [part.points, part.overlay]) {
    const size = [Math.round(width * look.ratio), Math.round(height * look.ratio)]
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size
  }
  if (changed && view.source) view.renew({ still: true })
  view.again(true)
}

function readLook(view) {
  const style = getComputedStyle(view.root), ground = style.getPropertyValue("--st-background-color").trim() || "#ffffff"
  const [r, g, b] = bytesOf(ground), theme = 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light", shades = view.data.colours[theme]
  const changed = view.look.theme !== theme || view.look.background !== ground
  Object.assign(view.look, {
    theme, background: ground, ground: [r, g, b], ink: shades.text, soft: shades.text, muted: shades.muted, grid: shades.grid, primary: style.getPropertyValue("--st-primary-color").trim() || shades.primary,
    font: style.fontFamily || "sans-serif", faint: bytesOf(shades.baseline), one: bytesOf(shades.mf), users: bytesOf(shades.text), ratio: view.look.ratio ?? 1, text: view.look.text ?? 12.5,
  })
  for (const name of ["grid", "muted", "surface", "good"]) view.root.style.setProperty(`--mfs-${name}`, shades[name])
  return changed
}

// --- what is drawn -----------------------------------------------------------------------------------------------------

function drawing(view) {
  return {
    // A frame is asked for only when something moves; a still map costs nothing.
    again(now) {
      if (now) view.moved = true
      view.request ??= requestAnimationFrame(step(view))
    },
    redraw() { drawPanel(view); view.again() },
    // Something moved: names are chosen anew once it rests, and then the address is written.
    settle() {
      clearTimeout(view.rest)
      view.rest = setTimeout(() => { if (view.source && !view.closed) { view.findNear({ quiet: true }); chooseLabels(view); writeAddress(view); view.again() } }, view.calm ? 0 : 160)
    },
    remember() { view.settle() },
    // Another way to look at the same vectors: points fly from where they are.
    renew({ still = false } = {}) {
      const { source } = view
      if (!source) return
      const before = view.places && view.places.length === 3 * source.count ? view.places.slice() : null
      chooseRows(view)
      view.lens = lensOf(view)
      if (!before) view.places = new Float32Array(3 * source.count)
      view.screen = view.screen?.length === 2 * source.count ? view.screen : new Float32Array(2 * source.count)
      placesAt(view, view.time, view.places)
      view.morph = before && !still && !view.calm ? { from: before, began: performance.now(), length: 750 } : null
      view.moved = true
      view.dress()
      view.settle()
    },
    norms() { return view.source.norms[frameNow(view)] },
    rowsOf(kinds) {
      const { items, count } = view.source
      return Array.from({ length: count }, (_, row) => row).filter(row => (row < items ? kinds !== "users" : kinds !== "films"))
    },
    // Rows on the map now.
    drawn() { return view.rows ?? [] },
    shown(row) { return view.marks && view.marks[2 * row] > 0 },
    dimmed(row) { return view.dim[row] === 1 },
    dress() { dress(view); view.again() },
  }
}

// Which rows are on the map: films, users or both; of a layout, those it has a place for.
function chooseRows(view) {
  const { source, want } = view, there = view.layout ? new Set(source.layouts[view.layout].rows) : null
  view.rows = view.rowsOf(view.special.items && want.kinds === "users" ? "both" : want.kinds).filter(row => !there || there.has(row))
}

// Colour, size and order of the points: what is looked at lies on top.
function dress(view) {
  const { source, want, look } = view
  if (!source) return
  view.paint = paintBy(view)
  const { count, items } = source, focus = new Set([...view.picked, ...view.found, ...(view.chosen >= 0 ? [view.chosen, ...view.near.map(one => one.row)] : [])])
  view.inks = view.inks?.length === 4 * count ? view.inks : new Uint8Array(4 * count)
  view.marks = view.marks?.length === 2 * count ? view.marks.fill(0) : new Float32Array(2 * count)
  view.dim = new Uint8Array(count)
  const base = clamp(8.2 * (1500 / Math.max(view.rows.length, 1)) ** 0.3, 2.3, 11) * (view.big ? 1.5 : 1) * (view.camera.width < 600 ? 0.75 : 1)
  const most = Math.sqrt(Math.max(1, ...[...source.ratings.subarray(0, items)].slice(0, 5000).filter(known))), layers = [[], [], []]
  for (const row of view.rows) {
    const faded = (focus.size && !focus.has(row)) || (want.genre && !source.genres[row].includes(want.genre))
    view.dim[row] = faded ? 1 : 0
    const weight = want.sized && row < items && known(source.ratings[row]) ? 0.62 + 0.95 * Math.min(1, Math.sqrt(source.ratings[row]) / most) : 0.8
    view.marks[2 * row] = base * weight * (focus.has(row) ? 1.3 : 1)
    view.marks[2 * row + 1] = row < items ? 0 : 1
    for (let k = 0; k < 3; k += 1) view.inks[4 * row + k] = view.paint.inks[3 * row + k]
    view.inks[4 * row + 3] = faded ? 38 : row < items ? (want.dims === 3 ? 250 : 205) : 150
    if (want.dims === 3 && faded) for (let k = 0; k < 3; k += 1) view.inks[4 * row + k] = 0.15 * view.inks[4 * row + k] + 0.85 * look.ground[k]
    layers[faded ? 0 : focus.has(row) ? 2 : 1].push(row)
  }
  layers[1].sort((a, b) => view.marks[2 * b] - view.marks[2 * a]) // small ones on top of large ones
  view.painter.looks(view.inks, view.marks, Uint32Array.from(layers.flat()))
  drawLegend(view)
  view.root.dataset.points = String(view.rows.length)
  view.styled = true
}

const step = view => now => {
  view.request = null
  if (view.closed || !view.source || !view.camera.height) return
  const flying = glide(view.camera, now), ticking = tick(view, now)
  if (flying || ticking || view.morph || view.moved) {
    placesAt(view, Math.min(view.time, lastFrame(view)), view.places)
    if (view.morph) {
      const { from, began, length } = view.morph, u = ease(clamp((now - began) / length, 0, 1))
      for (let k = 0; k < from.length; k += 1) if (known(from[k]) && known(view.places[k])) view.places[k] = from[k] + (view.places[k] - from[k]) * u
      if (now - began >= length) { view.morph = null; view.settle() }
    }
    view.painter.places(view.places)
    view.moved = false
  }
  if (ticking) renewWhilePlaying(view, now)
  drawTrails(view)
  view.painter.draw(view.camera, view.look)
  drawOverlay(view, now)
  drawTime(view)
  view.drawnFrames = (view.drawnFrames ?? 0) + 1
  if (!view.root.dataset.drawn) view.root.dataset.drawn = String(Math.round(performance.now()))
  if (flying || ticking || view.morph) { view.again(true) } else if (view.trailing && view.want.trails === "auto") view.again()
}

function renewWhilePlaying(view, now) {
  if (now - (view.relabelled ?? 0) < 700) return
  view.relabelled = now
  if (view.want.colour === "norm") dress(view)
  chooseLabels(view)
}

// --- what is shown: loading, following ---------------------------------------------------------------------------------

async function open(view) {
  const { data } = view
  view.abort?.abort()
  view.abort = new AbortController()
  Object.assign(view, { source: null, special: {}, about: null, ends: {}, layout: null, picked: new Set(), near: [], found: [], chosen: -1, hover: -1, score: null, labels: new Map(), places: null, inks: null, marks: null })
  view.root.dataset.points = "0"
  delete view.root.dataset.drawn
  if (!data.source) { tell(view, data.words ?? ""); return }
  tell(view, "Loading the map …")
  try {
    const { signal } = view.abort, source = await readSource(data, {}, signal)
    if (signal.aborted) return
    accept(view, source)
  } catch (error) {
    if (error.name === "AbortError") return
    tell(view, error.message)
    if (error.status === 400 && data.going) { clearTimeout(view.poll); view.poll = setTimeout(() => view.closed || open(view), 1500) }
  }
}

function byPopularity(source) {
  const rows = Array.from({ length: source.count }, (_, row) => row).filter(row => row < source.items || source.ratings[row] > 0)
  return rows.sort((a, b) => (a < source.items ? 0 : 1) - (b < source.items ? 0 : 1) || (source.ratings[b] || 0) - (source.ratings[a] || 0))
}

function accept(view, source) {
  Object.assign(view, { source, about: source.about, popular: byPopularity(source) })
  for (const layout of view.data.layouts ?? []) addLayout(source, layout)
  view.time = lastFrame(view)
  view.following = true
  tell(view, "")
  fillControls(view)
  restore(view)
  Object.assign(view.root.dataset, { basis: String(source.basis), epochs: source.epochs.join(",") })
  setText(view.part.note, [source.note, lastFrame(view) < 1 ? view.data.still_words : ""].filter(Boolean).join(" "))
  drawTime(view)
  readScore(view)
  if (source.state === "running" || source.state === "paused" || source.state === "queued") follow(view)
}

// t-SNE and UMAP come as float32 numbers in base64, one row of two per index of an item.
function addLayout(source, { name, words, rows, numbers: text, width }) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0)), place = new Map((source.head.item_idx ?? []).map((index, row) => [index, row]))
  const table = new Float32Array(bytes.buffer)
  source.layouts[name] = { words, width, rows: rows ? rows.map(index => place.get(index)) : Array.from({ length: table.length / width }, (_, row) => row), table }
}

function follow(view) {
  clearTimeout(view.poll)
  view.poll = setTimeout(async () => {
    const { source } = view
    try {
      const grew = await readMore(view)
      if (view.closed || view.source !== source) return
      if (grew) {
        view.root.dataset.epochs = source.epochs.join(",")
        const { following } = view
        view.time = Math.min(view.time, lastFrame(view))
        view.renew({ still: true })
        if (following && !view.playing) { if (view.calm) view.time = lastFrame(view); else view.goalTime = lastFrame(view); view.again() }
        readScore(view)
      }
      if (["running", "paused", "queued"].includes(source.state)) follow(view)
      else ended(view)
    } catch { if (!view.closed && view.source === source) follow(view) }
  }, document.visibilityState === "visible" ? LIVE_PAUSE : 4000)
}

// The run is over: its last epoch becomes the basis, and the map turns to it once, in a movement that can be followed.
async function ended(view) {
  const before = view.source, source = await readSource(view.data, { special: view.special, about: view.about })
  if (view.closed || view.source !== before) return
  takeOver(view, source, view.special)
  readScore(view)
  view.send("ended", source.state)
}

// Other coordinates of the same points, or of some of them: what is on both maps flies from its place to its place.
function takeOver(view, source, special) {
  const before = view.source, { places, following, time } = view, row = old => (old < 0 ? -1 : source.rowOf[old < before.items ? "film" : "user"].get(before.id[old]) ?? -1)
  const from = new Float32Array(3 * source.count).fill(NaN)
  for (let old = 0; old < before.count; old += 1) { const now = row(old); if (now >= 0) from.set(places.subarray(3 * old, 3 * old + 3), 3 * now) }
  source.layouts = special.items ? {} : before.layouts
  source.genreTable = mainGenres(source, before.genreTable.named) // colours keep their meaning
  Object.assign(view, { source, special, places: from, popular: byPopularity(source), chosen: row(view.chosen), picked: new Set([...view.picked].map(row).filter(now => now >= 0)), near: [], found: [], hover: -1, labels: new Map(), inks: null, marks: null, layout: null })
  view.time = following ? lastFrame(view) : Math.min(time, lastFrame(view))
  Object.assign(view.want, { x: special.between ? source.width - 1 : 0, y: special.between ? 0 : 1, z: special.between ? 1 : 2 })
  Object.assign(view.root.dataset, { basis: String(source.basis), epochs: source.epochs.join(","), isolated: String(Boolean(special.items)) })
  fillControls(view)
  view.home()
  view.renew()
  drawTime(view)
  if (view.chosen >= 0) view.findNear()
  else drawPanel(view)
}

function tell(view, words) {
  setText(view.part.message, words)
  view.part.message.hidden = !words
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".mfs-space")
  if (!root) return undefined
  let view = VIEWS.get(root)
  if (!view) VIEWS.set(root, (view = makeView(root)))
  const changed = view.data.key !== data.key, layouts = JSON.stringify((view.data.layouts ?? []).map(one => one.name)) !== JSON.stringify((data.layouts ?? []).map(one => one.name))
  Object.assign(view, { data, send: setTriggerValue, closed: false })
  const repaint = readLook(view)
  measure(view)
  if (changed) open(view)
  else if (view.source) {
    view.source.axisNames = data.axis_names ?? view.source.axisNames
    if (layouts) { for (const layout of data.layouts ?? []) addLayout(view.source, layout); fillControls(view); if (data.show) view.showLayout(data.show) }
    if (repaint) view.dress()
    writeAddress(view)
    view.again()
  }
  return () => {
    view.closed = true
    view.abort?.abort()
    for (const timer of [view.poll, view.rest]) clearTimeout(timer)
    if (view.request) cancelAnimationFrame(view.request)
    view.resizer.disconnect()
    removeEventListener("popstate", view.back)
    document.removeEventListener("keydown", view.keys)
    view.painter.gl?.getExtension("WEBGL_lose_context")?.loseContext()
    VIEWS.delete(root)
  }
}
