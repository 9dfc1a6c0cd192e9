// Rewind and branch: from an epoch that was kept, with other settings, as a run of its own; and the way out of a divergence.

const FIELDS = [
  ["learning_rate", "Learning rate", "number"], ["weight_decay", "Weight decay", "number"], ["optimizer", "Optimizer", "choice"],
  ["batch_size", "Batch size", "number"], ["num_epochs", "Epochs in all", "number"],
]

const make = (tag, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), properties)
  node.append(...children)
  return node
}

const nearestKept = (run, epoch) => run.kept.reduce((best, e) => (best === null || Math.abs(e - epoch) < Math.abs(best - epoch) ? e : best), null)

function openBranch(view, epoch, changes = {}) {
  const from = nearestKept(view.run, epoch)
  if (from === null) return
  view.branching = { epoch: from }
  buildBranch(view, changes)
  drawKept(view)
  view.part.branch.querySelector("input, select")?.focus({ preventScroll: true })
  view.part.branch.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" })
}

function closeBranch(view) {
  view.branching = null
  view.part.branch.hidden = true
  drawKept(view)
}

function buildBranch(view, changes) {
  const { run, part, data } = view, form = part.branch
  const epochs = make("select", { ariaLabel: "Epoch to branch from" }, ...run.kept.map(e => make("option", { value: e, textContent: `epoch ${e}`, selected: e === view.branching.epoch })))
  epochs.onchange = () => { view.branching.epoch = Number(epochs.value); drawKept(view) }
  const title = make("div", { className: "mfx-branch-title" }, make("strong", { textContent: "Branch from" }), epochs,
    make("span", { textContent: "as a run of its own; both futures are kept." }))
  const fields = FIELDS.map(([name, words, kind]) => {
    const start = branchStart(run, name), value = changes[name] ?? start
    const input = kind === "choice"
      ? make("select", {}, ...Object.entries(data.optimizers || {}).map(([key, text]) => make("option", { value: key, textContent: text, selected: key === value })))
      : make("input", { size: 9, inputMode: "decimal", autocomplete: "off", value: defined(value) ? rateText(value) : "", placeholder: name === "learning_rate" ? "as it was" : "" })
    input.name = name
    input.dataset.start = kind === "choice" ? start : defined(start) ? rateText(start) : ""
    return make("label", { className: "mfx-label" }, words, input)
  })
  const problem = make("p", { className: "mfx-refusal", hidden: true })
  problem.setAttribute("role", "alert")
  const go = make("button", { type: "submit", className: "mfx-primary", textContent: "Branch" })
  const leave = make("button", { type: "button", className: "mfx-button", textContent: "Cancel", onclick: () => closeBranch(view) })
  form.replaceChildren(title, make("div", { className: "mfx-branch-fields" }, ...fields, go, leave), problem)
  form.onsubmit = event => { event.preventDefault(); sendBranch(view, form, problem, go) }
  form.onkeydown = event => { if (event.key === "Escape") { closeBranch(view); event.stopPropagation() } }
  form.hidden = false
}

// What the fields begin with: the setting as it is now, but the whole plan of epochs.
function branchStart(run, name) {
  if (name === "num_epochs") return run.numEpochs || run.config.num_epochs
  if (name === "optimizer") return run.config.optimizer
  // The branch goes on with the rate of its epoch, wherever the schedule stood then; a number here would begin a schedule of its own.
  if (name === "learning_rate") return undefined
  return settingNow(run, name)
}

function branchChanges(run, form) {
  const changes = {}
  for (const [name, words, kind] of FIELDS) {
    const input = form.elements[name], text = input.value.trim().replace(",", ".")
    // What a person changed in the running parent is not in its configuration; the branch has to be told.
    const inherited = name === "learning_rate" ? "" : name === "optimizer" ? run.config[name] : run.config[name] === undefined ? "" : rateText(run.config[name])
    if (!text || text === inherited) continue
    if (kind === "number" && !Number.isFinite(Number(text))) throw new Error(`${words} must be a number, not ${text}`)
    changes[name] = kind === "number" ? Number(text) : text
  }
  return changes
}

