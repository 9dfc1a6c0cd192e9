// Points stand out from the ground by 3:1 (WCAG 1.4.11), as they are drawn: with some of the ground showing through.

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

import { OPAQUE } from "../../ui/components/embedding_map/colours.js"
import { along, bytesOf } from "../../ui/components/shared/colours.js"

const LEAST = 3
const python = readFileSync(new URL("../../ui/theme.py", import.meta.url), "utf8")

/** A colour of the page's theme. @param {"light" | "dark"} theme @param {string} name */
function themed(theme, name) {
  const table = python.split(`${theme.toUpperCase()}: dict`)[1]
  return bytesOf((table.match(new RegExp(`"${name}": "(#[0-9a-f]{6})"`)) ?? [])[1])
}

/** The scales of a theme. @param {"light" | "dark"} theme @returns {string[][]} */
function scalesOf(theme) {
  const table = python.split("SCALES: dict")[1].split(`"${theme}": {`)[1].split("}")[0]
  return ["kinds", "much", "sides"].map(name => JSON.parse(table.split(`"${name}": `)[1].split("],")[0] + "]"))
}

/** @param {number[]} bytes */
function luminance(bytes) {
  const [r, g, b] = bytes.map(byte => byte / 255).map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** @param {number[]} ink @param {number[]} ground @param {number} alpha of 255 */
function contrast(ink, ground, alpha) {
  const drawn = ink.map((part, k) => (alpha * part + (255 - alpha) * ground[k]) / 255)
  const [light, dark] = [luminance(drawn), luminance(ground)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

for (const theme of /** @type {const} */ (["light", "dark"])) {
  test(`genres, numbers and users stand out in the ${theme} theme`, () => {
    const ground = themed(theme, "background"),
      [kinds, ...stops] = scalesOf(theme).map(scale => scale.map(bytesOf))
    const inks = [...kinds, themed(theme, "muted")]
    for (const scale of stops) for (let share = 0; share <= 1; share += 0.02) inks.push(along(scale, share))
    for (const ink of inks) assert.ok(contrast(ink, ground, OPAQUE.items) >= LEAST, `${ink} ${theme}`)
    assert.ok(contrast(themed(theme, "text"), ground, OPAQUE.users) >= LEAST)
  })
}
