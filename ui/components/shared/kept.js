// What this browser keeps for the person. One that keeps nothing (a private window, say) is no fault.

/** @param {string} name @returns {string | null} */
export function keptValue(name) {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

/** @param {string} name @param {string | null} value null forgets it */
export function keepValue(name, value) {
  try {
    if (value === null) localStorage.removeItem(name)
    else localStorage.setItem(name, value)
  } catch {
    // it holds until the page is left
  }
}
