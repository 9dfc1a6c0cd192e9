// Settings that may change while a run goes. Which there are, their words and their bounds come with the run's
// configuration.

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Control} Control */

/** Commands with a value that changes no weight and leaves no mark on the chart. */
const NO_MARK = ["pace", "extend", "step_batch"]
/** Until the server has said what the data is called. */
const ANY = { item: "item", items: "items", user: "user", users: "users", unit: "point", units: "points" }

/** @param {string} name of a command with a value */
export const isControl = name => !NO_MARK.includes(name)

/**
 * What the server says of a setting.
 * @param {Run} run
 * @param {string} name
 * @returns {Control | undefined}
 */
export const controlOf = (run, name) => run.config.controls?.find(control => control.name === name)

/**
 * The same, of all that may change in a branch too.
 * @param {Run} run
 * @param {string} name
 */
const fieldOf = (run, name) => controlOf(run, name) ?? run.config.branch?.find(field => field.name === name)

/** @param {Run} run @param {string} name */
export function labelOf(run, name) {
  const plain = name.replaceAll("_", " ")
  return fieldOf(run, name)?.label ?? plain[0].toUpperCase() + plain.slice(1)
}

/** What a run's data is called. @param {Run} run @returns {import("../shared/types.js").Nouns} */
export const nounsOf = run => ({ ...ANY, ...run.config.nouns })

/** The word beside a mark on the chart. @param {Run} run @param {string} name */
export function briefOf(run, name) {
  return fieldOf(run, name)?.brief ?? labelOf(run, name).toLowerCase()
}

/**
 * What a setting is at this moment: as last set by hand, else as the schedule left it, else as configured.
 * @param {Run} run
 * @param {string} name
 * @returns {number | undefined}
 */
export function settingNow(run, name) {
  const configured = controlOf(run, name)?.value ?? run.config[name]
  if (name === "learning_rate") return run.learningRate ?? run.settings.learning_rate ?? configured
  return run.settings[name] ?? configured
}
