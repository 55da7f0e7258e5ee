import { ApiError } from '../api/status.ts'
import type { Clock } from '../base/clock.ts'

/**
 * How many requests are answered at once, and who is next. A request takes a seat while it is answered; when all are
 * taken it waits in its user's own queue, and the queues are served in turn, so that nobody waits for another's
 * thousand. A queue has an end and a wait has one too: after that the client is told to come again.
 */
export interface FlowLimits {
  readonly seats: number
  readonly queueMax: number
  readonly waitMs: number
}

export const LIMITS: FlowLimits = { seats: 400, queueMax: 500, waitMs: 15_000 }

/** Gives the seat back; once. */
export type Leave = () => void

interface Waiting {
  seat(): void
}

export class FlowControl {
  readonly #clock: Clock
  readonly #limits: FlowLimits
  /** In the order in which their users are served next. */
  readonly #queues = new Map<string, Waiting[]>()
  #taken = 0
  #waiting = 0

  constructor(clock: Clock, limits: FlowLimits = LIMITS) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Requests that have a seat. */
  get taken(): number {
    return this.#taken
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Resolves when it is this request's turn; throws TooManyRequests when that would take too long. */
  async enter(user: string, signal?: AbortSignal): Promise<Leave> {
    if (this.#taken < this.#limits.seats && this.#waiting === 0) this.#taken += 1
    else await this.#wait(user, signal)
    let isSeated = true
    return () => {
      if (!isSeated) return
      isSeated = false
      this.#taken -= 1
      this.#next()
    }
  }

  #wait(user: string, signal: AbortSignal | undefined): Promise<void> {
    const queue = this.#queues.get(user) ?? []
    if (queue.length >= this.#limits.queueMax) throw tooMany()
    return new Promise((resolve, reject) => {
      const leaveQueue = (error: ApiError) => {
        const at = queue.indexOf(waiting)
        if (at < 0) return
        queue.splice(at, 1)
        if (queue.length === 0) this.#queues.delete(user)
        this.#waiting -= 1
        cancel()
        signal?.removeEventListener('abort', abort)
        reject(error)
      }
      const abort = () => leaveQueue(new ApiError('Timeout', 'the client went away while its request waited'))
      const cancel = this.#clock.after(this.#limits.waitMs, () => leaveQueue(tooMany()))
      const waiting: Waiting = {
        seat: () => {
          cancel()
          signal?.removeEventListener('abort', abort)
          resolve()
        },
      }
      queue.push(waiting)
      this.#queues.set(user, queue)
      this.#waiting += 1
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** One of the user whose turn it is; the user goes to the back of the line. */
  #next(): void {
    const first = this.#queues.entries().next()
    if (first.done || this.#taken >= this.#limits.seats) return
    const [user, queue] = first.value
    this.#queues.delete(user)
    const waiting = queue.shift()
    if (queue.length > 0) this.#queues.set(user, queue)
    if (!waiting) return
    this.#waiting -= 1
    this.#taken += 1
    waiting.seat()
  }
}

function tooMany(): ApiError {
  return new ApiError('TooManyRequests', 'Too many requests, please try again later.', {
    details: { retryAfterSeconds: 1 },
  })
}
