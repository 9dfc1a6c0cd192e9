import assert from "node:assert/strict"
import { test } from "node:test"

import * as cameras from "../../ui/components/embedding_map/camera.js"

/** @param {2 | 3} dims */
function camera(dims) {
  const made = Object.assign(cameras.makeCamera(), { width: 1000, height: 600, dims }, cameras.home(dims))
  cameras.aim(made)
  return made
}

/** @param {number[]} found @param {number[]} wanted */
const near = (found, wanted) => wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) < 1e-3, `${found}`))

test("in the plane the middle is the middle and up is up", () => {
  near(cameras.toScreen(camera(2), 0, 0, 0), [500, 300])
  const [x, y] = cameras.toScreen(camera(2), 1, 1, 0)
  assert.ok(x > 500 && y < 300)
})

test("the point under the cursor stays under it", () => {
  const made = camera(2),
    [px, py] = cameras.toScreen(made, 0.4, -0.2, 0)
  cameras.zoomAt(made, 2.5, px, py)
  near(cameras.toScreen(made, 0.4, -0.2, 0), [px, py])
})

test("dragging moves the map as far as the pointer", () => {
  const made = camera(2),
    [x, y] = cameras.toScreen(made, 0.3, 0.3, 0)
  cameras.pan(made, 40, -25)
  near(cameras.toScreen(made, 0.3, 0.3, 0), [x + 40, y - 25])
})

test("what is nearer is larger in space, and not in the plane", () => {
  const made = camera(3),
    depths = [-1, 1].map(z => cameras.toScreen(made, 0, 0, z)[3])
  assert.ok(depths[0] < depths[1])
  near([cameras.toScreen(camera(2), 0, 0, 1)[3]], [1])
})

test("a view can be written into an address and read back; nonsense is none", () => {
  const made = camera(3),
    text = cameras.poseText(cameras.poseOf(made)),
    read = camera(2)
  cameras.placeCamera(read, cameras.poseFrom(text), 3)
  near([read.x, read.zoom, read.yaw, read.pitch, read.depth], [made.x, made.zoom, made.yaw, made.pitch, 1])
  for (const bad of ["", "1_2", "a_b_c_d_e_f", null]) assert.equal(cameras.poseFrom(bad), null)
})

test("a flight ends where it was to go; without motion it is a cut", () => {
  const made = camera(2)
  cameras.fly(made, { x: 2, zoom: 3 }, 0, false, 100)
  assert.ok(cameras.glide(made, 50) && made.x > 0 && made.x < 2)
  cameras.glide(made, 200)
  assert.deepEqual([made.x, made.zoom, made.goal], [2, 3, null])
  cameras.fly(made, { x: 0 }, 0, true)
  assert.equal(made.x, 0)
})
