// Whatever a person can have set on the map is in its address: written, read back, and written again the same.

import assert from "node:assert/strict"
import { test } from "node:test"

import * as address from "../../ui/components/embedding_map/address.js"
import { membersFrom, membersText, MOST_LETTERS, NOBODY } from "../../ui/components/embedding_map/members.js"

/** A generator of numbers below 1, the same each time (mulberry32). @param {number} seed */
function randomFrom(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const WORDS = ["50", "a.b", "x~y", "*d", "50 %", "%2E", "Ünïcode & more", "Children's", "+", "/^(x)/", "#1"]

/** @param {() => number} random */
function anyMap(random) {
  const below = (/** @type {number} */ n) => Math.floor(random() * n),
    among = (/** @type {any[]} */ list) => list[below(list.length)],
    maybe = (/** @type {any} */ value, /** @type {any} */ other) => (random() < 0.5 ? value : other)
  const members = () => {
    const index = [...new Set(Array.from({ length: 81 + below(400) }, () => below(4000)))].sort((a, b) => a - b)
    return maybe({ ids: [], index }, { ids: WORDS.filter(() => random() < 0.3), index: [] })
  }
  const [from, to] = [members(), members()],
    some = from.ids.length + from.index.length + to.ids.length + to.index.length
  const own = some ? maybe({ from, to }, null) : null,
    first = own && to.ids.length + to.index.length ? -1 : 0
  return {
    ...address.freshMap(),
    kinds: among(["films", "users", "both"]),
    dims: among([2, 3]),
    axes: [maybe(first, below(8)), below(8), below(8)],
    colour: among(["", "ratings", "plain"]),
    genre: among(["", ...WORDS]),
    film: among(["", ...WORDS]),
    user: among(["", ...WORDS]),
    epoch: maybe(null, below(200)),
    cam: maybe(null, [0.1234, -9, 9, 0.4 + below(50), below(7) - 3, 1.5]),
    find: among(["", ...WORDS]),
    at: below(5) - 1,
    picked: members(),
    pickedUsers: members(),
    apart: members(),
    own,
    sphere: random() < 0.5,
    layout: among(["", "tsne", "umap"]),
    measure: among(address.MEASURES),
    trails: among(address.TRAILS),
    tool: among(address.TOOLS),
    speed: among(address.SPEEDS),
    ...Object.fromEntries(["path", "labels", "sized", "table", "loop"].map(name => [name, random() < 0.5])),
  }
}

/** @param {Record<string, string>} values */
const search = values => `?${new URLSearchParams(Object.entries(values).filter(([, value]) => value))}`

test("any state of the map comes back from its address", () => {
  const random = randomFrom(7)
  for (let round = 0; round < 500; round += 1) {
    const state = /** @type {import("../../ui/components/embedding_map/types.js").MapState} */ (anyMap(random)),
      written = address.encode(state)
    assert.deepEqual(Object.keys(written), address.NAMES, "every parameter has its place")
    assert.deepEqual(address.decode(search(written)), state)
  }
})

test("the map as it opens has nothing in the address", () => {
  assert.equal(search(address.encode(address.freshMap())), "?")
  assert.deepEqual(address.decode(""), address.freshMap())
})

test("nonsense in an address is the map as it opens", () => {
  const nonsense = address.NAMES.filter(name => !["colour", "genre", "film", "user", "find", "show"].includes(name))
  const values = Object.fromEntries(nonsense.map(name => [name, "..~."]))
  assert.deepEqual(address.decode(search({ ...values, sel: "*d!!", apart: "*b", selusers: "." })), address.freshMap())
})

test("a set too large for an address is left out, not cut", () => {
  const many = Array.from({ length: 30000 }, (_, at) => 3 * at)
  assert.equal(membersText({ ids: [], index: many }), "")
  const some = many.slice(0, 5000),
    text = membersText({ ids: [], index: some })
  assert.ok(text.length <= MOST_LETTERS)
  assert.deepEqual(membersFrom(text).index, some)
  assert.deepEqual(membersFrom(""), NOBODY)
})
