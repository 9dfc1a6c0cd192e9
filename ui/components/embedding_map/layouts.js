// Maps by t-SNE and UMAP: made by the server on request, watched here, and shown as another layout of the same points.

import { setText } from "../shared/dom.js"
import { request, requestJson } from "../shared/server.js"
import { drawNames, unpack } from "./source.js"
import { lastFrame, messageOf, tellBriefly } from "./state.js"
import { drawTime, play } from "./timeline.js"

/** @typedef {import("./types.js").View} View */

/**
 * @param {View} view
 * @param {string} method
 * @param {{ stay?: boolean }} [how] `stay`: the camera is where it should be already
 */
export async function askLayout(view, method, { stay = false } = {}) {
  const { source, data } = view
  if (!method || source.layouts[method]) {
    if (view.making) stopMaking(view)
    showLayout(view, method, stay)
    return
  }
  if (view.special.items || view.special.sphere || view.special.between) {
    tellBriefly(view, `Go back to all ${data.nouns.items} on their components first.`)
    view.fillControls()
    return
  }
  view.making = method
  view.settle()
  try {
    const status = await requestJson(`${data.manifold}/${method}`)
    if (view.source !== source || view.making !== method) return
    if (status.state !== "finished") view.send("make", method)
    watchLayout(view, status.state === "finished" ? 0 : 500, stay)
  } catch (error) {
    tellBriefly(view, messageOf(error))
    stopMaking(view)
  }
}

/** @param {View} view @param {number} wait @param {boolean} stay */
function watchLayout(view, wait, stay) {
  const { source, making } = view
  clearTimeout(view.timers.layout)
  drawMaking(view, { progress: 0, message: "starting" })
  const look = async () => {
    if (!making || view.closed || view.source !== source || view.making !== making) return
    try {
      const status = await requestJson(`${view.data.manifold}/${making}`)
      if (status.state === "finished") {
        await takeLayout(view, making, stay)
        return
      }
      view.patience = status.state === "absent" ? (view.patience ?? 0) + 1 : 0 // the click is on its way
      if (["failed", "cancelled"].includes(status.state) || view.patience > 20) {
        stopMaking(view)
        tellBriefly(view, status.state === "cancelled" ? "Cancelled." : status.reason || "It could not be started.")
        return
      }
      drawMaking(view, status)
    } catch {
      /* asked again below */
    }
    view.timers.layout = setTimeout(look, 500)
  }
  view.timers.layout = setTimeout(look, wait)
}

/** @param {View} view */
function stopMaking(view) {
  view.making = null
  clearTimeout(view.timers.layout)
  view.part.making.hidden = true
  view.fillControls()
  view.settle()
}

/** @param {View} view @param {any} status */
function drawMaking(view, status) {
  const { part, making, data } = view
  part.making.hidden = false
  const share = status.progress ? `, ${Math.round(100 * status.progress)} %` : " …"
  setText(part["making-words"], `${data.methods[making ?? ""]}: ${status.message || "working"}${share}`)
  part["making-bar"].value = status.progress || 0
  part["making-stop"].onclick = () => {
    view.send("cancel", making)
    setText(part["making-words"], "Cancelling …")
  }
}

/** @param {View} view @param {string} method @param {boolean} stay */
async function takeLayout(view, method, stay) {
  const { source, data } = view,
    { head, frames, width } = unpack(await (await request(`${data.manifold}/${method}?points=1`)).arrayBuffer())
  if (view.source !== source) return
  const place = new Map((source.head.item_idx ?? []).map((index, row) => [index, row]))
  source.layouts[method] = {
    words: data.methods[method],
    width,
    rows: head.item_idx.map((/** @type {number} */ index) => place.get(index)),
    table: frames[0],
  }
  stopMaking(view)
  showLayout(view, method, stay)
}

/** @param {View} view @param {string | null} method @param {boolean} [stay] the camera does */
export function showLayout(view, method, stay = false) {
  const layout = method && view.source.layouts[method] ? method : null
  if (layout === view.layout) {
    view.fillControls()
    return
  }
  view.layout = layout
  if (layout) {
    if (view.playing) play(view, false)
    view.time = lastFrame(view)
    view.want.kinds = "films"
  }
  view.root.dataset.layout = view.layout ?? ""
  if (!stay) view.home()
  view.renew()
  view.fillControls()
  drawNames(view)
  drawTime(view)
}
