// What is known of a metric: from the run's own start event, else from what the page was given, else from its name
// alone.

/** @typedef {import("./events.js").MetricFacts} MetricFacts */
/** @typedef {import("./events.js").StartEvent} StartEvent */
/**
 * @typedef {Record<string, { label: string, lower_is_better: boolean, help: string }>} KnownMetrics by stem:
 * "ndcg" of "ndcg@10/full"
 */

/**
 * Every metric a run measures, in its own order. Older runs name them only.
 * @param {StartEvent | null | undefined} start
 * @param {KnownMetrics} known
 * @param {string[]} [measured] keys to fall back on where the run names none
 * @returns {MetricFacts[]}
 */
export function metricsOf(start, known, measured = []) {
  return (start?.metrics ?? measured).map(metric => (typeof metric === "string" ? factsFrom(metric, known) : metric))
}

/**
 * The facts of one metric; of one that nobody knows, its name has to do.
 * @param {string} key
 * @param {StartEvent | null | undefined} start
 * @param {KnownMetrics} known
 * @returns {MetricFacts}
 */
export function metricFacts(key, start, known) {
  return metricsOf(start, known).find(metric => metric.key === key) ?? factsFrom(key, known)
}

/**
 * @param {string} key such as "ndcg@10/full"
 * @param {KnownMetrics} known
 * @returns {MetricFacts}
 */
function factsFrom(key, known) {
  const [base, part] = key.split("/")
  const [stem, ...length] = base.split("@")
  const facts = known[stem] ?? { label: stem.toUpperCase(), lower_is_better: false, help: "" }
  const label = [facts.label, ...length].join("@") + (part === "full" ? ", all items" : part ? `, ${part}` : "")
  return { key, label, lower_is_better: facts.lower_is_better, help: facts.help }
}
