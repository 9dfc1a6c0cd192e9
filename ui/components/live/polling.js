// What is read: the events of the run, as often as its state and the server want.

import { setText } from "../shared/dom.js"
import { Refused, requestJson, runRoute } from "../shared/server.js"
import { readOverlays } from "./comparison.js"
import { askForBlock } from "./rating_block.js"
import { fold } from "./reducer.js"
import { isOver } from "./state.js"

/** @typedef {import("./types.js").View} View */

/** @type {Record<string, number>} Milliseconds between two questions. */
const WAIT = { running: 200, loading: 200, queued: 400, paused: 400, hidden: 3000, over: 5000 }
const EMPTY_CHART = 8000 // milliseconds after Train was pressed in which the first point is asked for most often
const WATCHER = Math.random().toString(36).slice(2, 14) // one for each page: by it the server knows how many watch
const looking = () => document.visibilityState === "visible"

/** @param {View} view @param {number} wait milliseconds */
export function schedule(view, wait) {
  clearTimeout(view.timer)
  view.polling = true
  view.timer = setTimeout(() => poll(view), wait)
}

/**
 * A run that is over may be taken up again from another tab: look now and then, while somebody looks.
 * @param {View} view
 */
function linger(view) {
  clearTimeout(view.timer)
  view.timer = setTimeout(() => (looking() ? poll(view) : linger(view)), WAIT.over)
}

/** @param {View} view */
async function poll(view) {
  const { run } = view
  if (view.closed || view.busy || !run.runId) return
  view.busy = true
  try {
    const answer = await requestJson(`${runRoute(run.runId)}/events?from=${run.offset}&watcher=${WATCHER}`)
    if (view.closed || view.run !== run) return
    take(view, answer)
    view.failures = 0
    setText(view.part.note, "")
  } catch (error) {
    if (view.run === run) fail(view, error)
  } finally {
    view.busy = false
    goOn(view, run)
  }
}

/** @param {View} view @param {unknown} error */
function fail(view, error) {
  if (error instanceof Refused && error.status === 404) {
    view.run.state = "gone"
    view.polling = false
    view.draw()
    return
  }
  view.failures += 1
  // A single hiccup is not worth a word. After a restart of the server the page says by itself who is looking.
  const out = error instanceof Refused && error.status === 401
  if (view.failures > 2)
    setText(view.part.note, out ? "Log in again to go on watching." : "Connection lost; trying again …")
}

/** @param {View} view @param {import("./types.js").Run} asked */
function goOn(view, asked) {
  if (view.closed) return
  if (view.polling) schedule(view, view.run === asked ? pause(view) : 0)
  else if (isOver(view)) linger(view)
  if (view.others.size) readOverlays(view)
}

/** @param {View} view @returns {number} milliseconds until the next question */
function pause(view) {
  const { run } = view
  if (view.failures) return Math.min(5000, 400 * 2 ** view.failures)
  if (!looking()) return WAIT.hidden
  // Somebody has just pressed Train and looks at an empty chart.
  if (!run.epochs.length && performance.now() - view.since < EMPTY_CHART) return Math.max(80, run.every / 4)
  // With many watchers the server asks for patience.
  return Math.max(WAIT[run.state] || WAIT.running, run.every)
}

/** @param {View} view @param {import("./types.js").EventsAnswer} answer */
function take(view, answer) {
  const { run } = view,
    standing = () => `${run.state} ${run.kept.join()} ${run.silentSince}`,
    before = standing()
  if (answer.config) run.config = answer.config
  if (answer.rates) run.rates = answer.rates
  for (const event of answer.events) fold(run, event)
  run.offset = answer.next
  run.silentSince = answer.silent_since ?? null
  run.waitingFor = answer.waiting_for || 0
  run.every = answer.every_ms
  if (answer.kept) run.kept = answer.kept
  run.parent ??= answer.config?.parent ?? null
  // The server reads the state before the events, so once it says "over" the last event is here too.
  run.state = answer.state
  const over = isOver(view)
  run.reason = answer.reason || (over ? run.reason : "")
  if (!over) Object.assign(view, { sawItGoing: true, polling: true, ended: false })
  if (answer.events.length || answer.config || before !== standing()) view.draw()
  else askForBlock(view)
  if (!over) return
  view.polling = false
  if (view.sawItGoing && !view.ended) {
    view.ended = true
    view.send("ended", answer.state)
  }
}
