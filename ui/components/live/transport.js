// The transport bar: what a person asks of a run goes straight to the server; the answer shows here, the effect in
// the events.

import { element, setText } from "../shared/dom.js"
import { isTyping } from "../shared/keyboard.js"
import { project, projecting } from "../shared/projector.js"
import { Refused, requestJson, runRoute } from "../shared/server.js"
import { plural, whole } from "../shared/text.js"
import { schedule } from "./polling.js"
import { controlOf, settingNow } from "./settings.js"
import { isLive, isOver, plannedEpochs } from "./state.js"
import { clock, rateText, rounded, sentence } from "./words.js"

/** @typedef {import("./types.js").View} View */

/** @type {[number, string][]} Epochs a second. */
const PACES = [
  [1, "1"],
  [5, "5"],
  [20, "20"],
  [0, "Full"],
]
const BATCHES = [1, 10, 100, 1000] // to one step
const IN_BAR = "learning_rate" // has its place in the bar itself; the others are under "More"
const SOON = 30 // milliseconds after which a request may have shown its effect
const RENEWAL = 8000 // milliseconds in which a page is drawn again
const WISH = 1500 // milliseconds the button may show what was asked for and has not happened yet

/**
 * Asks something of the run.
 * @param {View} view @param {"commands" | "branch" | "end"} what @param {object} body
 * @throws {Error} with the server's reason
 */
