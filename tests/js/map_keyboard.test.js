import assert from "node:assert/strict"
import { test } from "node:test"

import { nextRow } from "../../ui/components/embedding_map/keyboard.js"

// Row 0 in the middle, 1 to its right, 2 further right, 3 below, 4 above and aside.
const SCREEN = [100, 100, 140, 104, 300, 100, 96, 160, 130, 60],
  ROWS = [0, 1, 2, 3, 4]

test("an arrow goes to the nearest point that lies that way", () => {
  const from = /** @type {[number, number]} */ ([100, 100])
  assert.equal(nextRow(SCREEN, ROWS, from, [1, 0], 0), 1)
  assert.equal(nextRow(SCREEN, ROWS, from, [0, 1], 0), 3)
  assert.equal(nextRow(SCREEN, ROWS, from, [0, -1], 0), 4)
  assert.equal(nextRow(SCREEN, ROWS, from, [-1, 0], 0), -1, "nothing lies to the left")
  assert.equal(nextRow(SCREEN, ROWS, [140, 104], [1, 0], 1), 2, "and on from there")
  assert.equal(nextRow(SCREEN, [0, 2], from, [1, 0], 0), 2, "of those that are there")
})
