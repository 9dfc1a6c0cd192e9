import assert from "node:assert/strict"
import { test } from "node:test"

import { reason, standing, summary, waitedFor } from "../../ui/components/queue/words.js"

/** @param {string} id @param {string} state @param {number} [epoch] */
const run = (id, state, epoch = 0) => ({
  id,
  title: id,
  own: true,
  state,
  epoch,
  epochs: 30,
  waited: 200,
  clock: "17:03",
})
const nothing = { running: [], paused: [], waiting: [] }

test("what is on is said in a few words, and nothing where nothing is", () => {
  assert.equal(summary(nothing), "")
  assert.equal(summary({ ...nothing, running: [run("a", "running", 12)] }), "epoch 12 of 30")
  const two = [run("a", "running"), run("b", "running")]
  assert.equal(
    summary({ running: two, paused: [run("c", "paused")], waiting: [run("d", "queued")] }),
    "2 training · 1 paused · 1 waiting",
  )
})

test("a run that waits says for what, and a paused one is never it", () => {
  const queue = {
    running: [run("a", "running", 3)],
    paused: [run("p", "paused")],
    waiting: [run("b", "resuming", 5), run("c", "queued")],
  }
  assert.equal(reason(queue, "b").after?.id, "a")
  assert.match(reason(queue, "b").text, /number 1 .* It goes on by itself once/)
  assert.match(reason(queue, "c").text, /number 2 in the queue, 1 run before it\. It begins by itself once/)
  assert.deepEqual(reason({ ...queue, running: [], waiting: [run("c", "queued")] }, "c").after, null)
  assert.match(reason({ ...queue, running: [], waiting: [run("c", "queued")] }, "c").text, /in a moment/)
  assert.equal(reason(queue, "a").text, "It trains now.")
  assert.equal(reason(queue, "gone").text, "")
})

test("each says where it stands", () => {
  assert.equal(standing(run("a", "paused", 4)), "epoch 4 of 30 · set up at 17:03")
  const silent = { ...run("a", "running", 4), silent_since: "20:14" }
  assert.equal(standing(silent), "not answering since 20:14 · epoch 4 of 30")
  assert.equal(standing(run("a", "queued")), "waits for 3 min · set up at 17:03")
  const soon = { ...run("a", "queued"), begins: "about 5 minutes" }
  assert.equal(standing(soon), "waits for 3 min · begins in about 5 minutes · set up at 17:03")
  const queue = { running: [run("b", "running")], paused: [], waiting: [soon] }
  assert.match(reason(queue, "a").text, /It begins by itself in about 5 minutes, once this run ends/)
  assert.deepEqual([1, 40, 7200].map(waitedFor), ["just queued", "waits for 40 s", "waits for 2 h"])
})