export async function post(view, what, body) {
  const ask = () =>
    requestJson(`${runRoute(view.run.runId)}/${what}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-MF-Explorer-Token": view.data.token },
    })
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 403 || !(await renewed(view))) throw error
    return ask()
  }
}

/**
 * A server that was started anew has another secret: the page is drawn again, over its own connection, and brings it.
 * @param {View} view @returns {Promise<boolean>} whether there is a new one
 */
async function renewed(view) {
  const { token } = view.data
  view.send("renew", Date.now())
  for (let wait = 0; wait < RENEWAL && view.data.token === token; wait += 100)
    await new Promise(done => setTimeout(done, 100))
  return view.data.token !== token
}

/** @param {unknown} error */
export const reasonOf = error => sentence(error instanceof Error ? error.message : error)

/**
 * What stands above the curves while a worker does not answer: since when, and the way out.
 * @param {View} view @param {number | undefined} since seconds since 1970
 */
export function silentBanner(view, since) {
  const button = element("button", { type: "button", className: "mfx-primary", textContent: "End it" })
  button.onclick = async () => {
    button.disabled = true
    try {
      await post(view, "end", {})
    } catch (error) {
      refuse(view, reasonOf(error))
      button.disabled = false
    }
  }
  const said = element("strong", { textContent: `Not answering since ${clock(since)}. ` })
  if (view.data.locked) return [said, "It may be at one long step, or hang."]
  return [
    said,
    "It may be at one long step, or hang. Ended, it can go on from its last checkpoint.",
    element("div", { className: "mfx-way-out" }, button),
  ]
}

/** @param {View} view @param {string} kind @param {number} [value] */
async function command(view, kind, value) {
  refuse(view, "")
  const { run } = view
  try {
    await post(view, "commands", value === undefined ? { kind } : { kind, value })
    // An ended run that goes on is another state of the page around it.
    if (kind === "extend" && isOver(view, run.state)) {
      view.send("opened", run.runId)
      Object.assign(view, { since: performance.now(), polling: true })
    }
  } catch (error) {
    refuse(view, reasonOf(error))
  }
  if (view.run === run && view.polling) schedule(view, SOON)
}

/** @param {View} view @param {string} text why something cannot be; "" takes it away */
export function refuse(view, text) {
  view.part.refusal.hidden = !text
  setText(view.part.refusal, text)
}

/** @param {View} view */
function toggle(view) {
  const paused = view.run.state === "paused"
  // The button turns at once; what the run really does comes with the next events.
  view.wished = { state: paused ? "running" : "paused", until: performance.now() + WISH }
  drawTransport(view)
  return command(view, paused ? "resume" : "pause")
}

/** @param {View} view @param {number} factor */
function scaleRate(view, factor) {
  const rate = settingNow(view.run, IN_BAR)
  return rate === undefined ? undefined : command(view, IN_BAR, rounded(rate * factor))
}

/** @type {Record<string, (view: View) => unknown>} */
const ACTIONS = {
  play: toggle,
  step_epoch: view => command(view, "step_epoch"),
  step_batch: view => {
    const count = Number(view.part.batches.value)
    return command(view, "step_batch", count > 1 ? count : undefined)
  },
  stop: view => command(view, "stop"),
  "rate-down": view => scaleRate(view, 0.1),
  "rate-up": view => scaleRate(view, 10),
  more: view => {
    view.unfolded = !view.unfolded
    drawTransport(view)
  },
  projector: () => project(!projecting()),
}

/** @param {View} view */
export function wireTransport(view) {
  const { root, part } = view
  for (const button of actionButtons(root)) button.onclick = () => ACTIONS[button.dataset.act ?? ""](view)
  part.pace.replaceChildren(...PACES.map(([value, words]) => paceButton(view, value, words)))
  part.batches.replaceChildren(
    ...BATCHES.map(count => element("option", { value: String(count), textContent: `× ${whole(count)}` })),
  )
  wireSetting(view, settingInput(root, IN_BAR))
}

/** @param {HTMLElement} root @returns {HTMLButtonElement[]} */
const actionButtons = root =>
  [...root.querySelectorAll("button[data-act]")].map(node => /** @type {HTMLButtonElement} */ (node))

/** @param {HTMLElement} root @param {string} name */
const settingInput = (root, name) => /** @type {HTMLInputElement} */ (root.querySelector(`[data-setting="${name}"]`))

/** @param {View} view @param {number} value @param {string} words */
function paceButton(view, value, words) {
  const title = value ? `${plural(value, "epoch")} a second` : "Full speed"
  const button = element("button", { type: "button", textContent: words, title, dataset: { value: String(value) } })
  button.onclick = () => {
    view.run.settings.pace = value
    drawTransport(view)
    command(view, "pace", value)
  }
  return button
}

/** The settings of this run under "More", built anew when another run has others. @param {View} view */
function buildMore(view) {
  const { part, run } = view
  const controls = (run.config.controls ?? []).filter(control => control.name !== IN_BAR)
  const shown = controls.map(control => control.name).join()
  if (part.more.dataset.shown === shown) return
  part.more.dataset.shown = shown
  part.more.replaceChildren(...controls.map(control => settingField(view, control)))
}

/** @param {View} view @param {import("./types.js").Control} control */
function settingField(view, { name, label, help, whole: isWhole }) {
  const inputMode = isWhole ? "numeric" : "decimal"
  const input = element("input", { size: 7, inputMode, autocomplete: "off", dataset: { setting: name } })
  wireSetting(view, input)
  return element("label", { className: "mfx-label", title: help }, label, input)
}

/** @param {View} view */
function extendField(view) {
  const input = element("input", { value: "5", size: 3, inputMode: "numeric", ariaLabel: "More epochs" })
  const button = element("button", { type: "button", textContent: "more epochs" })
  button.onclick = () => command(view, "extend", Number(input.value))
  input.onkeydown = event => {
    if (event.key === "Enter") button.click()
  }
  const title = "Train for more epochs than planned. The schedule of the learning rate starts again."
  const joined = element("span", { className: "mfx-joined" }, element("span", { textContent: "+" }), input, button)
  return element("span", { className: "mfx-group", title, dataset: { extend: "true" } }, joined)
}

/** @param {View} view @param {HTMLInputElement} input */
function wireSetting(view, input) {
  const leave = () => {
    delete input.dataset.touched
    drawTransport(view)
  }
  input.oninput = () => {
    input.dataset.touched = "true"
  }
  input.onkeydown = event => {
    if (event.key === "Enter") {
      sendSetting(view, input)
      event.preventDefault()
    }
    if (event.key !== "Escape") return
    leave()
    input.blur()
    event.stopPropagation()
  }
  input.onblur = () => {
    if (input.dataset.touched) sendSetting(view, input)
  }
}

/** @param {View} view @param {HTMLInputElement} input */
function sendSetting(view, input) {
  const text = input.value.trim(),
    value = Number(text.replace(",", ".")),
    name = input.dataset.setting ?? ""
  if (text && !Number.isFinite(value)) refuse(view, `${text} is not a number.`)
  else if (text && value !== settingNow(view.run, name)) command(view, name, value)
  delete input.dataset.touched
  drawTransport(view)
}

/** @param {View} view @param {KeyboardEvent} event */
export function onTransportKey(view, event) {
  const at = event.target instanceof Element ? event.target : null
  if (view.closed || view.data.compact || view.data.locked || !isLive(view) || isTyping(event)) return
  if (at?.closest("input, [role=slider], [role=dialog]")) return
  if (event.key === " " && at?.closest("button, summary, a, [role=button]")) return
  const right = event.key === "ArrowRight" ? (event.shiftKey ? "step_batch" : "step_epoch") : ""
  const action = event.key === " " ? "play" : right
  if (!action) return
  event.preventDefault()
  if (!event.repeat) ACTIONS[action](view)
}

/** @param {View} view */
export function drawTransport(view) {
  const { run, part, root } = view
  part.player.hidden = Boolean(view.data.compact)
  if (view.data.compact) return
  root.dataset.locked = String(Boolean(view.data.locked))
  buildMore(view)
  const live = isLive(view),
    over = isOver(view)
  drawActions(view, live)
  part.more.hidden = !view.unfolded || !live
  // An ended run has no pace any more, but it can be given more epochs.
  part["pace-group"].hidden = over
  part.extend.hidden = !over
  root.querySelector("[data-act=more]")?.toggleAttribute("hidden", over)
  const place = over ? part.extend : part.more
  if (!place.querySelector("[data-extend]")) place.append(root.querySelector("[data-extend]") ?? extendField(view))
  const pace = run.settings.pace ?? run.config.pace
  for (const button of part.pace.children) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.value) === pace))
    button.disabled = !live
  }
  part.batches.disabled = !live || lateReason(view) !== ""
  // Before anything is known of the run the bar stands as for most of them.
  const steered = !run.config.controls || controlOf(run, IN_BAR) !== undefined
  root.querySelector("[data-rate]")?.toggleAttribute("hidden", !steered)
  for (const input of root.querySelectorAll("[data-setting]"))
    drawSetting(view, /** @type {HTMLInputElement} */ (input), live)
}

/** Why the settings cannot be changed any more though the worker is still at it, or "". @param {View} view */
function lateReason(view) {
  const { run } = view,
    done = (run.epochs.at(-1)?.x ?? 0) >= plannedEpochs(view)
  if (!isLive(view) || !(run.refit || (done && run.start))) return ""
  return run.refit
    ? "The epochs are over; the model is trained once more on train + validation, just as before."
    : "The epochs are over; the result is being measured."
}

/** The title of a control says why it does nothing now. @param {HTMLElement} control @param {string} reason or "" */
function explain(control, reason) {
  control.dataset.title ??= control.title
  control.title = reason || control.dataset.title
}

/** @param {View} view @param {boolean} live */
function drawActions(view, live) {
  const { run } = view,
    late = lateReason(view)
  if (view.wished && (view.wished.until < performance.now() || view.wished.state === run.state)) view.wished = null
  const waiting = run.state === "queued" || run.state === "loading"
  /** @type {Record<string, boolean>} */
  const possible = { more: live, stop: live || waiting, projector: true }
  for (const button of actionButtons(view.root)) {
    const name = button.dataset.act ?? "",
      reason = ["play", "stop", "projector"].includes(name) ? "" : late
    button.disabled = !(possible[name] ?? live) || reason !== ""
    explain(button, reason)
    if (name === "more") button.ariaExpanded = String(Boolean(view.unfolded))
    if (name !== "play") continue
    drawPlay(button, (view.wished?.state ?? run.state) === "paused" || !live)
    if (view.wantsFocus && live) {
      view.wantsFocus = false
      button.focus({ preventScroll: true })
    }
  }
}

/** @param {HTMLButtonElement} button @param {boolean} playable */
function drawPlay(button, playable) {
  button.dataset.shows = playable ? "play" : "pause"
  button.title = playable ? "Go on (space bar)" : "Pause (space bar)"
  button.ariaLabel = playable ? "Play" : "Pause"
}

/** @param {View} view @param {HTMLInputElement} input @param {boolean} live */
function drawSetting(view, input, live) {
  const late = lateReason(view)
  input.disabled = !live || late !== ""
  explain(input, late)
  const name = input.dataset.setting ?? ""
  // An ended run can only be given more epochs.
  if (name !== IN_BAR) input.closest("label")?.toggleAttribute("hidden", !live)
  if (input.dataset.touched || document.activeElement === input) return
  const value = settingNow(view.run, name),
    text = value === undefined ? "" : rateText(value)
  if (input.value !== text) input.value = text
}
