// Elements of the page. Text is only ever set as text, so that a title from data is never read as markup.

/**
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/**
 * An element with properties and children; children that are false, null or "" are left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties] of the element; `dataset` and `style` by name
 * @param {...(Node | string | number | false | null | undefined)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}, ...children) {
  const { dataset, style, ...rest } = properties
  const node = Object.assign(document.createElement(tag), rest)
  if (dataset) Object.assign(node.dataset, dataset)
  for (const [name, value] of Object.entries(style ?? {})) node.style.setProperty(name, value)
  for (const child of children) if (child || child === 0) node.append(child instanceof Node ? child : String(child))
  return node
}

const SVG = "http://www.w3.org/2000/svg"

/**
 * An element of a vector picture.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...Node} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svgElement(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value))
  node.append(...children)
  return node
}

/**
 * The named parts of a component: what carries `data-part`.
 * @param {Element} root
 * @returns {Record<string, any>}
 */
export function partsOf(root) {
  const nodes = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-part]"))
  return Object.fromEntries([...nodes].map(node => [node.dataset.part, node]))
}

/** Whether the person asked for less motion. */
export const calmMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches
