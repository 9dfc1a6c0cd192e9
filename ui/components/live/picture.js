// The living picture: for a block of users and films, the ratings that are known beside what the model believes. It is drawn
// on two canvases that stay; values move to their next state in a fifth of a second.

const MORPH = 200
// From few stars to many: teal, sand, terracotta. No colour of it is the ground's, so that what is unknown stays apart.
const SCALES = {
  light: ["#1c7672", "#76aaa0", "#e4d3a2", "#dd9a58", "#9d3b1c"],
  dark: ["#58bdb4", "#3d766f", "#6f6346", "#c07c43", "#f7b081"],
}

function palette(view) {
  const stops = SCALES[view.look.dark ? "dark" : "light"].map(c => [1, 3, 5].map(i => parseInt(c.slice(i, i + 2), 16)))
  return Array.from({ length: 256 }, (_, index) => {
    const at = (index / 255) * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2)
    const mixed = stops[low].map((value, channel) => Math.round(value + (at - low) * (stops[low + 1][channel] - value)))
    return `rgb(${mixed.join()})`
  })
}

// Asked for at most once per epoch and wait; a server without the picture is asked rarely.
async function askForPicture(view) {
  const run = view.run, picture = view.picture, newest = run.epochs.at(-1)
  if (view.data.compact || view.closed || !newest || picture.busy || performance.now() < picture.next) return
  if (!run.pictured && !OVER.includes(run.state)) return
  const stamp = OVER.includes(run.state) ? `${run.state} ${newest.x}` : `${newest.x} ${run.watch.at(-1)?.step ?? run.steps.at(-1)?.step ?? 0}`
  if (picture.stamp === stamp) return
  picture.busy = true
  try {
    const known = picture.block ? "&static=0" : ""
    const answer = await fetch(`${view.data.base}/api/runs/${encodeURIComponent(run.runId)}/block?epoch=latest${known}`, { cache: "no-store" })
    if (view.run !== run || view.closed) return
    if (!answer.ok) {
      showPicture(view, false)
      picture.next = GOING.includes(run.state) ? performance.now() + 2000 : Infinity
      return
    }
    const block = await answer.json()
    if (view.run !== run) return
    picture.stamp = stamp
    picture.next = performance.now() + Math.max(2 * (run.every || 200), 250)
    takePicture(view, block)
  } catch {
    picture.next = performance.now() + 3000
  } finally {
    picture.busy = false
  }
}

const freshPicture = () => ({ block: null, from: null, to: null, began: 0, stamp: "", next: 0, busy: false, at: null })

function takePicture(view, block) {
  const picture = view.picture
  if (block.known) picture.block = { ...block }
  if (!picture.block || !block.predicted) return
  const values = block.predicted.flat()
  const same = picture.to && picture.to.length === values.length
  picture.from = same ? shownValues(picture) : values
  picture.to = values
  picture.block.predicted = block.predicted
  picture.block.epoch = block.epoch
  picture.began = performance.now()
  showPicture(view, true)
  paintKnown(view)
  morph(view)
  drawCell(view)
}

// Its place is kept from the start of a run, so that nothing moves when it comes.
function showPicture(view, shown) {
  for (const name of ["known", "model"]) view.part[`picture-${name}-figure`].hidden = !shown
  view.part.cell.hidden = !shown
}

function shownValues(picture) {
  const share = Math.min(1, (performance.now() - picture.began) / MORPH)
  return share >= 1 || !picture.from ? picture.to : picture.to.map((value, i) => picture.from[i] + share * (value - picture.from[i]))
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches

function morph(view) {
  cancelAnimationFrame(view.frame)
  if (calm()) view.picture.began = -Infinity
  paintBelieved(view)
  if (performance.now() - view.picture.began < MORPH) view.frame = requestAnimationFrame(() => view.closed || morph(view))
}

function repaint(view) {
  if (!view.picture.block || !view.part.known.parentElement.clientWidth) return
  paintKnown(view)
  morph(view)
  drawScale(view)
}

// The canvas in the pixels of the screen, and how large a cell is there.
function prepare(view, canvas) {
  const { users, items } = view.picture.block, ratio = window.devicePixelRatio || 1, width = canvas.parentElement.clientWidth - 12
  const cell = Math.max(2, Math.floor((width * ratio) / items.length)), w = cell * items.length
  const tall = Math.max(2, Math.min(cell, Math.floor((view.look.pictureHeight * ratio) / users.length))), h = tall * users.length
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h })
  // Whole pixels of the screen for each cell, or the gaps between them would be uneven.
  Object.assign(canvas.style, { width: `${w / ratio}px`, height: `${h / ratio}px` })
  const pen = canvas.getContext("2d")
  pen.clearRect(0, 0, w, h)
  return { pen, cell, tall, gap: cell > 4 * ratio ? Math.max(1, Math.round(ratio / 2)) : 0, columns: items.length, rows: users.length }
}

