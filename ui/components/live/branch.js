// Rewind and branch: from an epoch that was kept, with other settings, as a run of its own; and the way out of a
// divergence.

import { calmMotion, element, setText } from "../shared/dom.js"
import { capital, defined, whole } from "../shared/text.js"
import { briefOf, nounsOf, settingNow } from "./settings.js"
import { plannedEpochs } from "./state.js"
import { post, reasonOf, refuse } from "./transport.js"
import { rateText, rounded, three } from "./words.js"

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {Record<string, string | number | undefined>} Changes */

const TOO_LARGE = "is too large here: each step goes further than the error asks for"

/**
 * The kept epoch nearest to one, or null.
 * @param {Run} run @param {number} epoch
 */
export function nearestKept(run, epoch) {
  /** @type {number | null} */
  let best = null
  for (const kept of run.kept) if (best === null || Math.abs(kept - epoch) < Math.abs(best - epoch)) best = kept
  return best
}

/** @param {View} view @param {number} epoch */
export function openBranch(view, epoch) {
  if (!view.data.branches) return
  const from = nearestKept(view.run, epoch),
    form = view.part.branch
  if (from === null) return
  view.branching = { epoch: from }
  buildForm(view, from)
  drawKept(view)
  form.querySelector("input, select")?.focus({ preventScroll: true })
  form.scrollIntoView({ block: "nearest", behavior: calmMotion() ? "auto" : "smooth" })
}

/** @param {View} view */
function closeBranch(view) {
  view.branching = null
  view.part.branch.hidden = true
  drawKept(view)
}

/** @param {View} view @param {number} from */
function buildForm(view, from) {
  const { run, part } = view,
    form = part.branch
  const options = run.kept.map(epoch =>
    element("option", { value: String(epoch), textContent: `epoch ${epoch}`, selected: epoch === from }),
  )
  const epochs = element("select", { ariaLabel: "Epoch to branch from" }, ...options)
  epochs.onchange = () => {
    view.branching = { epoch: Number(epochs.value) }
    drawKept(view)
  }
  const title = element(
    "div",
    { className: "mfx-branch-title" },
    element("strong", { textContent: "Branch from" }),
    epochs,
    element("span", { textContent: "as a run of its own; both futures are kept." }),
  )
  const problem = element("p", { className: "mfx-refusal", hidden: true, role: "alert" })
  const go = element("button", { type: "submit", className: "mfx-primary", textContent: "Branch" })
  const leave = element("button", { type: "button", className: "mfx-button", textContent: "Cancel" })
  leave.onclick = () => closeBranch(view)
  const fields = element(
    "div",
    { className: "mfx-branch-fields" },
    ...(run.config.branch ?? []).map(field => fieldOf(run, field)),
    go,
    leave,
  )
  form.replaceChildren(title, fields, problem)
  form.onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault()
    sendBranch(view, form, problem, go)
  }
  form.onkeydown = (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation()
    if (event.key === "Escape") closeBranch(view)
  }
  form.hidden = false
}

/** @param {Run} run @param {import("./types.js").Field} field */
function fieldOf(run, { name, label, help, options }) {
  const value = startValue(run, name)
  const choices = Object.entries(options ?? {}).map(([key, text]) =>
    element("option", { value: key, textContent: text, selected: key === value }),
  )
  const input =
    choices.length > 0
      ? element("select", { name }, ...choices)
      : element("input", {
          name,
          size: 9,
          inputMode: "decimal",
          autocomplete: "off",
          value: defined(value) ? rateText(value) : "",
          placeholder: name === "learning_rate" ? "as it was" : "",
        })
  return element("label", { className: "mfx-label", title: help }, label, input)
}

/**
 * What a field begins with: the setting as it is now, but the whole plan of epochs.
 * @param {Run} run
 * @param {string} name
 * @returns {string | number | undefined}
 */
function startValue(run, name) {
  if (name === "num_epochs") return run.numEpochs || run.config.num_epochs
  // The branch goes on with the rate of its epoch, wherever the schedule stood then; a number would begin a
  // schedule of its own.
  return name === "learning_rate" ? undefined : settingNow(run, name)
}

/**
 * What the form asks to be other than it was configured. What a person changed in the running parent is not in its
 * configuration; the branch has to be told.
 * @param {Run} run @param {HTMLFormElement} form
 * @returns {Changes}
 */
function changesIn(run, form) {
  /** @type {Changes} */
  const changes = {}
  for (const { name, label, options } of run.config.branch ?? []) {
    const input = /** @type {HTMLInputElement} */ (form.elements.namedItem(name)),
      text = input.value.trim().replace(",", ".")
    const configured = run.config[name],
      inherited = defined(configured) ? rateText(configured) : (configured ?? "")
    if (!text || (name !== "learning_rate" && text === inherited)) continue
    if (!options && !Number.isFinite(Number(text))) throw new Error(`${label} must be a number, not ${text}`)
    changes[name] = options ? text : Number(text)
  }
  return changes
}

/** Starts a branch and asks the page to show it. @param {View} view @param {number} epoch @param {Changes} changes */
async function branch(view, epoch, changes) {
  const { run_id: made } = await post(view, "branch", { epoch, changes })
  view.send("opened", made)
}

