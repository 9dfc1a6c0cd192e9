// What a picture of a chart looks like when it stands alone: on the page's ground, its lines named.

/**
 * The layout of a picture: that of the chart, at the size it has on the page.
 * @param {Record<string, any>} layout of the chart
 * @param {{name?: string, showlegend?: boolean}[]} traces
 * @param {{width: number, height: number, ground: string}} look
 */
export function pictureLayout(layout, traces, { width, height, ground }) {
  const named = new Set(traces.filter(trace => trace.showlegend !== false).map(trace => trace.name ?? ""))
  named.delete("")
  const legend = layout.showlegend === false && named.size > 1
  const margin = { ...layout.margin, l: Math.max(layout.margin?.l ?? 0, 24), r: 24, b: legend ? 24 : 16 }
  const placed = legend ? { showlegend: true, legend: { orientation: "h", y: -0.28, yanchor: "top" } } : {}
  const size = { width, height: height + (legend ? 60 : 0) }
  return { ...layout, ...placed, ...size, margin, paper_bgcolor: ground, plot_bgcolor: ground }
}

/**
 * A trace as it goes into a picture's legend: those that only mark something have no name, and no entry.
 * @param {Record<string, any>} trace
 */
export const pictureTrace = trace => (trace.name ? trace : { ...trace, showlegend: false })
