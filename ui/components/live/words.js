// Numbers and words on the live view. Nothing here touches the page.

const STATE_WORDS = {
  idle: "ready", queued: "waiting", running: "training", paused: "paused", stopped: "stopped",
  finished: "finished", failed: "failed", interrupted: "interrupted", gone: "not here",
}
const OVER = ["stopped", "finished", "failed", "interrupted"]

const defined = value => typeof value === "number" && Number.isFinite(value)
const plural = (n, word) => `${n.toLocaleString("en-GB")} ${word}${n === 1 ? "" : "s"}`

function short(value) {
  if (!defined(value)) return "–"
  for (const [size, unit] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]]) {
    if (value >= size) return Number((value / size).toPrecision(2)).toString() + unit
  }
  return Math.round(value).toString()
}

function seconds(value) {
  if (!defined(value)) return "–"
  if (value < 1) return `${Math.round(1000 * value)} ms`
  if (value < 10) return `${value.toFixed(1)} s`
  const whole = Math.round(value)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

const three = value => (!defined(value) ? "–" : Math.abs(value) >= 1e5 ? value.toExponential(2) : value.toFixed(3))
const rateText = value => (defined(value) ? (Number.isInteger(value) ? value : Number(value.toPrecision(3))).toString() : "–")
const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]
const clock = time => (defined(time) ? new Date(1000 * time).toLocaleTimeString("en-GB") : "")

function metricName(key) {
  const [base, variant] = key.split("/")
  return base.toUpperCase() + (variant === "full" ? ", all items" : "")
}

const isError = key => key.startsWith("rmse") || key.startsWith("mae")
const samplesWord = loss => (loss === "mse" ? "ratings/s" : "samples/s")

function sentence(text) {
  const words = String(text ?? "").trim()
  // A setting's name (batch_size) is written as it is typed.
  const start = /^\w*_/.test(words) ? words.slice(0, 1) : words.slice(0, 1).toUpperCase()
  return words ? start + words.slice(1) + (/[.!?…]$/.test(words) ? "" : ".") : ""
}

// Plotly reads a little HTML in names and labels; titles come from people.
const escapeText = text => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
