// What is read: the events of the run, as often as its state and the server want.

const POLL = { running: 200, loading: 200, queued: 400, paused: 400, hidden: 3000, over: 5000 }
const WATCHER = Math.random().toString(36).slice(2, 14) // one for each page: by it the server knows how many watch

function schedule(view, wait) {
  clearTimeout(view.timer)
  view.polling = true
  view.timer = setTimeout(() => poll(view), wait)
}

// A run that is over may be taken up again from another tab: look now and then, while somebody looks.
function linger(view) {
  clearTimeout(view.timer)
  view.timer = setTimeout(() => (document.visibilityState === "visible" ? poll(view) : linger(view)), POLL.over)
}

async function poll(view) {
  const run = view.run
  if (view.closed || view.busy || !run.runId) return
  view.busy = true
  try {
    const answer = await fetch(`${view.data.base}/api/runs/${encodeURIComponent(run.runId)}/events?from=${run.offset}&watcher=${WATCHER}`, { cache: "no-store" })
    if (view.closed || view.run !== run) return
    if (answer.status === 404) { run.state = "gone"; view.polling = false; draw(view); return }
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    take(view, await answer.json())
    view.failures = 0
    setText(view.part.note, "")
  } catch (error) {
    view.failures += 1
    // A single hiccup is not worth a word.
    if (view.failures > 2) setText(view.part.note, "Connection lost; trying again …")
  } finally {
    view.busy = false
    if (!view.closed && view.polling) schedule(view, view.run === run ? pause(view) : 0)
    else if (!view.closed && OVER.includes(view.run.state)) linger(view)
    if (view.others.size) readOthers(view)
  }
}

function pause(view) {
  if (view.failures) return Math.min(5000, 400 * 2 ** view.failures)
  if (document.visibilityState !== "visible") return POLL.hidden
  // Somebody has just pressed Train and looks at an empty chart.
  if (!view.run.epochs.length && performance.now() - view.since < 8000) return Math.max(80, (view.run.every || 0) / 4)
  // With many watchers the server asks for patience.
  return Math.max(POLL[view.run.state] || POLL.running, view.run.every || 0)
}

function take(view, answer) {
  const run = view.run, before = run.state
  if (answer.config) run.config = answer.config
  for (const event of answer.events) fold(run, event)
  run.offset = answer.next
  run.reason = answer.reason || (OVER.includes(answer.state) ? run.reason : "")
  run.waitingFor = answer.waiting_for || 0
  run.every = answer.every_ms
  const keptBefore = run.kept.join()
  if (answer.kept) run.kept = answer.kept
  if (answer.config?.parent) run.parent ??= answer.config.parent
  const over = OVER.includes(answer.state)
  if (!over) Object.assign(view, { sawItGoing: true, polling: true, ended: false })
  // The server reads the state before the events, so once it says "over" the last event is here too.
  run.state = answer.state
  if (answer.events.length || before !== run.state || answer.config || keptBefore !== run.kept.join()) draw(view)
  else askForPicture(view)
  if (!over) return
  view.polling = false
  describe(view)
  if (view.sawItGoing && !view.ended) {
    view.ended = true
    view.send("ended", answer.state)
  }
}
