// How the modules hang together: imports name what is there, go one way, and no module waits for itself.

import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("../../ui/components", import.meta.url))
const IMPORT = /^import [^"]*"(\.[^"]+)"/gm

/** @type {Map<string, string[]>} module → what it imports, both relative to the components' folder */
const imports = new Map()
for (const folder of ["shared", "live", "embedding_map", "chart_picture", "navigation"]) {
  for (const name of readdirSync(join(ROOT, folder)).filter(file => file.endsWith(".js"))) {
    const module = `${folder}/${name}`,
      text = readFileSync(join(ROOT, module), "utf8")
    imports.set(
      module,
      [...text.matchAll(IMPORT)].map(([, path]) => normalize(join(dirname(module), path))),
    )
  }
}

test("every import names a module, and components share through shared/ alone", () => {
  for (const [module, found] of imports) {
    for (const other of found) {
      assert.ok(imports.has(other), `${module} imports ${other}`)
      assert.ok([dirname(module), "shared"].includes(dirname(other)), `${module} imports ${other}`)
    }
  }
})

test("no module waits for itself", () => {
  /** @param {string} module @param {string[]} path */
  const visit = (module, path) => {
    assert.ok(!path.includes(module), [...path, module].join(" → "))
    if (done.has(module)) return
    for (const other of imports.get(module) ?? []) visit(other, [...path, module])
    done.add(module)
  }
  const done = new Set()
  for (const module of imports.keys()) visit(module, [])
})
