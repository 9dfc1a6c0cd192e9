// The transport bar: what a person asks of a run goes straight to the server; the answer shows here, the effect in the events.

const PACES = [[1, "1"], [5, "5"], [20, "20"], [0, "Full"]]
const GOING = ["running", "paused"]
const MORE = [
  ["weight_decay", "Weight decay", "Pulls the numbers towards zero; at the next batch"],
  ["batch_size", "Batch size", "Ratings a step; from the next batch on"],
  ["factor_lr_multiplier", "Embeddings ×", "The learning rate of user and film vectors is multiplied by this"],
  ["bias_lr_multiplier", "Biases ×", "The learning rate of user and film averages is multiplied by this"],
  ["mlp_lr_multiplier", "MLP ×", "The learning rate of the layers above the vectors is multiplied by this"],
]

async function post(view, what, body) {
  const { base, token } = view.data
  const answer = await fetch(`${base}/api/runs/${encodeURIComponent(view.run.runId)}/${what}`, {
    method: "POST", headers: { "Content-Type": "application/json", "X-MF-Explorer-Token": token }, body: JSON.stringify(body),
  })
  const said = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(said.error || `the server answered ${answer.status}`)
  return said
}

async function ask(view, kind, value) {
  refuse(view, "")
  const run = view.run
  try {
    await post(view, "commands", value === undefined ? { kind } : { kind, value })
    // An ended run that goes on is another state of the page around it.
    if (kind === "extend" && OVER.includes(run.state)) {
      view.send("opened", run.runId)
      Object.assign(view, { since: performance.now(), polling: true })
    }
  } catch (error) {
    refuse(view, sentence(error.message))
  }
  if (view.run === run && view.polling) schedule(view, 30)
}

function refuse(view, text) {
  view.part.refusal.hidden = !text
  setText(view.part.refusal, text)
}

function toggle(view) {
  const paused = view.run.state === "paused"
  // The button turns at once; what the run really does comes with the next events.
  view.wished = { state: paused ? "running" : "paused", until: performance.now() + 1500 }
  drawTransport(view)
  return ask(view, paused ? "resume" : "pause")
}

const ACTS = {
  play: toggle,
  step_epoch: view => ask(view, "step_epoch"),
  step_batch: view => ask(view, "step_batch"),
  stop: view => ask(view, "stop"),
  "rate-down": view => ask(view, "learning_rate", nice(settingNow(view.run, "learning_rate") / 10)),
  "rate-up": view => ask(view, "learning_rate", nice(settingNow(view.run, "learning_rate") * 10)),
  more: view => { view.unfolded = !view.unfolded; drawTransport(view) },
  projector: () => project(!projecting()),
}

const nice = value => Number(value.toPrecision(6))

function wireTransport(view) {
  const { root, part } = view
  for (const button of root.querySelectorAll("[data-act]")) button.onclick = () => ACTS[button.dataset.act](view)
  part.pace.replaceChildren(...PACES.map(([value, words]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: words, title: value ? `${plural(value, "epoch")} a second` : "Full speed" })
    button.dataset.value = value
    button.onclick = () => { view.run.settings.pace = value; drawTransport(view); ask(view, "pace", value) }
    return button
  }))
  part.more.replaceChildren(...MORE.map(([name, words, help]) => settingField(name, words, help)), extendField(view))
  for (const input of root.querySelectorAll("[data-setting]")) wireSetting(view, input)
  view.keys = event => onKey(view, event)
  document.addEventListener("keydown", view.keys)
}

function settingField(name, words, help) {
  const label = Object.assign(document.createElement("label"), { className: "mfx-label", title: help, textContent: words })
  const input = Object.assign(document.createElement("input"), { size: 7, inputMode: "decimal", autocomplete: "off" })
  input.dataset.setting = name
  label.append(input)
  return label
}

