import type { Cancel, Clock } from './clock.ts'
import { seededRandom } from './random.ts'

interface Timer {
  readonly dueAt: number
  readonly order: number
  readonly fn: () => void
  readonly setAt: string
}

export interface VirtualClockOptions {
  /** Default 2030-01-01T00:00:00Z. */
  readonly startAt?: number
  /** Draws the order of timers due at the same instant. Default 1. */
  readonly seed?: number
  /** Records where each timer was set, for the message of a stuck run. Slow. */
  readonly trace?: boolean
  /** More timers than this in one run is a runaway. Default 5,000,000. */
  readonly timersMax?: number
}

/**
 * A clock that moves only inside `run` and `until`. Rules: (1) before each timer, all promises that can move have
 * moved; (2) timers run earliest first; (3) timers due at the same instant run in an order drawn from the seed, so
 * races are explored and replayable; (4) `until` that gives up names what was pending; (5) a runaway fails.
 * Real I/O is invisible to it: a plane on virtual time uses the memory store, folder-free sources and simulated nodes.
 */
export class VirtualClock implements Clock {
  #now: number
  readonly #draw: () => number
  readonly #heap: Timer[] = []
  readonly #cancelled = new Set<Timer>()
  readonly #options: VirtualClockOptions
  #ran = 0

  constructor(options: VirtualClockOptions = {}) {
    this.#options = options
    this.#now = options.startAt ?? 1_893_456_000_000
    this.#draw = seededRandom(options.seed ?? 1).float
  }

  now(): number {
    return this.#now
  }

  /** Timers that are set and not cancelled. */
  get pending(): number {
    return this.#heap.length - this.#cancelled.size
  }

  after(ms: number, fn: () => void): Cancel {
    const setAt = this.#options.trace ? (new Error().stack?.split('\n').slice(2, 5).join(' <') ?? '') : ''
    const timer: Timer = { dueAt: this.#now + Math.max(0, ms), order: this.#draw(), fn, setAt }
    push(this.#heap, timer)
    let live = true
    const run = timer.fn
    const entry = timer as { fn: () => void }
    entry.fn = () => {
      live = false
      run()
    }
    return () => {
      if (!live) return
      live = false
      this.#cancelled.add(timer)
    }
  }

  /** Lets everything that is due in the next `ms` happen. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.#step(() => false, end)
    this.#now = end
  }

  /** Runs until `done()` is true; fails, naming what was pending, if `withinMs` passes first. */
  async until(done: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
    const end = this.#now + withinMs
    if (await this.#step(done, end)) return
    const pending = this.#heap
      .filter((timer) => !this.#cancelled.has(timer))
      .sort(before)
      .slice(0, 20)
      .map((timer) => `  +${timer.dueAt - this.#now}ms ${timer.setAt}`)
    throw new Error(
      `Not done after ${withinMs}ms of virtual time; pending:\n${pending.join('\n') || '  nothing'}`,
    )
  }

  async #step(done: () => boolean | Promise<boolean>, end: number): Promise<boolean> {
    for (;;) {
      await drainPromises()
      if (await done()) return true
      const next = this.#heap[0]
      if (!next || next.dueAt > end) {
        this.#now = Math.max(this.#now, end)
        return false
      }
      pop(this.#heap)
      if (this.#cancelled.delete(next)) continue
      this.#ran += 1
      if (this.#ran > (this.#options.timersMax ?? 5_000_000))
        throw new Error(`Runaway timer, set ${next.setAt}`)
      this.#now = next.dueAt
      next.fn()
    }
  }
}

/** One turn of the real event loop empties the whole microtask queue first. */
function drainPromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function before(a: Timer, b: Timer): number {
  return a.dueAt - b.dueAt || a.order - b.order
}

function push(heap: Timer[], timer: Timer): void {
  let at = heap.length
  heap.push(timer)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (before(heap[parent]!, timer) <= 0) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = timer
}

function pop(heap: Timer[]): void {
  const last = heap.pop()!
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!) < 0) child += 1
    if (before(last, heap[child]!) <= 0) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}
