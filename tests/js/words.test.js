import assert from "node:assert/strict"
import { test } from "node:test"

import { matcher, percent, quantile, shorten } from "../../ui/components/embedding_map/words.js"
import { divergedWords } from "../../ui/components/live/branch.js"
import { escapeText, rateText, seconds, sentence, short, three } from "../../ui/components/live/words.js"
import { metricFacts, metricsOf } from "../../ui/components/shared/metrics.js"
import { prefixOf } from "../../ui/components/shared/server.js"
import { median, one, plural, whole } from "../../ui/components/shared/text.js"

test("what is undefined is a dash, never NaN", () => {
  for (const words of [whole, short, seconds, three, rateText, percent]) assert.equal(words(NaN), "–")
})

test("numbers as people write them", () => {
  assert.deepEqual([whole(12345), plural(1, "epoch"), plural(2000, "epoch")], ["12,345", "1 epoch", "2,000 epochs"])
  assert.deepEqual([short(421337), short(87)], ["420 k", "87"])
  assert.deepEqual([0.08, 4.24, 200, 7500].map(seconds), ["80 ms", "4.2 s", "3 min 20 s", "2 h 5 min"])
  assert.deepEqual([three(0.12345), three(1e6), rateText(0.1 * 0.1)], ["0.123", "1.00e+6", "0.01"])
  assert.deepEqual([percent(0.071), percent(0.5)], ["7.1 %", "50 %"])
})

test("a sentence has its capital and its stop; a setting stays as it is typed", () => {
  assert.equal(sentence("stopped by hand"), "Stopped by hand.")
  assert.equal(sentence("batch_size must be >= 1"), "batch_size must be >= 1.")
  assert.equal(sentence(undefined), "")
})

test("rates are written as Python writes them", () => {
  const written = [0.1 * 0.1, 0.0183, 0.00138349, 2e-7, 3, NaN].map(rateText)
  assert.deepEqual(written, ["0.01", "0.0183", "0.00138", "2e-7", "3", "–"])
})

test("an article goes by sound", () => {
  assert.deepEqual(["film", "item", "user", "uncle"].map(one), ["a film", "an item", "a user", "an uncle"])
})

test("titles from people are no markup", () => {
  assert.equal(escapeText('<b onclick="x">&'), '&lt;b onclick="x"&gt;&amp;')
})

test("a divergence is told in the words of the data", () => {
  const nouns = { item: "joke", items: "jokes", user: "reader", users: "readers", unit: "point", units: "points" }
  const event = {
    kind: /** @type {const} */ ("diverged"),
    user_id: 7,
    item_id: 3,
    rating: 4,
    predicted: 80,
    item_norm: 9,
  }
  const told = divergedWords(event, nouns)
  assert.equal(
    told,
    "Reader 7 gave joke 3 a 4; the prediction reached 80.000. Length of the vectors: the joke's 9.000.",
  )
})

test("where the scale is the cause of a divergence, no learning rate is blamed", () => {
  const nouns = { item: "artist", items: "artists", user: "user", users: "users", unit: "play", units: "plays" }
  const event = { kind: /** @type {const} */ ("diverged"), learning_rate: 0.3, scale: "ratings go from 1 to 352,698" }
  assert.equal(
    divergedWords(event, nouns),
    "The scale is the cause, not the learning rate: ratings go from 1 to 352,698.",
  )
  assert.match(
    divergedWords({ kind: "diverged", learning_rate: 0.3 }, nouns),
    /^So learning rate 0.3 is too large here/,
  )
})

test("medians and quantiles leave out what is undefined", () => {
  assert.equal(median([3, NaN, 1, 2]), 2)
  assert.equal(median([1, 2]), 1.5)
  assert.ok(Number.isNaN(median([])))
  assert.equal(quantile([1, 2, 3], 0.5), 2)
})

test("search: words in any order and without accents, or an expression between slashes", () => {
  assert.ok(matcher("amelie 2001")?.("2001, Amélie"))
  assert.ok(matcher("/^star/")?.("Star Wars"))
  assert.equal(matcher("/(/"), undefined)
  assert.equal(matcher("  "), null)
  assert.equal(shorten("Empire Strikes Back", 8), "Empire…")
})

test("a metric is told by the run, else by what is known, else by its name; none is dropped", () => {
  const known = { ndcg: { label: "NDCG", lower_is_better: false, help: "h" } }
  const mine = { key: "surprise", label: "Surprise", lower_is_better: true }
  const start = { kind: /** @type {const} */ ("start"), metrics: ["ndcg@10/full", mine, "novelty@5"] }
  const facts = metricsOf(start, known)
  assert.deepEqual(
    facts.map(metric => metric.label),
    ["NDCG@10, all items", "Surprise", "NOVELTY@5"],
  )
  assert.equal(metricFacts("surprise", start, known).lower_is_better, true)
  assert.equal(metricFacts("ndcg@20", null, known).help, "h")
})

test("the prefix is what stands before our route, wherever the app is served", () => {
  assert.equal(prefixOf("https://host/lab/api/assets/0123/shared/server.js"), "https://host/lab")
  assert.equal(prefixOf("http://127.0.0.1:8501/api/assets/0123/shared/server.js"), "http://127.0.0.1:8501")
})
