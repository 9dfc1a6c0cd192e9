// The rating block is the busiest corner of the table, and says so.

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { along, bytesOf } from "../../ui/components/shared/colours.js"
import { cornerWords } from "../../ui/components/live/rating_block.js"
import { one } from "../../ui/components/shared/text.js"

test("the block says how full it is and how full the whole table is", () => {
  const said = "The busiest corner: 76 % of it is known, of the whole table 6.3 %, test left out."
  assert.equal(cornerWords({ here: 0.761, whole: 0.063 }), said)
})

test("runs of earlier versions, which do not know, say nothing of it", () => {
  assert.equal(cornerWords({ here: 0.76, whole: null }), "")
  assert.equal(cornerWords(undefined), "")
})

test("articles go by sound", () => {
  assert.deepEqual(["user", "item", "unit", "film"].map(one), ["a user", "an item", "a unit", "a film"])
})

/** @param {number[]} colour 0 to 255 */
const luminance = colour => {
  const [red, green, blue] = colour.map(part => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

test("every rating can be told from a cell that is not known, in both themes", () => {
  const blank = { light: [238, 235, 230], dark: [43, 39, 36] } // of a cell without a rating
  const themes = readFileSync(new URL("../../ui/theme.py", import.meta.url), "utf8").split("SCALES: dict")[1]
  for (const theme of Object.keys(blank)) {
    const stops = JSON.parse(themes.split(`"${theme}": {`)[1].split('"ratings": ')[1].split("],")[0] + "]")
    for (let place = 0; place <= 40; place++) {
      const [darker, light] = [along(stops.map(bytesOf), place / 40), blank[/** @type {"light"} */ (theme)]]
        .map(luminance)
        .sort((a, b) => a - b)
      assert.ok((light + 0.05) / (darker + 0.05) >= 3, `${theme} ${place}`)
    }
  }
})
