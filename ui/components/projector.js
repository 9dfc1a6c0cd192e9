// Projector mode: one view fills the screen in large type. Shared by every component that can be shown so; the switch is an
// attribute on the page and `projector=1` in the address, so that a link opens it. Needs no answer from the server.

const PROJECTOR = "mfxProjector"
const projecting = () => document.documentElement.dataset[PROJECTOR] === "true"

function project(on) {
  if (on === projecting()) return
  if (on) document.documentElement.dataset[PROJECTOR] = "true"
  else delete document.documentElement.dataset[PROJECTOR]
  const address = new URL(location.href)
  if (on) address.searchParams.set("projector", "1")
  else address.searchParams.delete("projector")
  history.replaceState(history.state, "", address)
  // The browser may refuse the whole screen; the window filled is good enough then.
  if (on && document.fullscreenEnabled && navigator.userActivation?.isActive) document.documentElement.requestFullscreen().catch(() => {})
  if (!on && document.fullscreenElement) document.exitFullscreen().catch(() => {})
  window.dispatchEvent(new CustomEvent("mfx-projector"))
}

// Starts listening for P and Esc; `redraw` is called at every change. Returns a function that stops it.
function watchProjector(root, redraw) {
  const key = event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !root.isConnected) return
    if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable=true], [role=combobox]")) return
    if (event.key === "Escape" && projecting()) project(false)
    if ((event.key === "p" || event.key === "P") && !event.repeat) project(!projecting())
  }
  const left = () => { if (!document.fullscreenElement) project(false) }
  document.addEventListener("keydown", key)
  document.addEventListener("fullscreenchange", left)
  window.addEventListener("mfx-projector", redraw)
  if (new URL(location.href).searchParams.get("projector") === "1") project(true)
  return () => {
    document.removeEventListener("keydown", key)
    document.removeEventListener("fullscreenchange", left)
    window.removeEventListener("mfx-projector", redraw)
    if (document.documentElement.dataset[PROJECTOR] && !document.querySelector(".mfx-stage")) project(false)
  }
}
