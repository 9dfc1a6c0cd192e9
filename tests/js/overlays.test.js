// Several runs on one chart: what they share lies on itself, the ranges hold them all, each keeps its colour.

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

import { dress, paintOverlays } from "../../ui/components/live/comparison.js"
import { sceneOf } from "../../ui/components/live/draw.js"
import { lossFigure, metricFigure } from "../../ui/components/live/figures.js"
import { fold, freshRun } from "../../ui/components/live/reducer.js"

const LOOK = {
  train: "#000001",
  valid: "#000002",
  baseline: "#000003",
  background: "#ffffff",
  muted: "#777777",
  bad: "#ff0000",
  runs: ["#1", "#2", "#3"],
  fontSize: 12,
  lineWidth: 2,
  plotHeight: 200,
}

/** @param {string} name @param {(epoch: number) => number} loss @param {number} epochs @param {number} [start] */
function trained(name, loss, epochs, start = 5) {
  const run = freshRun(name)
  fold(run, { kind: "start", num_epochs: epochs, selection_metric: "rmse" })
  for (let epoch = 0; epoch <= epochs; epoch++) {
    const value = epoch ? loss(epoch) : start
    fold(run, {
      kind: "epoch",
      epoch,
      step: 10 * epoch,
      valid_loss: value,
      train_loss: value - 0.1,
      metrics: { rmse: value },
    })
  }
  return run
}

/**
 * @param {import("../../ui/components/live/types.js").Run[]} runs the first is the view's own
 * @param {object} [changes]
 */
function viewOf([run, ...others], changes = {}) {
  const laid = others.map(other => [other.runId, { id: other.runId, title: other.runId, parent: true, run: other }])
  const view = /** @type {any} */ ({
    run,
    look: LOOK,
    data: { states: {}, compact: false },
    axis: "epoch",
    metric: "rmse",
    logShown: false,
    closer: false,
    smoothing: 0,
    hidden: new Set(),
    worn: new Map(),
    others: new Map(/** @type {any} */ (laid)),
    ...changes,
  })
  for (const other of others) dress(view, other.runId)
  return view
}

/**
 * @param {any} figure
 * @param {string} name
 * @returns {[number, number][]} the points of the curve drawn last by that name
 */
function drawn(figure, name) {
  const found = figure.data.findLast((/** @type {any} */ one) => one.name.endsWith(name) && one.x.length)
  return found.x.map((/** @type {number} */ x, /** @type {number} */ i) => [x, found.y[i]])
}

const noisy = (/** @type {number} */ epoch) => 1 + Math.sin(7 * epoch) / (1 + epoch)

for (const [smoothing, length] of /** @type {const} */ ([
  [0, 40],
  [0.9, 40],
  [0, 1700],
  [0.9, 1700],
])) {
  test(`a branch lies on its parent over what they share (${length} epochs, smoothing ${smoothing})`, () => {
    const left = length / 2 + 3
    const parent = trained("parent", noisy, length),
      branch = trained("branch", epoch => (epoch <= left ? noisy(epoch) : 3), length + 111)
    for (const figure of [lossFigure, metricFigure]) {
      const shown = figure(sceneOf(viewOf([branch, parent], { smoothing })))
      const ours = new Map(drawn(shown, figure === lossFigure ? "validation" : "this run")),
        theirs = drawn(shown, "parent, validation").filter(([x]) => x <= left)
      assert.ok(theirs.length > 15)
      for (const [x, y] of theirs) assert.equal(ours.get(x) ?? y, y, `epoch ${x}`)
      assert.ok(theirs.filter(([x]) => ours.has(x)).length >= theirs.length - 1)
    }
  })
}

test("all runs are smoothed or none; the untrained model does not pull the average up", () => {
  const shown = lossFigure(
    sceneOf(viewOf([trained("a", noisy, 30, 90), trained("b", noisy, 30, 90)], { smoothing: 0.9 })),
  )
  for (const name of ["train", "a, validation", "b, validation", "b, train"].filter(one => one[0] !== "a")) {
    const [start, first] = drawn(shown, name)
    assert.ok(start[1] > 80 && first[1] < 2.5, name)
  }
})

test("the ranges hold every curve that is shown, and only those", () => {
  const here = trained("here", () => 1, 10, 1.2),
    high = trained("high", () => 3, 25, 3.1)
  for (const figure of [lossFigure, metricFigure]) {
    const both = figure(sceneOf(viewOf([here, high]))).layout
    assert.ok(both.yaxis.range[0] < 1 && both.yaxis.range[1] > 3)
    assert.ok(both.xaxis.range[1] >= 25)
    const alone = figure(sceneOf(viewOf([here, high], { hidden: new Set(["high"]) }))).layout
    assert.ok(alone.yaxis.range[1] < 2 && alone.xaxis.range[1] < 15)
    const other = figure(sceneOf(viewOf([here, high], { hidden: new Set(["here"]) })))
    assert.ok(other.layout.yaxis.range[0] > 2)
    assert.ok(other.data.filter((/** @type {any} */ one) => one.visible === false).length >= 2)
  }
  const closer = metricFigure(sceneOf(viewOf([here, high], { closer: true }))).layout
  assert.ok(closer.yaxis.range[1] > 3, "from near, too")
})

test("a run keeps its colour when others come and go, whatever their models", () => {
  const view = viewOf(["a", "b", "c", "d"].map(name => trained(name, noisy, 2)))
  const colours = () => Object.fromEntries(paintOverlays(view).map(({ id, colour }) => [id, colour]))
  assert.deepEqual(colours(), { b: "#1", c: "#2", d: "#3" })
  const again = view.others.get("b")
  view.others.delete("b")
  assert.deepEqual(colours(), { c: "#2", d: "#3" })
  view.others.set("b", again)
  dress(view, "b")
  assert.deepEqual(colours(), { c: "#2", d: "#3", b: "#1" })
})

test("train, validation and baselines differ by their dash, and curves are named at their ends", () => {
  const run = trained("run", noisy, 10)
  if (run.start) run.start.baselines = { valid: { mean: { rmse: 1.1 } } }
  const loss = /** @type {any} */ (lossFigure(sceneOf(viewOf([run])))),
    metric = /** @type {any} */ (metricFigure(sceneOf(viewOf([run]))))
  const dash = (/** @type {any} */ figure, /** @type {string} */ name) =>
    figure.data.find((/** @type {any} */ one) => one.name === name).line.dash
  assert.equal(new Set([dash(loss, "train"), dash(loss, "validation"), dash(metric, "mean")]).size, 3)
  const names = loss.layout.annotations.map((/** @type {any} */ one) => one.text)
  assert.ok(names.includes("train") && names.includes("validation"))
})

test("no colour of a run is known here: they come with the page", () => {
  const source = readFileSync(new URL("../../ui/components/live/comparison.js", import.meta.url), "utf8")
  assert.doesNotMatch(source, /#[0-9a-f]{6}/i)
})
