// Neighbours in all dimensions. Tables are flat Float32Arrays, row after row.

// The closest rows to one row: by cosine, by dot product (both larger is closer) or by distance.
function closest(table, width, origin, row, allowed, measure, n) {
  const own = new Float64Array(width)
  for (let k = 0; k < width; k += 1) own[k] = table[row * width + k] + origin[k]
  const ownLength = Math.hypot(...own), best = []
  for (const other of allowed) {
    if (other === row) continue
    let dot = 0, square = 0, gap = 0
    for (let k = 0; k < width; k += 1) {
      const value = table[other * width + k] + origin[k]
      dot += value * own[k]
      square += value * value
      gap += (value - own[k]) ** 2
    }
    const length = Math.sqrt(square) * ownLength
    if (measure === "cosine" && !(length > 0)) continue // without a length there is no direction
    const value = measure === "cosine" ? dot / length : measure === "dot" ? dot : Math.sqrt(gap)
    const rank = measure === "distance" ? -value : value
    if (best.length < n || rank > best[best.length - 1].rank) {
      best.push({ row: other, value, rank })
      best.sort((one, two) => two.rank - one.rank || one.row - two.row)
      if (best.length > n) best.pop()
    }
  }
  return best
}