/** @param {View} view @param {HTMLFormElement} form @param {HTMLElement} problem @param {HTMLButtonElement} button */
async function sendBranch(view, form, problem, button) {
  if (!view.branching) return
  problem.hidden = true
  button.disabled = true
  try {
    await branch(view, view.branching.epoch, changesIn(view.run, form))
    closeBranch(view)
  } catch (error) {
    problem.hidden = false
    setText(problem, reasonOf(error))
  } finally {
    button.disabled = false
  }
}

/**
 * Marks on the line of time for the epochs to which one can go back; a click on one opens the form.
 * @param {View} view
 */
export function drawKept(view) {
  const { run, part } = view,
    total = plannedEpochs(view),
    chosen = view.branching?.epoch
  const shown = `${run.runId} ${total} ${chosen} ${run.kept.join()}`
  if (view.data.compact || part.kept.dataset.shown === shown) return
  part.kept.dataset.shown = shown
  part.kept.replaceChildren(
    ...run.kept
      .filter(epoch => epoch <= total)
      .map(epoch => {
        const words = `Branch from epoch ${epoch}`
        const mark = element("button", {
          type: "button",
          title: words,
          ariaLabel: words,
          ariaPressed: String(epoch === chosen),
          style: { left: `${(100 * epoch) / total}%` },
        })
        mark.onclick = () => openBranch(view, epoch)
        return mark
      }),
  )
}

/** @param {View} view */
export function drawLineage(view) {
  const { run, part, data } = view,
    { parent } = run
  part.lineage.hidden = !parent || Boolean(data.compact)
  if (!parent || part.lineage.hidden) return
  const title = run.config.parent_title || data.runs.find(other => other.id === parent.run_id)?.title || parent.run_id
  const changes = Object.entries(run.config.parent?.changes ?? {}).map(
    ([name, value]) => `${briefOf(run, name)} ${typeof value === "number" ? rateText(value) : value}`,
  )
  const shown = `${parent.run_id} ${parent.epoch} ${title} ${changes}`
  if (part.lineage.dataset.shown === shown) return
  part.lineage.dataset.shown = shown
  const link = element("a", { href: `?run=${encodeURIComponent(parent.run_id)}`, textContent: title })
  link.onclick = event => {
    event.preventDefault()
    view.send("opened", parent.run_id)
  }
  const how = changes.length ? `, with ${changes.join(", ")}` : ""
  part.lineage.replaceChildren("⤷ branch of ", link, ` at epoch ${parent.epoch}${how}`)
}

/**
 * A divergence, told calmly: who, what, how far off.
 * @param {import("../shared/events.js").DivergedEvent} event @param {import("../shared/types.js").Nouns} nouns
 */
export function divergedWords(event, nouns) {
  const predicted = event.predicted_text ?? (defined(event.predicted) ? three(event.predicted) : "no number at all")
  const item = event.title || (event.item_id !== undefined ? `${nouns.item} ${event.item_id}` : "")
  const rating = defined(event.rating) ? `a ${rateText(event.rating)}` : "a rating"
  const lengths = [
    [`${nouns.user}'s`, event.user_norm],
    [`${nouns.item}'s`, event.item_norm],
  ].flatMap(([whose, norm]) => (typeof norm === "number" ? [`the ${whose} ${three(norm)}`] : []))
  const told = event.user_id !== undefined && item
  return [
    told ? `${capital(nouns.user)} ${event.user_id} gave ${item} ${rating}; the prediction reached ${predicted}.` : "",
    lengths.length ? `Length of the vectors: ${lengths.join(", ")}.` : "",
    event.scale ? `The scale is the cause, not the learning rate: ${event.scale}.` : "",
    defined(event.learning_rate) && !event.scale
      ? `So learning rate ${rateText(event.learning_rate)} ${TOO_LARGE}.`
      : "",
  ]
    .filter(Boolean)
    .join(" ")
}

/**
 * The banner of a run that has run away, with one way on.
 * @param {View} view @param {import("../shared/events.js").DivergedEvent} event
 * @returns {(Node | string)[]}
 */
export function divergedBanner(view, event) {
  const { run } = view,
    rate = event.learning_rate ?? run.config.learning_rate
  const epoch = nearestKept(run, event.last_good_epoch ?? 0)
  const frozen = `Frozen at step ${whole(event.step ?? 0)}: the model has run away. `
  const words = [element("strong", { textContent: frozen }), divergedWords(event, nounsOf(run))]
  if (epoch === null || !defined(rate) || event.scale) return words
  const tenth = rounded(event.advice ?? rate / 10),
    textContent = `Branch from epoch ${epoch} with learning rate ${rateText(tenth)}`
  const button = element("button", { type: "button", className: "mfx-primary", textContent })
  button.onclick = async () => {
    button.disabled = true
    try {
      await branch(view, epoch, { learning_rate: tenth })
    } catch (error) {
      refuse(view, reasonOf(error))
      button.disabled = false
    }
  }
  return [...words, element("div", { className: "mfx-way-out" }, button)]
}
