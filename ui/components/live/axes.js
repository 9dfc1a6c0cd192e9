// Where a point stands on the horizontal axis (epoch, step or training time), and how curves are thinned and smoothed.

const AXES = { epoch: "epoch", step: "step", time: "training time, s" }

// Epochs carry all three coordinates; what lies between two of them is interpolated, what comes after goes on as before.
function between(run, from, to, value) {
  const known = run.epochs
  if (!known.length) return to === "x" || to === from ? value : 0
  let index = known.findIndex(e => e[from] >= value)
  if (index < 0) index = known.length - 1
  if (index === 0) return known.length === 1 || known[0][from] === value ? known[0][to] + (to === "x" && from === "x" ? value - known[0].x : 0) : known[0][to]
  const a = known[index - 1], b = known[index], span = b[from] - a[from]
  return span > 0 ? a[to] + ((value - a[from]) / span) * (b[to] - a[to]) : b[to]
}

const AXIS_KEY = { epoch: "x", step: "step", time: "wall" }

function placeEpoch(run, axis, epoch) {
  return axis === "epoch" ? epoch : between(run, "x", AXIS_KEY[axis], epoch)
}

function placeStep(run, axis, point) {
  if (axis === "step") return point.step
  if (axis === "epoch" && defined(point.x)) return point.x
  return between(run, "step", AXIS_KEY[axis], point.step)
}

function axisEnd(run, axis, planned) {
  if (axis === "epoch") return planned
  return Math.max(placeEpoch(run, axis, planned), 1e-9) || 1
}

function thin(points, most = 500) {
  // Means of equal buckets: a noisy curve keeps its course; first and last point stay as they are.
  if (points.length <= most) return points
  const out = [points[0]], size = (points.length - 2) / (most - 2)
  for (let bucket = 0; bucket < most - 2; bucket++) {
    const part = points.slice(1 + Math.floor(bucket * size), 1 + Math.floor((bucket + 1) * size))
    const mean = key => part.reduce((sum, p) => sum + p[key], 0) / part.length
    if (part.length) out.push({ x: mean("x"), y: mean("y") })
  }
  out.push(points.at(-1))
  return out
}

function smooth(points, strength) {
  // Exponential moving average, corrected for its start at zero (as Adam does), so that the first points are not pulled down.
  let sum = 0, weight = 0
  return points.map(p => {
    sum = strength * sum + (1 - strength) * p.y
    weight = strength * weight + (1 - strength)
    return { ...p, y: sum / weight }
  })
}
