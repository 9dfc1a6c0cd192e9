// The state of one mounted map, of its camera, and of the vectors it shows.
import type { KnownMetrics } from "../shared/metrics.js"
import type { Bytes } from "../shared/colours.js"
import type { RunStates, Shades } from "../shared/types.js"

/** What Python gives; see ui/components/embedding_map.py. Routes begin with "/". */
export interface MapData {
  key: string
  source: string
  events: string
  names: string
  manifold: string
  near: string
  methods: Record<string, string>
  run_id: string
  /** What it is called, for the title of its picture. */
  title: string
  /** Parameters of the page's address that say what is shown: the run, or the import. */
  about: Record<string, string>
  nouns: import("../shared/types.js").Nouns
  going: boolean
  still_words: string
  whose_words: string
  every: boolean
  colours: Record<string, Shades>
  states: RunStates
  metrics: KnownMetrics
}

export interface CameraPose {
  x: number
  y: number
  z: number
  zoom: number
  yaw: number
  pitch: number
  depth: number
  inset: number
}

export interface Camera extends CameraPose {
  width: number
  height: number
  dims: number
  rotation: Float32Array
  speed: { kind: string; vx: number; vy: number; last: number } | null
  goal: { from: Partial<CameraPose>; to: Partial<CameraPose>; began: number; length: number } | null
}

/** The header of the binary answer; see ui/api/embeddings.py. */
export interface Head {
  epochs: number[]
  available: number[]
  basis: number
  columns: string[]
  ranges: number[][]
  items: number
  users: number
  item_idx: number[]
  user_idx: number[]
  dim?: number
  explained: (number | null)[]
  note: string
  state: string
}

export interface Frames {
  head: Head
  frames: Float32Array[]
  norms: Float32Array[]
  width: number
  count: number
}

/** Columns of the tables of items and users, as `/space/points` answers. */
export type Columns = Record<string, any[]> & { idx: number[] }
export interface About {
  items: Columns
  users?: Columns
}

export interface Genres {
  named: string[]
  main: Int8Array
  counts: Map<string, number>
}

export interface Layout {
  words: string
  width: number
  rows: number[]
  table: Float32Array
}

export type NumberColumn = "year" | "ratings" | "mean" | "bias"

/** Vectors and what they stand for: items first, then users, one row each. */
export interface Source extends Frames, Record<NumberColumn, Float32Array> {
  known: About
  items: number
  users: number
  epochs: number[]
  basis: number
  state: string
  note: string
  explained: number[]
  dim: number
  id: string[]
  title: string[]
  genres: string[][]
  genreTable: Genres
  layouts: Record<string, Layout>
  axisNames: string[]
  sentences: string[]
  flip?: Int8Array
  rowOf?: Map<number, number>
}

/** What of the vectors is asked for: some items alone, on the sphere, an axis from some items to others; by index. */
export interface Special {
  items?: number[] | null
  sphere?: boolean
  between?: { from: number[]; to: number[] } | null
}

/** A set of points: a few by their ids, or many by their indices; the other list is empty then. */
export interface Members {
  ids: string[]
  index: number[]
}

/** All that a person can have set on the map, in names that last; what the address holds. "" is none. */
export interface MapState {
  kinds: "films" | "users" | "both"
  dims: 2 | 3
  /** Components to the right, upwards, towards the eye; -1 is an axis of one's own. */
  axes: number[]
  colour: string
  genre: string
  film: string
  user: string
  /** null is the latest. */
  epoch: number | null
  /** null is the whole map. */
  cam: number[] | null
  find: string
  /** Which of what was found; -1 none. */
  at: number
  picked: Members
  pickedUsers: Members
  apart: Members
  own: { from: Members; to: Members } | null
  sphere: boolean
  layout: string
  measure: string
  trails: string
  path: boolean
  labels: boolean
  sized: boolean
  table: boolean
  tool: string
  speed: number
  loop: boolean
}

export interface Lens {
  zero: number[]
  stretch: number
  at: (frame: number) => Float32Array
}

export interface Look {
  theme: "light" | "dark"
  background: string
  ground: Bytes
  ink: string
  soft: string
  muted: string
  grid: string
  primary: string
  accent: string
  scales: Scales
  font: string
  faint: Bytes
  one: Bytes
  users: Bytes
  ratio: number
  text: number
}

