// The headline: true times, which figure chose what, and the training on train + validation.

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

import { headline, rateWords, secondsPerEpoch, timeWords } from "../../ui/components/live/draw.js"
import { memorisingSince, memorisingWords } from "../../ui/components/live/messages.js"
import { fold, freshRun } from "../../ui/components/live/reducer.js"

/** @typedef {import("../../ui/components/shared/events.js").RunEvent} RunEvent */

/** @param {RunEvent[]} events */
function folded(...events) {
  const run = freshRun("run", { "hr@10": { label: "HR", lower_is_better: false, help: "" } })
  for (const event of events) fold(run, event)
  return run
}

/** @param {import("../../ui/components/live/types.js").Run} run */
const viewOf = run =>
  /** @type {any} */ ({
    run: Object.assign(run, { state: "running" }),
    data: { states: { running: { live: true } }, metrics: {}, idle: "" },
  })

test("what is left is reckoned from the epochs of this run alone", () => {
  const day = 86400
  const run = folded(
    { kind: "start", num_epochs: 30, time: 0, inherited: true },
    ...[1, 2, 3].map(
      epoch => /** @type {RunEvent} */ ({ kind: "epoch", epoch, step: epoch, time: epoch, inherited: true }),
    ),
    { kind: "start", num_epochs: 30, time: day, parent: { run_id: "x", epoch: 3 } },
    { kind: "epoch", epoch: 4, step: 4, time: day + 2 },
  )
  assert.ok(Number.isNaN(secondsPerEpoch(run)), "one epoch says nothing yet")
  assert.doesNotMatch(headline(viewOf(run)), /left/)
  fold(run, { kind: "epoch", epoch: 5, step: 5, time: day + 4 })
  assert.equal(secondsPerEpoch(run), 2)
  assert.match(headline(viewOf(run)), /50 s left/)
})

test("who watched at a pace is told both times", () => {
  const run = folded(
    { kind: "start", num_epochs: 30, time: 100 },
    ...Array.from(
      { length: 30 },
      (_, i) => /** @type {RunEvent} */ ({ kind: "epoch", epoch: i + 1, time: 100 + (i + 1) / 3 }),
    ),
  )
  assert.equal(timeWords(run, 9), "in 9.0 s")
  assert.equal(timeWords(run, 0.457), "in 10 s, of which 457 ms trained")
  run.config.pace = 3
  assert.equal(timeWords(run, 0.457), "in 10 s at a pace of 3 epochs a second, of which 457 ms trained")
  run.settings.pace = 20
  assert.equal(timeWords(run, 0.457), "in 10 s, of which 457 ms trained", "this was not kept")
  fold(run, { kind: "resume", epoch: 30, step: 0 })
  assert.equal(timeWords(run, 0.457), "in 457 ms", "what passed before it was taken up again was not watched")
})

test("training on train + validation is said, epoch by epoch, and then that test is measured", () => {
  const run = folded({ kind: "start", num_epochs: 2 }, { kind: "epoch", epoch: 2, step: 2 })
  assert.doesNotMatch(headline(viewOf(run)), /test/)
  fold(run, { kind: "refit", epoch: 2, epochs: 10 })
  assert.equal(headline(viewOf(run)), "training once more on train + validation, epoch 3 of 10")
  fold(run, { kind: "refit", epoch: 10, epochs: 10 })
  assert.equal(headline(viewOf(run)), "measuring the result on test")
  fold(run, { kind: "end", state: "finished" })
  assert.equal(run.refit, null)
})

test("a recorded run with a refit ends without one", () => {
  const lines = readFileSync(new URL("../events/refitted.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n")
  const run = folded(...lines.map(line => JSON.parse(line)))
  assert.equal(run.refit, null)
})

test("the loss and the figure that chooses are told apart", () => {
  const losses = [1, 0.8, 0.7, 0.6, 0.65, 0.7, 0.75, 0.8]
  const run = folded(
    { kind: "start", num_epochs: 8, selection_metric: "hr@10" },
    ...losses.map(
      (valid_loss, i) =>
        /** @type {RunEvent} */ ({
          kind: "epoch",
          epoch: i + 1,
          step: i + 1,
          train_loss: 1 / (i + 1),
          valid_loss,
          metrics: { "hr@10": i / 10 },
          best: true,
        }),
    ),
  )
  run.config.ranks = true
  const since = memorisingSince(run)
  assert.equal(since, 4)
  const words = memorisingWords(run, 4)
  assert.match(words, /^The validation loss is lowest at epoch 4;/)
  assert.match(words, /HR@10 on validation still rose until epoch 8, and it chooses the epoch\. Guessing probabilities/)
  run.best = { x: 4, value: 1 }
  assert.doesNotMatch(memorisingWords(run, 4), /chooses/)
})

test("a rate is told with its schedule", () => {
  const run = freshRun("run")
  run.rates = { words: "one cycle, peak 0.02", line: [] }
  assert.equal(rateWords(run, 0.00138349), "0.00138 (one cycle, peak 0.02)")
  run.rates.words = "constant"
  assert.equal(rateWords(run, 0.02), "0.02")
})