function cells(view, canvas, valueAt, colourless) {
  const { block } = view.picture, { pen, cell, tall, gap, columns, rows } = prepare(view, canvas)
  const scale = (view.colours ??= palette(view)), span = block.high - block.low || 1
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = valueAt(row, column)
      pen.fillStyle = defined(value) ? scale[Math.max(0, Math.min(255, Math.round((255 * (value - block.low)) / span)))] : colourless
      pen.fillRect(column * cell, row * tall, cell - gap, tall - gap)
    }
  }
  return { pen, cell, tall, gap }
}

function paintKnown(view) {
  const { block } = view.picture, canvas = view.part.known
  if (!block || !canvas.parentElement.clientWidth) return
  const { pen, cell, tall, gap } = cells(view, canvas, (row, column) => (block.heldout?.[row]?.[column] ? null : block.known[row][column]), tint(view.look.muted, 0.1))
  // Held out: only its frame in the colour of its rating, for the model never sees it.
  const scale = view.colours, span = block.high - block.low || 1, thick = Math.max(1, Math.round(Math.min(cell, tall) / 6))
  pen.lineWidth = thick
  block.heldout?.forEach((line, row) => line.forEach((held, column) => {
    if (!held) return
    const value = block.known[row][column]
    pen.strokeStyle = defined(value) ? scale[Math.max(0, Math.min(255, Math.round((255 * (value - block.low)) / span)))] : view.look.muted
    pen.strokeRect(column * cell + thick / 2, row * tall + thick / 2, cell - gap - thick, tall - gap - thick)
  }))
  frameCell(view, canvas, { pen, cell, tall, gap })
}

function paintBelieved(view) {
  const { picture } = view, canvas = view.part.believed
  if (!picture.block || !picture.to || !canvas.parentElement.clientWidth) return
  const values = shownValues(picture), columns = picture.block.items.length
  frameCell(view, canvas, cells(view, canvas, (row, column) => values[row * columns + column], tint(view.look.muted, 0.1)))
}

function frameCell(view, canvas, { pen, cell, tall, gap }) {
  const at = view.picture.at
  if (!at) return
  pen.strokeStyle = view.look.text
  pen.lineWidth = Math.max(2, cell / 4)
  pen.strokeRect(at.column * cell - 1, at.row * tall - 1, cell - gap + 2, tall - gap + 2)
}

function wirePicture(view) {
  for (const name of ["known", "believed"]) {
    const canvas = view.part[name]
    canvas.onpointermove = canvas.onpointerdown = event => pointAt(view, canvas, event)
    canvas.onpointerleave = () => { view.picture.at = null; repaint(view); drawCell(view) }
  }
}

function pointAt(view, canvas, event) {
  const { block } = view.picture
  if (!block) return
  const box = canvas.getBoundingClientRect(), rows = block.users.length, columns = block.items.length
  const column = Math.floor(((event.clientX - box.left) / box.width) * columns), row = Math.floor(((event.clientY - box.top) / box.height) * rows)
  if (row < 0 || column < 0 || row >= rows || column >= columns) return
  if (view.picture.at?.row === row && view.picture.at?.column === column) return
  view.picture.at = { row, column }
  repaint(view)
  drawCell(view)
}

function drawCell(view) {
  const { part, picture } = view, { block, at } = picture
  if (!block) return
  const stars = block.unit !== "probability", number = value => (defined(value) ? (stars ? value.toFixed(1) : `${Math.round(100 * value)} %`) : "–")
  setText(part["picture-key"], `${plural(block.users.length, "user")} × ${plural(block.items.length, "film")}; outlined: held out for validation`)
  drawScale(view)
  if (!at) return setText(part.cell, stars ? "Each row is a user, each column a film. The model fills in the blanks." : "Each row is a user, each column a film: chosen or not, and how likely the model holds it.")
  const known = block.known[at.row][at.column], held = block.heldout?.[at.row]?.[at.column]
  const what = defined(known) ? `${stars ? `rated ${rateText(known)}` : "chosen"}${held ? " (held out)" : ""}` : stars ? "not rated" : "not chosen"
  return setText(part.cell, `${userWord(block.users[at.row])} × ${block.items[at.column]}: ${what}, predicted ${number(block.predicted[at.row][at.column])}`)
}

const userWord = label => (/^\d+$/.test(String(label)) ? `user ${label}` : String(label))

function drawScale(view) {
  const { block } = view.picture, node = view.part["picture-scale"], shown = `${block.low} ${block.high} ${block.unit} ${view.look.dark}`
  if (node.dataset.shown === shown) return
  node.dataset.shown = shown
  const percent = block.unit === "probability", text = value => (percent ? `${Math.round(100 * value)} %` : rateText(value))
  const bar = make("i")
  bar.style.background = `linear-gradient(90deg, ${SCALES[view.look.dark ? "dark" : "light"].join()})`
  node.replaceChildren(text(block.low), bar, text(block.high), percent ? "" : " stars")
}
