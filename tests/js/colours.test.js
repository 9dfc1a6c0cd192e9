import assert from "node:assert/strict"
import { test } from "node:test"

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