async function sendBranch(view, form, problem, button) {
  const run = view.run, epoch = view.branching.epoch
  problem.hidden = true
  button.disabled = true
  try {
    const made = await post(view, "branch", { epoch, changes: branchChanges(run, form) })
    closeBranch(view)
    view.send("opened", made.run_id)
  } catch (error) {
    problem.hidden = false
    setText(problem, sentence(error.message))
  } finally {
    button.disabled = false
  }
}

// Marks on the line of time for the epochs to which one can go back; a click on one opens the panel.
function drawKept(view) {
  const { run, part } = view, total = planned(view), chosen = view.branching?.epoch
  const shown = `${run.runId} ${total} ${chosen} ${run.kept.join()}`
  if (view.data.compact || part.kept.dataset.shown === shown) return
  part.kept.dataset.shown = shown
  part.kept.replaceChildren(...run.kept.filter(e => e <= total).map(epoch => {
    const mark = make("button", { type: "button", title: `Branch from epoch ${epoch}`, ariaLabel: `Branch from epoch ${epoch}`, onclick: () => openBranch(view, epoch) })
    mark.style.left = `${(100 * epoch) / total}%`
    mark.setAttribute("aria-pressed", String(epoch === chosen))
    return mark
  }))
}

function drawLineage(view) {
  const { run, part, data } = view, parent = run.parent
  part.lineage.hidden = !parent || Boolean(data.compact)
  if (part.lineage.hidden) return
  const known = (data.runs || []).find(other => other.id === parent.run_id), title = run.config.parent_title || known?.title || parent.run_id
  const changes = Object.entries(run.config.parent?.changes || {}).map(([name, value]) => `${CHANGES[name]?.[1] || name.replaceAll("_", " ")} ${typeof value === "number" ? rateText(value) : value}`)
  const shown = `${parent.run_id} ${parent.epoch} ${title} ${changes}`
  if (part.lineage.dataset.shown === shown) return
  part.lineage.dataset.shown = shown
  const link = make("a", { href: `?run=${encodeURIComponent(parent.run_id)}`, textContent: title })
  link.onclick = event => { event.preventDefault(); view.send("opened", parent.run_id) }
  part.lineage.replaceChildren("⤷ branch of ", link, ` at epoch ${parent.epoch}${changes.length ? `, with ${changes.join(", ")}` : ""}`)
}

// A divergence, told calmly: who, what, how far off, and one way on.
function divergedWords(event) {
  const predicted = event.predicted_text ?? (defined(event.predicted) ? three(event.predicted) : "no number at all")
  const film = event.title || (event.item_id !== undefined ? `film ${event.item_id}` : "")
  const lengths = [["user_norm", "user"], ["item_norm", "film"]].filter(([key]) => defined(event[key])).map(([key, who]) => `the ${who}'s ${three(event[key])}`)
  const parts = []
  if (event.user_id !== undefined && film) parts.push(`User ${event.user_id} gave ${film} ${defined(event.rating) ? `a ${rateText(event.rating)}` : "a rating"}; the model's prediction reached ${predicted}.`)
  if (lengths.length) parts.push(`Length of the vectors: ${lengths.join(", ")}.`)
  if (defined(event.learning_rate)) parts.push(`So learning rate ${rateText(event.learning_rate)} is too large here: each step goes further than the error asks for.`)
  return parts
}

function drawDiverged(view) {
  const { run, part } = view, event = run.diverged
  const epoch = nearestKept(run, event.last_good_epoch ?? 0), rate = event.learning_rate ?? run.config.learning_rate
  const words = [make("strong", { textContent: `Frozen at step ${(event.step ?? 0).toLocaleString("en-GB")}: the model has run away. ` }), ...divergedWords(event).join(" ")]
  if (epoch === null || !defined(rate)) return words
  const tenth = nice(rate / 10)
  const button = make("button", { type: "button", className: "mfx-primary", textContent: `Branch from epoch ${epoch} with learning rate ${rateText(tenth)}` })
  button.onclick = async () => {
    button.disabled = true
    try {
      view.send("opened", (await post(view, "branch", { epoch, changes: { learning_rate: tenth } })).run_id)
    } catch (error) {
      refuse(view, sentence(error.message))
      button.disabled = false
    }
  }
  return [...words, make("div", { className: "mfx-way-out" }, button)]
}
