// The numbers behind a chart, as a table and as a file.

import assert from "node:assert/strict"
import { test } from "node:test"

import { csvOf, tableOf } from "../../ui/components/live/taking.js"
import { csv } from "../../ui/components/shared/text.js"

const TRACES = [
  { name: "train", x: [1, 2], y: [0.5, 0.25] },
  { name: "validation", x: [0, 1, 2], y: [3, null, 0.75] },
  { name: "validation", x: [1, 2], y: [1, 0.9] },
  { name: "mean", x: [-20, 60], y: [1.1, 1.1] },
  { name: "hidden", x: [1], y: [9], visible: false },
  { name: "best", x: [2], y: [0.75] },
]

test("every curve that is shown is a column, what was not measured stays empty", () => {
  assert.deepEqual(tableOf(TRACES.slice(0, 3), "epoch"), {
    head: ["epoch", "train", "validation", "validation, smoothed"],
    rows: [
      [0, null, 3, null],
      [1, 0.5, null, 1],
      [2, 0.25, 0.75, 0.9],
    ],
  })
  const { head, rows } = tableOf(TRACES, "epoch")
  assert.deepEqual(
    rows.map(row => row[head.indexOf("mean")]),
    [1.1, 1.1, 1.1],
    "a baseline is the same everywhere, and adds no row",
  )
  assert.ok(!tableOf(TRACES, "epoch").head.some(name => ["hidden", "best"].includes(name)))
})

test("the file has every digit, and titles with commas in quotes", () => {
  const text = csvOf({ head: ["epoch", 'a "b", c'], rows: [[1, 0.123456789012]] })
  assert.equal(text, 'epoch,"a ""b"", c"\r\n1,0.123456789012\r\n')
})

test("no text is a formula to a spreadsheet, and numbers below zero stay numbers", () => {
  const lines = csv([
    ["=1+1", "+SUM(A1)", "-2+3", "@x", "\tx", "=a,b", "a=b"],
    [-1, "-0.5", null, "", "- 3", "-", 0],
  ])
  assert.equal(lines, `'=1+1,'+SUM(A1),'-2+3,'@x,'\tx,"'=a,b",a=b\r\n-1,-0.5,,,'- 3,'-,0\r\n`)
})
