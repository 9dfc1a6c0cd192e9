import assert from "node:assert/strict"
import { test } from "node:test"

import { legendOf, mainGenres } from "../../ui/components/embedding_map/colours.js"

const GENRES = [["Drama"], ["Drama", "Comedy"], ["Comedy"], ["Drama", "War"], ["Odd"], []]

test("the legend counts those that a click lights, and those that have the colour", () => {
  const named = ["Drama", "Comedy", "War", "Odd", "a", "b", "c", "d", "e"]
  const all = [...GENRES, ...named.slice(4).map(genre => [genre, genre])]
  const source = /** @type {any} */ ({ items: GENRES.length, count: GENRES.length + 1, genres: [...GENRES, []] })
  source.genreTable = mainGenres(source, all)
  assert.equal(source.genreTable.named.length, 8)
  const rows = [0, 1, 2, 3, 4, 5, 6], // the last is a user
    entries = legendOf(source, rows)
  for (const { genre, place, has, first } of entries.slice(0, 8)) {
    assert.equal(has, GENRES.filter(some => some.includes(genre)).length, genre)
    assert.equal(first, rows.filter(row => source.genreTable.main[row] === place).length, genre)
  }
  const drama = entries.find(entry => entry.genre === "Drama")
  assert.deepEqual([drama?.has, drama?.first], [3, 2])
  assert.equal(
    entries.reduce((sum, { first }) => sum + first, 0),
    GENRES.length,
    "every item has one colour",
  )
  assert.equal(legendOf(source, [1, 3]).find(entry => entry.genre === "Drama")?.has, 2, "only those on the map")
})
