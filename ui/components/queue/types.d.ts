// The queue as ui/api/queue.py answers it.

import type { RunStates, Shades } from "../shared/types.js"

/** A run that is not over; one of somebody else has no id. `own`: whether it may be steered. `waited`: seconds in the queue; `begins`: how long until then, in words, "" where
 * that is not known; `clock`: when it was set up. `silent_since`: when a
 * worker that does not answer gave the last sign of life. */
export interface Waiting {
  id: string
  title: string
  own: boolean
  state: string
  epoch: number
  epochs: number
  waited: number
  begins?: string
  clock: string
  silent_since?: string | null
}

/** `waiting`: the next one first. */
export interface Queue {
  running: Waiting[]
  paused: Waiting[]
  waiting: Waiting[]
}

/** What ui/components/queue.py hands over. `about`: the run whose waiting is explained; "" for the whole queue. */
export interface Data {
  about: string
  token: string
  states: RunStates
  colours: Record<string, Shades>
}

export interface View {
  root: HTMLElement
  data: Data
  queue: Queue
  open: boolean
  said: string
  drawn: string
  timer: ReturnType<typeof setTimeout> | undefined
  closed: boolean
}
