// What is said of the queue. Nothing here touches the page.

import { plural } from "../shared/text.js"

/** @typedef {import("./types.js").Waiting} Waiting */
/** @typedef {import("./types.js").Queue} Queue */

/** @param {number} seconds  "just queued", "waits for 40 s", "waits for 3 min", "waits for 2 h" */
export function waitedFor(seconds) {
  if (seconds < 5) return "just queued"
  if (seconds < 60) return `waits for ${Math.round(seconds)} s`
  if (seconds < 3600) return `waits for ${Math.round(seconds / 60)} min`
  return `waits for ${Math.round(seconds / 3600)} h`
}

/** @param {Waiting} run */
export function standing({ state, epoch, epochs, waited, begins, clock, silent_since }) {
  const set = `set up at ${clock}`
  const soon = begins ? ` · begins in ${begins}` : ""
  if (state === "queued") return `${waitedFor(waited)}${epoch ? `, to go on after epoch ${epoch}` : ""}${soon} · ${set}`
  if (silent_since) return `not answering since ${silent_since} · epoch ${epoch} of ${epochs}`
  return `${state === "resuming" ? "goes on by itself, " : ""}epoch ${epoch} of ${epochs} · ${set}`
}

/** The queue in a few words; "" where nothing is on. @param {Queue} queue */
export function summary({ running, paused, waiting }) {
  const [only] = running
  return [
    running.length === 1 ? `epoch ${only.epoch} of ${only.epochs}` : running.length ? `${running.length} training` : "",
    paused.length ? `${paused.length} paused` : "",
    waiting.length ? `${waiting.length} waiting` : "",
  ]
    .filter(Boolean)
    .join(" · ")
}

/**
 * Why a run waits, or that it does not any more.
 * @param {Queue} queue @param {string} id
 * @returns {{ text: string, after: Waiting | null, waits: boolean }} `after`: the run that has its place
 */
export function reason({ running, paused, waiting }, id) {
  const place = waiting.findIndex(run => run.id === id)
  if (place < 0) {
    const known = running.some(run => run.id === id) ? "It trains now." : ""
    return { text: paused.some(run => run.id === id) ? "It is paused." : known, after: null, waits: false }
  }
  const again = waiting[place].state === "resuming" ? "It goes on by itself" : "It begins by itself"
  if (!running.length && !place) return { text: `${again} in a moment.`, after: null, waits: true }
  const after = running.length ? running[0] : waiting[0],
    before = place ? `, ${plural(place, "run")} before it` : ""
  const soon = waiting[place].begins ? ` in ${waiting[place].begins},` : ""
  return {
    text: `Waiting: number ${place + 1} in the queue${before}. ${again}${soon} once this run ends or is paused:`,
    after,
    waits: true,
  }
}
