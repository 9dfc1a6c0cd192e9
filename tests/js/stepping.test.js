// Step by step: where a run stands, what was asked, and what a step has moved.

import assert from "node:assert/strict"
import { test } from "node:test"

import { placeWords } from "../../ui/components/live/draw.js"
import { compareWithPause, freshPicture, movedBetween, movedWords } from "../../ui/components/live/rating_block.js"
import { fold, freshRun } from "../../ui/components/live/reducer.js"

/** @param {import("../../ui/components/shared/events.js").RunEvent[]} events */
function folded(...events) {
  const run = freshRun("run")
  for (const event of events) fold(run, event)
  return run
}
const START = /** @type {const} */ ({ kind: "start", num_epochs: 5, steps_per_epoch: 70000 })

test("one step of many is counted", () => {
  const run = folded(
    START,
    { kind: "epoch", epoch: 2, step: 140000 },
    { kind: "step", step: 140001, epoch: 2 + 1 / 70000, train_loss: 3 },
  )
  assert.equal(placeWords(run), "step 140,001 · 1 of 70,000 of epoch 3")
  fold(run, { kind: "resume", epoch: 2, step: 140000 })
  assert.equal(placeWords(run), "step 140,000")
})

test("another batch size makes another number of steps an epoch", () => {
  const run = folded(
    START,
    { kind: "epoch", epoch: 1, step: 70000 },
    { kind: "command", name: "batch_size", step: 70000, value: 100 },
    { kind: "step", step: 70175, epoch: 1.25, train_loss: 3 },
  )
  assert.equal(placeWords(run), "step 70,175 · 175 of 700 of epoch 2")
})

test("a count of batches is told, is no setting and leaves no mark", () => {
  const run = folded(START, { kind: "command", name: "step_batch", step: 3, value: 1000 })
  assert.deepEqual([run.marks, run.settings], [[], {}])
  assert.equal(run.messages[0].text, "1,000 batches, then a pause.")
  assert.equal(folded(START, { kind: "command", name: "step_batch" }).messages[0].text, "One batch, then a pause.")
})

const BLOCK = /** @type {any} */ ({ users: [1, 2], items: ["A", "B"], unit: "stars", low: 1, high: 5 })

test("what a step has moved is found and told; that it moved nothing, too", () => {
  const before = { step: 10, values: [3, 3, 3, 3] }
  const moved = movedBetween(before, [3, 3.5, 3.01, 3], 11)
  assert.deepEqual([...(moved?.cells ?? [])], [[1, 1]])
  assert.equal(
    moved && movedWords(freshRun("run"), BLOCK, moved),
    "Step 11 moved 2 of 4 cells, most: user 1 × B, 3.00 → 3.50",
  )
  const still = movedBetween(before, [3, 3, 3, 3], 20)
  assert.match(
    (still && movedWords(freshRun("run"), BLOCK, still)) ?? "",
    /^The last 10 steps moved none of these 4 cells/,
  )
  assert.equal(movedBetween(before, [3, 3.5, 3, 3], 10), null, "no step was made")
})

test("a hundred batches are seen against the pause before them, whatever was looked at on the way", () => {
  const run = freshRun("run"),
    picture = freshPicture()
  /** @param {string} state @param {string} wish @param {number} step @param {number} value */
  const look = (state, wish, step, value) => {
    Object.assign(run, { state, wish })
    compareWithPause(run, picture, [value, 3], step)
    return picture.moved?.steps
  }
  assert.equal(look("paused", "pause", 10, 3), undefined)
  assert.equal(look("running", "step_batch", 50, 3.2), undefined)
  assert.equal(look("paused", "step_batch", 110, 3.4), 100)
  assert.equal(look("paused", "step_batch", 110, 3.4), 100, "looked at once more")
  assert.equal(look("running", "resume", 300, 3.5), undefined)
  assert.equal(look("paused", "pause", 400, 3.5), undefined)
  assert.equal(look("paused", "step_batch", 401, 3.6), 1)
})

test("who steps right after pausing sees it against what was seen last, and the steps since are counted", () => {
  const run = Object.assign(freshRun("run"), { state: "paused", wish: "step_batch" })
  const picture = Object.assign(freshPicture(), { block: { step: 7 }, to: [3, 3] })
  compareWithPause(Object.assign(run, { state: "running" }), picture, [3, 3.2], 12)
  Object.assign(picture, { block: { step: 12 }, to: [3, 3.2] })
  compareWithPause(Object.assign(run, { state: "paused" }), picture, [3, 3.5], 20)
  assert.equal(picture.moved?.steps, 13)
})
