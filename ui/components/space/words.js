// Numbers and words of the map. Nothing here touches the page.

const known = value => typeof value === "number" && Number.isFinite(value)
const whole = value => (known(value) ? Math.round(value).toLocaleString("en-GB") : "–")
const plural = (n, word) => `${whole(n)} ${word}${n === 1 ? "" : "s"}`
const places = (value, digits = 2) => (known(value) ? value.toFixed(digits).replace(/^-(0(\.0+)?)$/, "$1") : "–")
const percent = share => (known(share) ? `${share >= 0.0995 || share < 0.0005 ? Math.round(100 * share) : (100 * share).toFixed(1)} %` : "–")
const clamp = (value, low, high) => Math.min(high, Math.max(low, value))
const shorten = (text, limit) => (text.length <= limit ? text : `${text.slice(0, limit - 1).trimEnd()}…`)

// 1 at rest, quick in the middle: what an eye follows most easily.
const ease = u => (u < 0.5 ? 4 * u ** 3 : 1 - (-2 * u + 2) ** 3 / 2)

function median(values) {
  const sorted = values.filter(known).sort((a, b) => a - b)
  if (!sorted.length) return NaN
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function quantile(sorted, share) {
  return sorted.length ? sorted[clamp(Math.round(share * (sorted.length - 1)), 0, sorted.length - 1)] : NaN
}

// What is looked for: words anywhere in a title, in any order; between slashes a regular expression.
function matcher(query) {
  const text = query.trim()
  if (!text) return null
  const expression = text.match(/^\/(.+?)\/?$/)
  if (expression) {
    try {
      const compiled = new RegExp(expression[1], "i")
      return title => compiled.test(title)
    } catch {
      return undefined
    }
  }
  const plain = value => value.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase()
  const parts = plain(text).split(/\s+/)
  return title => { const heap = plain(title); return parts.every(part => heap.includes(part)) }
}

const setText = (node, text) => { if (node.textContent !== text) node.textContent = text }

// An element with properties and children. Text is set as text, so a title is never read as markup.
function element(tag, properties = {}, ...children) {
  const { dataset, style, ...rest } = properties
  const node = Object.assign(document.createElement(tag), rest)
  if (dataset) Object.assign(node.dataset, dataset)
  for (const [name, value] of Object.entries(style ?? {})) node.style.setProperty(name, value)
  node.append(...children.filter(child => child || child === 0))
  return node
}
