// Events of real runs, recorded with the command line, folded into what is drawn. Python reads tests/events/ too.

import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { test } from "node:test"

import { fold, freshRun } from "../../ui/components/live/reducer.js"
import { surviving } from "../../ui/components/shared/events.js"

const EVENTS = new URL("../events/", import.meta.url)
const SCHEMA = new URL("../../ui/components/shared/events.schema.json", import.meta.url)
const METRICS = { rmse: { label: "RMSE", lower_is_better: true, help: "" } }

/** @typedef {import("../../ui/components/shared/events.js").RunEvent} RunEvent */

const NAMES = readdirSync(EVENTS)
  .filter(name => name.endsWith(".jsonl"))
  .map(name => name.replace(".jsonl", ""))

/** @param {string} name @returns {RunEvent[]} */
const recorded = name =>
  readFileSync(new URL(`${name}.jsonl`, EVENTS), "utf8")
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))

/** @param {RunEvent[]} events */
function folded(events) {
  const run = freshRun("run", METRICS)
  for (const event of events) fold(run, event)
  return run
}

for (const name of NAMES) {
  test(`${name}: what a resume takes back is gone, and nothing else`, () => {
    const expected = JSON.parse(readFileSync(new URL(`${name}.expected.json`, EVENTS), "utf8"))
    const kept = surviving(recorded(name)).map(event => [event.kind, event.step ?? 0])
    assert.deepEqual(kept, expected)
  })

  test(`${name}: the picture is that of the surviving events, whether the rest was seen or not`, () => {
    const seen = folded(recorded(name)),
      told = folded(surviving(recorded(name)))
    for (const part of /** @type {const} */ ([
      "steps",
      "epochs",
      "health",
      "marks",
      "settings",
      "learningRate",
      "best",
    ])) {
      assert.deepEqual(seen[part], told[part], part)
    }
    assert.deepEqual([seen.state, seen.numEpochs, seen.seconds], [told.state, told.numEpochs, told.seconds])
  })

  test(`${name}: read in two halves it is the same run`, () => {
    const events = recorded(name),
      run = folded(events.slice(0, 7))
    for (const event of events.slice(7)) fold(run, event)
    assert.deepEqual(run, folded(events))
  })
}

test("a plain run: all epochs, the untrained model first, and its best one", () => {
  const run = folded(recorded("plain"))
  assert.deepEqual(
    run.epochs.map(epoch => epoch.x),
    [0, 1, 2, 3, 4],
  )
  assert.equal(run.state, "finished")
  assert.equal(run.best?.x, run.end?.best_epoch)
  assert.match(run.messages[0].text, /^Finished after 4 epochs\.$/)
  assert.match(run.messages.at(-1)?.text ?? "", /^Training starts: 4 epochs on CPU/)
})

test("a branch tells its own start, draws its parent's epochs and says nothing of what it inherited", () => {
  const run = folded(recorded("branch"))
  assert.equal(run.parent?.epoch, 2)
  assert.equal(run.numEpochs, 5)
  assert.deepEqual(
    run.epochs.map(epoch => epoch.x),
    [0, 1, 2, 3, 4, 5],
  )
  assert.match(run.messages.at(-1)?.text ?? "", /^Training goes on from epoch 2 of another run, up to epoch 5/)
})

test("steered: changes are marked, refusals are told and change nothing", () => {
  const run = folded(recorded("steered"))
  assert.deepEqual(
    run.marks.map(mark => [mark.name, mark.to]),
    [
      ["learning_rate", 0.002],
      ["weight_decay", 0.1],
    ],
  )
  assert.equal(run.numEpochs, 11)
  const refusals = run.messages.filter(message => message.text.includes("was refused"))
  assert.equal(refusals.length, 2)
  assert.ok(refusals.every(message => message.level === "warning"))
})

test("diverged: who did it and the way back are kept; the run has failed", () => {
  const run = folded(recorded("diverged"))
  assert.equal(run.state, "failed")
  assert.equal(run.diverged?.kind, "diverged")
})

test("a change that a resume took back is undone", () => {
  const run = folded([
    { kind: "start", num_epochs: 3 },
    { kind: "epoch", epoch: 1, step: 10, train_loss: 2, learning_rate: 0.1 },
    { kind: "command", name: "learning_rate", step: 15, value: 0.01 },
    { kind: "command", name: "learning_rate", step: 16, value: 0.001 },
    { kind: "step", epoch: 1.8, step: 18, train_loss: 1.5 },
    { kind: "resume", epoch: 1, step: 10 },
  ])
  assert.deepEqual([run.marks, run.steps, run.learningRate], [[], [], 0.1])
})

test("kinds of a later version are passed over", () => {
  const run = folded([/** @type {any} */ ({ kind: "sunrise", step: 3 })])
  assert.deepEqual(run, freshRun("run", METRICS))
})

test("every kind and every field of the schema is one the browser knows", { skip: !existsSync(SCHEMA) }, () => {
  const source = readFileSync(new URL("../../ui/components/shared/events.js", import.meta.url), "utf8")
  /** @type {{ $defs: Record<string, { properties?: Record<string, { const?: string }> }> }} */
  const { $defs: kinds } = JSON.parse(readFileSync(SCHEMA, "utf8"))
  assert.ok(Object.keys(kinds).length >= 10)
  for (const [name, { properties = {} }] of Object.entries(kinds)) {
    for (const field of Object.keys(properties))
      assert.match(source, new RegExp(`\\b${field}\\??:`), `${name}.${field}`)
    const kind = properties.kind?.const
    if (kind) assert.ok(source.includes(`"${kind}"`), kind)
  }
})
