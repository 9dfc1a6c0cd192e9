import assert from "node:assert/strict"
import { test } from "node:test"

import { freeRow } from "../../ui/components/live/annotations.js"
import { axisEnd, between, placeEpoch, placeStep, smooth, thin } from "../../ui/components/live/axes.js"
import { apart, focus, spread } from "../../ui/components/live/curves.js"
import { freshRun } from "../../ui/components/live/reducer.js"

const run = freshRun("run")
run.epochs = [0, 1, 2].map(x => ({ x, step: 100 * x, wall: 2 * x * x, metrics: {} }))

test("what lies between two epochs is interpolated, what comes after the last stays there", () => {
  assert.equal(between(run, "x", "step", 1.5), 150)
  assert.equal(between(run, "step", "wall", 150), 5)
  assert.equal(between(run, "x", "wall", 9), placeEpoch(run, "time", 2) + 7 * 6, "and goes on as steeply as before")
})

test("a point of a step has its own epoch, if it knows it", () => {
  assert.equal(placeStep(run, "epoch", { step: 150, x: 1.4 }), 1.4)
  assert.equal(placeStep(run, "epoch", { step: 150 }), 1.5)
  assert.equal(placeStep(run, "step", { step: 150 }), 150)
})

test("the axis reaches as far as the plan", () => {
  assert.equal(axisEnd(run, "epoch", 20), 20)
  assert.ok(axisEnd(run, "step", 20) >= 200)
  assert.ok(axisEnd(freshRun(""), "time", 20) > 0, "of a run that has no epoch yet, too")
})

test("thinned curves keep both ends and their mean", () => {
  const points = Array.from({ length: 5001 }, (_, x) => ({ x, y: x % 2 }))
  const thinned = thin(points, 100)
  assert.equal(thinned.length, 100)
  assert.deepEqual([thinned[0], thinned[99]], [points[0], points[5000]])
  assert.ok(thinned.slice(1, -1).every(point => Math.abs(point.y - 0.5) < 0.02))
  assert.equal(thin(points.slice(0, 100), 100).length, 100)
})

test("a constant stays constant when smoothed, and the first point is not pulled down", () => {
  const points = [3, 3, 3].map((y, x) => ({ x, y }))
  assert.deepEqual(
    smooth(points, 0.9).map(point => Number(point.y.toFixed(9))),
    [3, 3, 3],
  )
})

test("a line is broken where nothing was measured", () => {
  const points = [0, 1, 5].map(x => ({ x, y: x }))
  assert.deepEqual(
    apart(points, 2).map(point => point.y),
    [0, 1, null, 5],
  )
})

test("an untrained model far off lies outside, a near one inside", () => {
  assert.equal(focus([1, 1.1], 50, false).outside, 50)
  assert.equal(focus([1, 1.1], 1.2, false).outside, null)
  const [low, high] = focus([1, 1.1], 1.2, false).range
  assert.ok(low < 1 && high > 1.2)
  assert.deepEqual(focus([], undefined, true).range, [-1, 1])
})

test("powers of ten ask for a logarithmic axis", () => {
  assert.ok(spread([0.1, 1000]))
  assert.ok(!spread([0.1, 10, undefined]))
})

test("labels close to one another go down like stairs", () => {
  assert.equal(freeRow([], 1, 10), 0)
  assert.equal(freeRow([{ row: 0, x: 1 }], 2, 10), 1)
  assert.equal(freeRow([{ row: 0, x: 1 }], 6, 10), 0)
})
