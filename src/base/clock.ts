/**
 * Every read of time and every delay in Seamark goes through a Clock, so that a test can run a day in a
 * millisecond and replay it. This is the one file that may touch Date.now and timers (date.ts formats).
 */
export interface Clock {
  /** Wall-clock milliseconds since the epoch. For timestamps that users see, and for differences. */
  now(): number
  /** Runs `fn` once, `ms` from now (at least 0). Cancelling after it ran does nothing. */
  after(ms: number, fn: () => void): Cancel
}

export type Cancel = () => void

/** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** Calls `fn` every `ms` until cancelled; the first call is one period from now. */
export function every(clock: Clock, ms: number, fn: () => void): Cancel {
  let cancel = clock.after(ms, tick)
  function tick() {
    cancel = clock.after(ms, tick)
    fn()
  }
  return () => cancel()
}

/** Node's timers overflow past 2^31-1 ms (24.8 days) and would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, fn) {
    let timer: NodeJS.Timeout
    const wait = (left: number) => {
      timer =
        left > TIMER_MAX_MS
          ? setTimeout(() => wait(left - TIMER_MAX_MS), TIMER_MAX_MS)
          : setTimeout(fn, Math.max(0, left))
    }
    wait(ms)
    return () => clearTimeout(timer)
  },
}
