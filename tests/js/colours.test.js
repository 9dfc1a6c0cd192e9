import assert from "node:assert/strict"
import { test } from "node:test"

import { paintOverlays } from "../../ui/components/live/comparison.js"
import { along, bytesOf, tint } from "../../ui/components/shared/colours.js"

test("colours are read as style sheets write them", () => {
  assert.deepEqual(bytesOf("#b04e28"), [176, 78, 40])
  assert.deepEqual(bytesOf("rgb(1, 2, 3)"), [1, 2, 3])
  assert.equal(tint("#000102", 0.5), "rgba(0,1,2,0.5)")
})

test("a ramp begins and ends with its ends", () => {
  const stops = ["#000000", "#ffffff", "#ff0000"].map(bytesOf)
  assert.deepEqual(
    [along(stops, -1), along(stops, 0.25), along(stops, 1)],
    [
      [0, 0, 0],
      [128, 128, 128],
      [255, 0, 0],
    ],
  )
})

test("every run laid over another has a colour of its own, a model that nobody foresaw too", () => {
  const look = { mf: "#1", baseline: "#9", palette: ["#1", "#2", "#3", "#9"] }
  const others = ["mf", "mf", "svd++", undefined].map((model, id) => [String(id), { id, model, parent: false }])
  const colours = paintOverlays(/** @type {any} */ ({ look, others: new Map(/** @type {any} */ (others)) }))
  assert.deepEqual(
    colours.map(one => one.colour),
    ["#1", "#2", "#3", "#9"],
  )
})
