// The events of a run as the server sends them (events.jsonl), and the rule by which a resume takes back what came
// after it.
// The same recorded files are read by the tests of Python and of JavaScript: tests/events/.

/**
 * What every event carries. `step`: optimizer steps done; `inherited`: it happened in the run this one branched from.
 * @typedef {{ v?: number, time?: number, step?: number, inherited?: boolean }} Stamp
 */
/** @typedef {Record<string, number>} Metrics metric → value; undefined ones are absent */
/** @typedef {{ run_id: string, epoch: number, changes?: Record<string, string | number> }} Parent */
/**
 * @typedef {object} MetricFacts a metric as the run's protocol has it
 * @property {string} key
 * @property {string} label
 * @property {boolean} [lower_is_better]
 * @property {string} [unit]
 * @property {string} [help]
 * @property {string} [part]
 */
/**
 * @typedef {Stamp & {
 *   kind: "start", num_epochs?: number, steps_per_epoch?: number, num_parameters?: number, device?: string,
 *   threads?: number,
 *   engine?: string, engine_reason?: string, selection_metric?: string, metrics?: (string | MetricFacts)[],
 *   baselines?: { valid?: Record<string, Metrics> }, num_users?: number, num_items?: number, num_train?: number,
 *   num_valid?: number, num_test?: number, candidates?: Record<string, number[]>, parent?: Parent | null,
 * }} StartEvent
 */
/**
 * @typedef {Stamp & {
 *   kind: "step", epoch?: number, train_loss?: number, gradient_norm?: number, update_ratio?: number, saturated?:
 *   number,
 * }} StepEvent `epoch` is fractional
 */
/**
 * @typedef {Stamp & {
 *   kind: "epoch", epoch: number, train_loss?: number, valid_loss?: number, metrics?: Metrics, learning_rate?: number,
 *   seconds?: number, wall?: number, samples?: number, samples_per_second?: number, best?: boolean, validated?: number,
 * }} EpochEvent `wall`: seconds of training so far
 */
/**
 * @typedef {Stamp & {
 *   kind: "command", name: string, number?: number, value?: number, refused?: string, num_epochs?: number, epoch?:
 *   number, at?: number, planned?: boolean, before?: number,
 * }} CommandEvent `at`: epochs done, with the share of the one in training; `before`: in force until then
 */
/** @typedef {Stamp & { kind: "message", text: string, level?: string, epoch?: number }} MessageEvent */
/** @typedef {Stamp & { kind: "checkpoint" | "snapshot", epoch?: number }} KeptEvent */
/** @typedef {Stamp & { kind: "resume", epoch?: number }} ResumeEvent */
/**
 * @typedef {Stamp & {
 *   kind: "diverged", epoch?: number, learning_rate?: number, advice?: number, last_good_epoch?: number | null,
 * user_id?: string |
 *   number,
 *   item_id?: string | number, title?: string, rating?: number, predicted?: number, predicted_text?: string,
 *   user_norm?: number, item_norm?: number, scale?: string,
 * }} DivergedEvent
 */
/** @typedef {Stamp & { kind: "refit", epoch: number, epochs: number }} RefitEvent once more, on train + validation */
/**
 * @typedef {Stamp & {
 *   kind: "end", state: string, reason?: string, epoch?: number, epochs?: number, best_epoch?: number,
 *   at?: number, train_seconds?: number,
 *   test?: Metrics, valid?: Metrics,
 * }} EndEvent
 */
/**
 * @typedef {StartEvent | StepEvent | EpochEvent | CommandEvent | MessageEvent | KeptEvent | ResumeEvent | DivergedEvent
 *   | RefitEvent | EndEvent} RunEvent
 */

/**
 * Whether something that happened at a step still counts after a resume at another.
 * @param {{ step?: number }} past
 * @param {ResumeEvent} resume
 */
export const survives = (past, resume) => (past.step ?? 0) <= (resume.step ?? 0)

/**
 * The events that still count: a resume takes back all earlier ones with a later step.
 * @param {RunEvent[]} events in the order they were written
 * @returns {RunEvent[]}
 */
export function surviving(events) {
  /** @type {RunEvent[]} */
  let kept = []
  for (const event of events) {
    if (event.kind === "resume") kept = kept.filter(past => survives(past, event))
    kept.push(event)
  }
  return kept
}