function extendField(view) {
  const group = Object.assign(document.createElement("span"), { className: "mfx-group", title: "Train for more epochs than planned. The schedule of the learning rate starts again." })
  const input = Object.assign(document.createElement("input"), { value: "5", size: 3, inputMode: "numeric", ariaLabel: "More epochs" })
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "more epochs" })
  button.onclick = () => ask(view, "extend", Number(input.value))
  input.onkeydown = event => { if (event.key === "Enter") button.click() }
  const joined = Object.assign(document.createElement("span"), { className: "mfx-joined" })
  joined.append(Object.assign(document.createElement("span"), { textContent: "+" }), input, button)
  group.append(joined)
  group.dataset.extend = "true"
  return group
}

function wireSetting(view, input) {
  const name = input.dataset.setting
  const send = () => {
    const value = Number(input.value.replace(",", "."))
    if (input.value.trim() && Number.isFinite(value)) {
      if (value !== settingNow(view.run, name)) ask(view, name, value)
    } else if (input.value.trim()) refuse(view, `${input.value.trim()} is not a number.`)
    delete input.dataset.touched
    drawTransport(view)
  }
  input.oninput = () => { input.dataset.touched = "true" }
  input.onkeydown = event => {
    if (event.key === "Enter") { send(); event.preventDefault() }
    if (event.key === "Escape") { delete input.dataset.touched; input.blur(); drawTransport(view); event.stopPropagation() }
  }
  input.onblur = () => { if (input.dataset.touched) send() }
}

function onKey(view, event) {
  if (view.closed || view.data.compact || event.ctrlKey || event.metaKey || event.altKey) return
  const at = event.target
  if (at instanceof Element && at.closest("input, textarea, select, [contenteditable=true], [role=combobox], [role=slider], [role=dialog]")) return
  if (event.key === " " && at instanceof Element && at.closest("button, summary, a, [role=button]")) return
  if (!GOING.includes(view.run.state)) return
  const act = event.key === " " ? "play" : event.key === "ArrowRight" ? (event.shiftKey ? "step_batch" : "step_epoch") : ""
  if (!act) return
  event.preventDefault()
  if (!event.repeat) ACTS[act](view)
}

function drawTransport(view) {
  const { run, part, root } = view
  part.player.hidden = Boolean(view.data.compact)
  if (view.data.compact) return
  if (view.wished && (view.wished.until < performance.now() || view.wished.state === run.state)) view.wished = null
  const shown = view.wished?.state || run.state, going = GOING.includes(run.state), over = OVER.includes(run.state)
  const act = name => root.querySelector(`[data-act="${name}"]`)
  const play = act("play"), paused = shown === "paused" || !going
  play.dataset.shows = paused ? "play" : "pause"
  play.title = paused ? "Go on (space bar)" : "Pause (space bar)"
  play.setAttribute("aria-label", paused ? "Play" : "Pause")
  for (const name of ["play", "step_epoch", "step_batch", "rate-down", "rate-up"]) act(name).disabled = !going
  act("stop").disabled = !(going || run.state === "queued" || run.state === "loading")
  act("more").setAttribute("aria-expanded", String(Boolean(view.unfolded)))
  act("more").disabled = !(going || over)
  part.more.hidden = !view.unfolded || !(going || over)
  const pace = run.settings.pace ?? run.config.pace
  for (const button of part.pace.children) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.value) === pace))
    button.disabled = !going
  }
  act("rate-up").closest(".mfx-group").hidden = solved(run)
  for (const input of root.querySelectorAll("[data-setting]")) drawSetting(view, input, going)
}

// ALS solves: there is no learning rate and no batch to change.
const solved = run => run.config.optimizer === "als"

function drawSetting(view, input, going) {
  const name = input.dataset.setting, value = settingNow(view.run, name)
  input.disabled = !going
  const matters = solved(view.run) ? name === "weight_decay" && going : name === "learning_rate" || (going && (!name.endsWith("multiplier") || (view.run.config.groups || []).includes(name)))
  const label = input.closest("label.mfx-label")
  if (label && label.contains(input)) label.hidden = !matters
  if (input.dataset.touched || document.activeElement === input) return
  const text = defined(value) ? rateText(value) : ""
  if (input.value !== text) input.value = text
}
