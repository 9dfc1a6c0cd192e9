// The state of one live view and of the run it shows.
import type { DivergedEvent, EndEvent, KeptEvent, Metrics, Parent, StartEvent } from "../shared/events.js"
import type { KnownMetrics } from "../shared/metrics.js"
import type { Nouns, RunStates, Shades } from "../shared/types.js"

/** A run that may be laid over this one. */
export interface OtherRun {
  id: string
  title: string
  model: string
  loss: string
  when: string
}

/** What Python gives; see ui/components/live.py. */
export interface LiveData {
  run_id: string
  height: number
  compact: boolean
  going: number
  num_epochs: number
  metric: string
  idle: string
  hint: string
  colours: Record<string, Shades>
  metrics: KnownMetrics
  states: RunStates
  plotly: string
  token: string
  locked: string
  branches: boolean
  runs: OtherRun[]
}

/** A setting as a form tells it; see `Setting.to_browser`. `options`: value → words, where it is one of a few. */
export interface Field {
  name: string
  label: string
  brief?: string
  help: string
  value: any
  low: number | null
  high: number | null
  above: number | null
  whole: boolean
  options: Record<string, string> | null
}

/** A setting that may be changed while the run goes. */
export interface Control extends Field {
  value: number
}

/** What `/events` tells of a configuration. */
export interface RunConfig {
  model?: string
  title?: string
  loss?: string
  optimizer?: string
  pace?: number
  num_epochs?: number
  /** What one sample of its loss is called, in the plural. */
  sample?: string
  nouns?: Nouns
  controls?: Control[]
  /** What may be other in a branch. */
  branch?: Field[]
  parent?: Parent
  parent_title?: string
  [setting: string]: any
}

export interface EventsAnswer {
  events: import("../shared/events.js").RunEvent[]
  next: number
  state: string
  kept?: number[]
  reason?: string
  config?: RunConfig
  waiting_for?: number
  silent_since?: number
  rates?: Rates
  every_ms: number
}

/** The learning rate as planned: (epoch, rate), and its schedule in words. Empty where there is none. */
export interface Rates {
  words: string
  line: [number, number][]
}

export interface StepPoint {
  x: number | undefined
  y: number
  step: number
}

/** One epoch. `wall`: seconds of training so far. */
export interface EpochPoint {
  x: number
  step: number
  train?: number
  valid?: number
  metrics: Metrics
  rate?: number
  time?: number
  speed?: number
  wall: number
  /** Trained by the run it branched from. */
  inherited?: boolean
}

export interface HealthPoint {
  step: number
  gradient_norm?: number
  update_ratio?: number
  saturated?: number
}

/** A change by hand. */
export interface Mark {
  step: number
  name: string
  from: number | undefined
  to: number
}

export interface Message {
  time: number | undefined
  text: string
  level: string
  tag: string
}

/** A run, folded from its events. */
export interface Run {
  runId: string
  state: string
  reason: string
  offset: number
  waitingFor: number
  silentSince: number | null
  every: number
  config: RunConfig
  metrics: KnownMetrics
  kept: number[]
  rates: Rates
  start: StartEvent | null
  end: EndEvent | null
  steps: StepPoint[]
  epochs: EpochPoint[]
  health: HealthPoint[]
  marks: Mark[]
  messages: Message[]
  settings: Record<string, number>
  learningRate: number | undefined
  rateWasFlat: boolean
  numEpochs: number
  parent: Parent | null
  diverged: DivergedEvent | null
  /** How far the training on train + validation is. */
  refit: { epoch: number; epochs: number } | null
  best: { x: number; value: number } | null
  beaten: Set<string>
  warned: boolean
  seconds: number
  /** Optimizer steps done. */
  step: number
  /** The last command that said how to go on. */
  wish: string
  /** Whether it was taken up again, so that time passed between its epochs. */
  resumed: boolean
  pictured: boolean
}

/** Another run laid over this one. */
export interface Overlay {
  id: string
  title: string
  parent: boolean
  run: Run
  next: number
  busy?: boolean
}
export type PaintedOverlay = Overlay & { colour: string }

/** The page's theme as the charts need it. */
export type Look = Record<string, any> & {
  palette: string[]
  runs: string[]
  dark: boolean
  font: string
  fontSize: number
  lineWidth: number
  plotHeight: number
  pictureHeight: number
  touch: boolean
}

/** What is shown in the figures and how. */
export interface Scene {
  run: Run
  look: Look
  compact: boolean
  axis: Axis
  planned: number
  end: number
  smoothing: number
  log: boolean
  closer: boolean
  metric: string
  /** Whether this run's own curves are shown. */
  own: boolean
  /** Those that are shown. */
  others: PaintedOverlay[]
  /** Epochs to a point of a curve. */
  stride: number
}
export type Axis = "epoch" | "step" | "time"

/** The block of ratings as `/block` answers. */
export interface RatingBlock {
  epoch: number
  step: number
  users: (string | number)[]
  items: string[]
  known: (number | null)[][]
  heldout?: number[][]
  predicted: (number | null)[][]
  low: number
  high: number
  unit: string
  filled?: { here: number | null; whole: number | null }
}

/** What one look at the block changed: cells by their place and how far each moved, as a share of the farthest. */
export interface Moved {
  steps: number
  step: number
  cells: Map<number, number>
  count: number
  most: { place: number; from: number; to: number } | null
}

export interface Picture {
  moved: Moved | null
  /** The block when the run was last held. */
  before: { step: number; values: (number | null)[] } | null
  block: RatingBlock | null
  from: (number | null)[] | null
  to: (number | null)[] | null
  began: number
  stamp: string
  next: number
  busy: boolean
  at: { row: number; column: number } | null
}

export interface View {
  root: HTMLElement
  part: Record<string, any>
  data: LiveData
  run: Run
  look: Look
  ramp: string[] | null
  room: number
  axis: Axis
  metric: string
  /** From the address, until the run has said what it measures. */
  askedMetric: string
  place?: import("../shared/address.js").Place
  log: boolean | undefined
  logShown: boolean
  closer: boolean
  smoothing: number
  zoomed: Record<string, boolean>
  others: Map<string, Overlay>
  /** Runs whose curves are hidden, by id. */
  hidden: Set<string>
  /** Places in the palette of runs, by id. */
  worn: Map<string, number>
  parentLaid: string
  branching: { epoch: number } | null
  wished: { state: string; until: number } | null
  unfolded: boolean
  /** Whether the tip on branching was seen. */
  tipSeen: boolean
  /** Pause is to have the keyboard as soon as it can be pressed. */
  wantsFocus: boolean
  picture: Picture
  going: number
  shown: boolean
  closed: boolean
  polling: boolean
  busy: boolean
  sawItGoing: boolean
  ended: boolean
  failures: number
  since: number
  timer?: ReturnType<typeof setTimeout>
  frame: number
  resizer?: ResizeObserver
  stopListening: (() => void)[]
  draw: () => void
  send: (name: string, value: unknown) => void
}
export type { KeptEvent }
