import assert from "node:assert/strict"
import { test } from "node:test"

import { targetOf } from "../../ui/components/navigation/main.js"

const HERE = "http://host/lab/evaluate?run=a&show=Results"

test("the navigation keeps the run on screen, and nothing else of the page that is left", () => {
  assert.equal(targetOf("/lab/train", HERE, true).href, "http://host/lab/train?run=a")
  assert.equal(targetOf("/lab/train", "http://host/lab/data", true).href, "http://host/lab/train")
})

test("a link that names a run, and a link on a page, leads where it says", () => {
  assert.equal(targetOf("/lab/train?run=b", HERE, true).href, "http://host/lab/train?run=b")
  assert.equal(targetOf("/lab/data?dataset=x", HERE, false).href, "http://host/lab/data?dataset=x")
})
