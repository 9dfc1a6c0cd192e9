// Loading a source, following a run that is going on, and changing from one set of coordinates to another.

const LIVE_PAUSE = 700 // milliseconds between two looks at a run that is going on
const GOING = ["running", "paused", "queued"]

async function open(view) {
  const { data } = view
  view.abort?.abort()
  view.abort = new AbortController()
  Object.assign(view, { source: null, special: {}, about: null, ends: {}, layout: null, making: null, picked: new Set(), near: [], found: [], chosen: -1, hover: -1, score: null, labels: new Map(), places: null, inks: null, marks: null })
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
  view.time = lastFrame(view)
  view.following = true
  tell(view, "")
  fillControls(view)
  restore(view)
  Object.assign(view.root.dataset, { basis: String(source.basis), epochs: source.epochs.join(",") })
  setText(view.part.note, [source.note, lastFrame(view) < 1 ? view.data.still_words : ""].filter(Boolean).join(" "))
  drawTime(view)
  readNames(view)
  readScore(view)
  if (GOING.includes(source.state)) follow(view)
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
      if (GOING.includes(source.state)) follow(view)
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
  readNames(view)
  if (view.chosen >= 0) view.findNear()
  else drawPanel(view)
}

function tell(view, words) {
  setText(view.part.message, words)
  view.part.message.hidden = !words
}
