// Other runs laid over this one: chosen from a menu, a branch's parent by itself. They are read as this run is, only less often.

const MOST_OTHERS = 5
const OTHER_COLOURS = ["mf", "biased-mf", "neumf", "gmf", "mlp", "test", "baseline"]

function lay(view, id, { title, model, parent = false } = {}) {
  if (id === view.run.runId || view.others.has(id)) return
  const known = (view.data.runs || []).find(run => run.id === id)
  view.others.set(id, { id, title: title || known?.title || id, model: model || known?.model, parent, run: freshRun(id), next: 0 })
  readOthers(view)
}

function layParent(view) {
  const parent = view.run.parent
  if (!parent || view.data.compact || view.parentLaid === parent.run_id) return
  view.parentLaid = parent.run_id
  lay(view, parent.run_id, { title: view.run.config.parent_title, parent: true })
}

function readOthers(view) {
  for (const other of view.others.values()) {
    if (other.busy || performance.now() < other.next) continue
    other.busy = true
    readOther(view, other).catch(() => { other.next = performance.now() + 5000 }).finally(() => { other.busy = false })
  }
}

async function readOther(view, other) {
  const answer = await fetch(`${view.data.base}/api/runs/${encodeURIComponent(other.id)}/events?from=${other.run.offset}`, { cache: "no-store" })
  if (answer.status === 404) { view.others.delete(other.id); return }
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  const found = await answer.json()
  if (found.config) {
    other.run.config = found.config
    if (found.config.title) other.title = found.config.title
    other.model ??= found.config.model
  }
  for (const event of found.events) fold(other.run, event)
  other.run.offset = found.next
  other.next = performance.now() + (OVER.includes(found.state) ? Infinity : 3 * (view.run.every || 500))
  if (view.closed || !view.others.has(other.id)) return
  if (found.events.length || found.config) draw(view)
  if (!view.polling && !OVER.includes(found.state)) setTimeout(() => view.closed || readOthers(view), 1500)
}

// A colour each: the model's, or if that is taken already, the next that is free.
function paintOthers(view) {
  const taken = new Set()
  return [...view.others.values()].map(other => {
    const name = [other.parent ? "baseline" : other.model, ...OTHER_COLOURS].find(c => c && view.look[c] && !taken.has(c)) || "baseline"
    taken.add(name)
    return { ...other, colour: view.look[name] }
  })
}

function wireCompare(view) {
  const menu = view.part.compare
  menu.ontoggle = () => { if (menu.open) fillCompare(view) }
  view.outside = event => { if (menu.open && !menu.contains(event.target)) menu.open = false }
  document.addEventListener("pointerdown", view.outside)
}

function fillCompare(view) {
  const runs = (view.data.runs || []).filter(run => run.id !== view.run.runId && (!view.run.config.loss || run.loss === view.run.config.loss))
  if (!runs.length) return view.part.others.replaceChildren(make("p", { textContent: "There is no other run with the same loss yet." }))
  return view.part.others.replaceChildren(...runs.map(run => {
    const box = make("input", { type: "checkbox", checked: view.others.has(run.id) })
    box.disabled = !box.checked && view.others.size >= MOST_OTHERS
    box.onchange = () => {
      if (box.checked) lay(view, run.id)
      else view.others.delete(run.id)
      fillCompare(view)
      draw(view)
    }
    return make("label", {}, box, make("span", { textContent: run.title }), make("small", { textContent: run.when }))
  }))
}

function drawLegend(view, others) {
  const wanted = others.map(other => `${other.id} ${other.title} ${other.colour}`).join("|")
  if (view.part.legend.dataset.shown === wanted) return
  view.part.legend.dataset.shown = wanted
  view.part.legend.replaceChildren(...others.map(other => {
    const away = make("button", { type: "button", textContent: "×", title: "Take it away", ariaLabel: `Take ${other.title} away` })
    away.onclick = () => { view.others.delete(other.id); draw(view) }
    const chip = make("span", { title: other.title }, make("span", { textContent: other.title }), away)
    chip.style.setProperty("--mfx-swatch", other.colour)
    return chip
  }))
}
