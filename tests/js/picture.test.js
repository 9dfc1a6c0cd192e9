// What a chart looks like as a picture of its own.

import assert from "node:assert/strict"
import { test } from "node:test"
import { pictureLayout, pictureTrace } from "../../ui/components/chart_picture/picture.js"

const LOOK = { width: 500, height: 340, ground: "#fff" }

test("a picture stands on the page's ground, and names its lines where the page did so elsewhere", () => {
  /** @type {any} */
  const several = pictureLayout({ showlegend: false, title: { text: "T" } }, [{ name: "a" }, { name: "b" }, {}], LOOK)
  assert.equal(several.showlegend, true)
  assert.equal(several.paper_bgcolor, "#fff")
  assert.equal(several.height, 400)
  assert.deepEqual(several.title, { text: "T" })
})

test("one line needs no legend, and a legend on the chart stays as it is", () => {
  assert.equal(pictureLayout({ showlegend: false }, [{ name: "a" }, {}], LOOK).showlegend, false)
  const own = pictureLayout({ showlegend: true, legend: { x: 1 } }, [{ name: "a" }, { name: "b" }], LOOK)
  assert.deepEqual(own.legend, { x: 1 })
  assert.equal(own.height, 340)
})

test("what only marks something is not in the legend", () => {
  assert.deepEqual(pictureTrace({ x: [1] }), { x: [1], showlegend: false })
  assert.deepEqual(pictureTrace({ name: "a" }), { name: "a" })
})
