// Runs before the page does: what "(prefers-color-scheme: dark)" answers is the person's choice where they made one
// here, else the system's. Whoever asks the browser, Streamlit first of all, follows by itself, at once and from the
// first picture.
// Written into the page by ui/api/first_script.py, so it is no module; frame/main.js makes the choice.
;(() => {
  const QUERY = "(prefers-color-scheme: dark)",
    KEPT = "mf-explorer-theme"
  const ask = window.matchMedia.bind(window),
    system = ask(QUERY)
  const chosen = () => {
    try {
      return localStorage.getItem(KEPT)
    } catch {
      return null // a browser that keeps nothing: the system decides
    }
  }
  const isDark = () => chosen() === "dark" || (chosen() !== "light" && system.matches)
  const own = Object.defineProperties(new EventTarget(), {
    matches: { get: isDark },
    media: { value: QUERY },
    addListener: { value: (/** @type {() => void} */ heard) => own.addEventListener("change", heard) },
    removeListener: { value: (/** @type {() => void} */ heard) => own.removeEventListener("change", heard) },
  })
  const tell = () => own.dispatchEvent(Object.assign(new Event("change"), { matches: isDark(), media: QUERY }))
  window.matchMedia = query => (query === QUERY ? /** @type {MediaQueryList} */ (own) : ask(query))
  system.addEventListener("change", tell)
  window.addEventListener("mfx-theme", tell)
  window.addEventListener("storage", event => event.key === KEPT && tell())
})()
