// What is asked of our own routes. The prefix under which the app is served is read off the address this very module
// came from:
// behind a proxy the server's configuration does not know it.

/**
 * Everything before "/api/assets/" in the address of a module: "https://host/lab".
 * @param {string} address
 */
export const prefixOf = address => address.split("/api/assets/")[0]

/** Where the app stands, without a slash at its end. */
export const PREFIX = prefixOf(import.meta.url)

/** @param {string} runId */
export const runRoute = runId => `/api/runs/${encodeURIComponent(runId)}`

/** A request that the server refused, with its reason and status. */
export class Refused extends Error {
  /** @param {string} reason @param {number} status */
  constructor(reason, status) {
    super(reason)
    this.status = status
  }
}

/**
 * What a route answers.
 * @param {string} route such as "/api/runs/x/events?from=0"
 * @param {RequestInit} [options]
 * @throws {Refused} with the server's own words
 */
export async function request(route, options = {}) {
  const answer = await fetch(PREFIX + route, { cache: "no-store", ...options })
  if (answer.ok) return answer
  const said = await answer.json().catch(() => ({}))
  throw new Refused(said.error || `The server answered ${answer.status}.`, answer.status)
}

/**
 * @param {string} route
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export const requestJson = async (route, options) => (await request(route, options)).json()
