// What Streamlit and Plotly bring, as far as we use it, and what Python gives to every component of ours.

/** A run state as mfcore.runs.status tells it. `tone`: a colour's meaning; `over`: ended; `live`: a worker is at it. */
export interface RunState {
  word: string
  tone: string
  over: boolean
  live: boolean
}
export type RunStates = Record<string, RunState>

/** Colours by what they order: kinds of things, little to much, against each other, ratings from low to high; see ui/theme.py. */
export type Scales = Record<"kinds" | "much" | "sides" | "ratings", string[]>

/**
 * Colour by meaning ("train", "good" …) and by model, for one theme; `palette`: series that have no colour of their own;
 * `runs`: for runs beside others, see ui/run_colours.py.
 */
export type Shades = Record<string, any> & { palette: string[]; runs: string[]; scales: Scales }

/** What the data is called, one and several; see ui/datasets.py. */
export interface Nouns {
  item: string
  items: string
  user: string
  users: string
  unit: string
  units: string
}

/** What Streamlit hands to a component's default export. */
export interface Mounted<Data> {
  data: Data
  parentElement: HTMLElement
  setTriggerValue: (name: string, value: unknown) => void
}

export interface PlotlyNode extends HTMLElement {
  data?: object[]
  _fullLayout?: any
  on: (event: string, handler: (detail: any) => void) => void
}

interface PlotlyLibrary {
  react: (node: HTMLElement, data: object[], layout: object, config: object) => void
  relayout: (node: HTMLElement, changes: object) => void
  purge: (node: HTMLElement) => void
  toImage: (figure: object, options: object) => Promise<string>
  Fx: { hover: (node: HTMLElement, at: object) => void; unhover: (node: HTMLElement) => void }
}

declare global {
  interface Window {
    Plotly?: PlotlyLibrary
    mfxPlotly?: Promise<PlotlyLibrary>
  }
}
