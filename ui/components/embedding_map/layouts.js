// Maps by t-SNE and UMAP: made by the server on request, watched here, and shown as another layout of the same points.

import { setText } from "../shared/dom.js"
import { request, requestJson } from "../shared/server.js"
import { fillControls, tellBriefly } from "./controls.js"
import { drawNames, unpack } from "./source.js"
import { drawTime, lastFrame, play } from "./timeline.js"

export const CAUTION =
  "who is near whom counts here; distances across the map and sizes of groups mean little, and another run looks different"

export async function askLayout(view, method) {
  const { source, data } = view
  if (!method || source.layouts[method]) {
    showLayout(view, method)
    return
  }
  if (view.special.items || view.special.sphere || view.special.between) {
    tellBriefly(view, "Go back to all films on their components first.")
    fillControls(view)
    return
  }
  try {
    const status = await requestJson(`${data.manifold}/${method}`)
    if (status.state !== "finished") view.send("make", method)
    view.making = method
    watchLayout(view, status.state === "finished" ? 0 : 500)
  } catch (error) {
    tellBriefly(view, error.message)
    fillControls(view)
  }
}

function watchLayout(view, wait) {
  const { source, making } = view
  clearTimeout(view.watching)
  drawMaking(view, { progress: 0, message: "starting" })
  const look = async () => {
    if (view.closed || view.source !== source || view.making !== making) return
    try {
      const status = await requestJson(`${view.data.manifold}/${making}`)
      if (status.state === "finished") {
        await takeLayout(view, making)
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
    view.watching = setTimeout(look, 500)
  }
  view.watching = setTimeout(look, wait)
}

function stopMaking(view) {
  view.making = null
  clearTimeout(view.watching)
  view.part.making.hidden = true
  fillControls(view)
}

function drawMaking(view, status) {
  const { part, making, data } = view
  part.making.hidden = false
  setText(
    part["making-words"],
    `${data.methods[making]}: ${status.message || "working"}${status.progress ? `, ${Math.round(100 * status.progress)} %` : " …"}`,
  )
  part["making-bar"].value = status.progress || 0
  part["making-stop"].onclick = () => {
    view.send("cancel", making)
    setText(part["making-words"], "Cancelling …")
  }
}

async function takeLayout(view, method) {
  const { source, data } = view,
    { head, frames, width } = unpack(await (await request(`${data.manifold}/${method}?points=1`)).arrayBuffer())
  if (view.source !== source) return
  const place = new Map((source.head.item_idx ?? []).map((index, row) => [index, row]))
  source.layouts[method] = {
    words: data.methods[method],
    width,
    rows: head.item_idx.map(index => place.get(index)),
    table: frames[0],
  }
  stopMaking(view)
  showLayout(view, method)
}

export function showLayout(view, method) {
  const layout = method && view.source.layouts[method] ? method : null
  if (layout === view.layout) {
    fillControls(view)
    return
  }
  view.layout = layout
  if (layout) {
    if (view.playing) play(view, false)
    view.time = lastFrame(view)
    view.want.kinds = "films"
  }
  view.root.dataset.layout = view.layout ?? ""
  view.home()
  view.renew()
  fillControls(view)
  drawNames(view)
  drawTime(view)
}
