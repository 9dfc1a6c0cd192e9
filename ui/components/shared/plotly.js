// plotly.js of our own route: one copy for the whole page, fetched when it is first needed.

import { element } from "./dom.js"

/**
 * One copy of plotly.js; after a failure the next attempt starts afresh.
 * @param {string} url
 */
export function loadPlotly(url) {
  window.mfxPlotly ??= new Promise((resolve, reject) => {
    const script = element("script", { src: url, async: true })
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("plotly.js is empty")))
    script.onerror = () => {
      window.mfxPlotly = undefined
      script.remove()
      reject(new Error("plotly.js did not load"))
    }
    document.head.append(script)
  })
  return window.mfxPlotly
}
