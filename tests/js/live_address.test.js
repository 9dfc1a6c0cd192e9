// What a live view shows is in its address: written, read back, and written again the same.

import assert from "node:assert/strict"
import { test } from "node:test"

import { decode, encode, freshShown, NAMES } from "../../ui/components/live/address.js"
import { AXES } from "../../ui/components/live/axes.js"

/** @param {Record<string, string>} values */
const search = values => `?${new URLSearchParams(Object.entries(values).filter(([, value]) => value))}`

test("any state of a live view comes back from its address", () => {
  for (const axis of /** @type {import("../../ui/components/live/types.js").Axis[]} */ (Object.keys(AXES)))
    for (const metric of ["", "hr@10/full", "odd & even"])
      for (const log of [undefined, true, false])
        for (const closer of [true, false])
          for (const smoothing of [0, 0.05, 0.6, 0.95])
            for (const others of [[], ["20261125-a"], ["20261125-a", "20261125-b"]]) {
              const shown = { axis, metric, log, closer, smoothing, others }
              assert.deepEqual(decode(search(encode(shown))), shown)
            }
})

test("a view as it opens has nothing in the address; nonsense there opens it so", () => {
  assert.equal(search(encode(freshShown())), "?")
  const nonsense = search(Object.fromEntries(NAMES.map(name => [name, name === "view.metric" ? "" : ","])))
  assert.deepEqual(decode(nonsense), freshShown())
})