export interface NumberScale {
  low: number
  high: number
  stops: Bytes[]
  ink: (value: number) => Bytes
}

export interface Paint {
  inks: Uint8Array
  key: string
  scale?: NumberScale
  named: string[]
  /** Colours of the named genres, as style sheets write them. */
  shades: string[]
}

export interface Label {
  text: string
  dx: number
  dy: number
  sure: boolean
  shown: number
  goal: number
}

/** Draws points and trails: on the graphics card, or on a plain canvas. */
export interface Painter {
  kind: string
  places: (positions: Float32Array) => void
  looks: (inks: Uint8Array, marks: Float32Array, order: Uint32Array) => void
  lines: (positions: Float32Array | null, inks: Uint8Array | null, segments: number) => void
  draw: (camera: Camera, look: Look, share?: number) => void
  gl?: WebGL2RenderingContext
}

export interface Gesture {
  kind: string
  add?: boolean
  outline?: number[][]
  began: number[]
  moved: number
  at: number
  vx?: number
  vy?: number
}

export interface Near {
  row: number
  value: number
}

export interface Wanted {
  kinds: string
  dims: number
  x: number
  y: number
  z: number
  colour: string
  genre: string | null
  tool: string
  trails: string
  labels: boolean
  sized: boolean
  find: string
}

export interface Score {
  key: string
  words: string
  points: { epoch: number; value: number }[]
}

/** What can be asked of the map by any of its parts. */
export interface MapActions {
  again: (moved?: boolean) => void
  redraw: () => void
  settle: () => void
  renew: (how?: { still?: boolean }) => void
  dress: () => void
  norms: () => Float32Array
  rowsOf: (kinds: string) => number[]
  drawn: () => number[]
  shown: (row: number) => boolean
  dimmed: (row: number) => boolean
  choose: (row: number) => void
  pick: (rows: number[]) => void
  refresh: () => void
  findNear: (how?: { quiet?: boolean }) => Promise<void>
  point: (row: number, place?: number[]) => void
  clear: () => void
  home: () => void
  change: (special: Special) => Promise<void>
  isolate: (rows: number[] | null) => void
  setEnd: (end: "from" | "to", rows: number[]) => void
  dropAxis: () => void
  adopt: (source: Source, special: Special) => void
  search: () => void
  state: () => MapState
  fillControls: () => void
  showLayout: (method: string | null) => void
}

export interface View extends MapActions {
  root: HTMLElement
  part: Record<string, any>
  data: MapData
  look: Look
  /** What is shown; parts that draw are only called once there is something. */
  source: Source
  /** Everything that is known of all points, also of those that are not on this map. */
  known: About
  place?: import("../shared/address.js").Place
  restoring?: boolean
  tabled: boolean
  camera: Camera
  want: Wanted
  special: Special
  asked: Special
  ends: { from?: number[]; to?: number[] }
  painter: Painter
  lens: Lens
  paint: Paint
  rows: number[]
  places: Float32Array
  screen: Float32Array
  inks: Uint8Array
  marks: Float32Array
  dim: Uint8Array
  chosen: number
  hover: number
  /** Where the keyboard is; -1 nowhere. */
  focused: number
  /** The first corner of a rectangle chosen by keyboard, in the map's units. */
  corner?: number[] | null
  cursor: number
  picked: Set<number>
  near: Near[]
  nearOf: string
  nearWords: string
  found: number[]
  popular: number[]
  labels: Map<number, Label>
  measure: string
  layout: string | null
  making: string | null
  patience: number
  score: Score | null
  firstColour: string
  time: number
  goalTime: number | null
  ticked: number | null
  rested: number | undefined
  playing: boolean
  sliding: boolean
  following: boolean
  loop: boolean
  path: boolean
  speed: number
  calm: boolean
  big: boolean
  many: boolean
  share: number
  stepped: number
  moved: boolean
  closed: boolean
  gesture: Gesture | null
  morph: { from: Float32Array; began: number; length: number } | null
  trailing: boolean
  tail: { room: number; places: Float32Array; inks: Uint8Array; past: Float32Array[] } | null
  labelled: number | undefined
  relabelled: number
  drawnFrames: number
  request: number | null
  abort?: AbortController
  timers: Record<string, ReturnType<typeof setTimeout>>
  stopListening: (() => void)[]
  send: (name: string, value: unknown) => void
}
