import PQueue from 'p-queue'
import type { Cancel, Clock } from './clock.ts'

export interface WorkQueueOptions {
  /** Called with one key at a time per key, `concurrency` keys at once. A throw brings the key back after its backoff. */
  readonly work: (key: string) => Promise<void>
  /** Default 1. */
  readonly concurrency?: number
  /** First retry, doubling up to the maximum. Defaults: 5 ms to 1,000 s, as client-go's rate limiter. */
  readonly backoffMinMs?: number
  readonly backoffMaxMs?: number
  /** Told of each failure; the retry is already arranged. */
  readonly onError?: (key: string, error: unknown, retryInMs: number) => void
}

/**
 * Keys to look at. Invariants: (1) a key waits at most once; (2) it is never worked on twice at the same time;
 * (3) added while being worked on, it comes back when that work is done; (4) of two delays the earlier wins;
 * (5) backoff is per key and is forgotten at the first success; (6) after `close` nothing starts any more and
 * `close` resolves when running work has ended.
 */
export class WorkQueue {
  readonly #clock: Clock
  readonly #options: Required<Omit<WorkQueueOptions, 'onError'>> & Pick<WorkQueueOptions, 'onError'>
  readonly #runner: PQueue
  readonly #waiting = new Set<string>()
  readonly #busy = new Set<string>()
  readonly #again = new Set<string>()
  readonly #later = new Map<string, { dueAt: number; cancel: Cancel }>()
  readonly #failures = new Map<string, number>()
  #closed = false

  constructor(clock: Clock, options: WorkQueueOptions) {
    this.#clock = clock
    this.#options = { concurrency: 1, backoffMinMs: 5, backoffMaxMs: 1_000_000, ...options }
    this.#runner = new PQueue({ concurrency: this.#options.concurrency })
  }

  /** Keys waiting to be worked on now (not the delayed ones). */
  get depth(): number {
    return this.#waiting.size
  }

  /** Whether nothing waits, runs or is delayed. */
  get idle(): boolean {
    return this.#waiting.size + this.#busy.size + this.#later.size === 0
  }

  add(key: string): void {
    if (this.#closed) return
    this.#cancelLater(key)
    if (this.#busy.has(key)) {
      this.#again.add(key)
      return
    }
    if (this.#waiting.has(key)) return
    this.#waiting.add(key)
    // One turn later, so that what is added together is looked at once.
    void this.#runner.add(() => Promise.resolve().then(() => this.#run(key)))
  }

  /** Adds the key in `ms`. If it is already delayed, the earlier time wins; if it waits, nothing changes. */
  addAfter(key: string, ms: number): void {
    if (this.#closed || this.#waiting.has(key)) return
    if (ms <= 0) {
      this.add(key)
      return
    }
    const dueAt = this.#clock.now() + ms
    const delayed = this.#later.get(key)
    if (delayed && delayed.dueAt <= dueAt) return
    this.#cancelLater(key)
    this.#later.set(key, {
      dueAt,
      cancel: this.#clock.after(ms, () => {
        this.#later.delete(key)
        this.add(key)
      }),
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const key of [...this.#later.keys()]) this.#cancelLater(key)
    this.#runner.clear()
    this.#waiting.clear()
    await this.#runner.onIdle()
  }

  async #run(key: string): Promise<void> {
    this.#waiting.delete(key)
    if (this.#closed) return
    this.#busy.add(key)
    let retryInMs: number | undefined
    try {
      await this.#options.work(key)
      this.#failures.delete(key)
    } catch (error) {
      const failures = this.#failures.get(key) ?? 0
      this.#failures.set(key, failures + 1)
      retryInMs = Math.min(this.#options.backoffMinMs * 2 ** failures, this.#options.backoffMaxMs)
      this.#options.onError?.(key, error, retryInMs)
    }
    this.#busy.delete(key)
    if (retryInMs !== undefined) {
      this.#again.delete(key)
      this.addAfter(key, retryInMs)
    } else if (this.#again.delete(key)) {
      this.add(key)
    }
  }

  #cancelLater(key: string): void {
    this.#later.get(key)?.cancel()
    this.#later.delete(key)
  }
}
