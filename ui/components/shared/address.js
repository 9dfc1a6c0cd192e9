// A component's part of the address: written without a history entry and without running the page again (Streamlit
// sends the whole query along with its next run anyway), and only while the address is still that of the page it
// stands on.

/**
 * Where a component stands. After Back or a click on the navigation the address is another page's already, while the
 * component is still there for a moment: what it wrote then would spoil that page's own state.
 * @param {Record<string, string>} about parameters that say what it shows, such as the run; "" where they are absent
 */
export const placeOf = about => ({ path: location.pathname, about })

/** @typedef {ReturnType<typeof placeOf>} Place */

/** Whether the address is still the one of a place. @param {Place | undefined} place */
export function isAt(place) {
  if (!place || place.path !== location.pathname) return false
  const query = new URLSearchParams(location.search)
  return Object.entries(place.about).every(([name, value]) => (query.get(name) ?? "") === value)
}

/**
 * Replaces the parameters of these names, in this order, so that one view has one address.
 * @param {Place | undefined} place
 * @param {readonly string[]} names
 * @param {Record<string, string>} values what is absent or "" is left out
 */
export function writeQuery(place, names, values) {
  if (!isAt(place)) return
  const query = new URLSearchParams(location.search)
  for (const name of names) query.delete(name)
  for (const name of names) if (values[name]) query.append(name, values[name])
  const text = query.toString(),
    target = `${location.pathname}${text ? `?${text}` : ""}${location.hash}`
  if (target !== `${location.pathname}${location.search}${location.hash}`)
    history.replaceState(history.state, "", target)
}
