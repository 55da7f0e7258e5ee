import type { Env } from '../base/env.ts'
import { Wake } from '../base/wake.ts'

/** Writes under way at once; deciding waits for room, so that a slow store cannot pile them up. */
const WRITES_MAX = 256

/** What the scheduler writes behind its decisions: about one pod one after the other, about many side by side. */
export class Writes {
  readonly #env: Env
  readonly #running = new Set<Promise<void>>()
  readonly #tails = new Map<string, Promise<void>>()
  readonly #ended = new Wake()
  readonly #waits = new Set<() => void>()
  /** Of those running, how many wait for somebody else: they hold up nobody. */
  #waiting = 0
  #stopped = false

  constructor(env: Env) {
    this.#env = env
  }

  /** After all earlier ones about the pod. Never throws: what fails is logged. */
  add(uid: string, write: () => Promise<void>): void {
    const before = this.#tails.get(uid)
    const done = (before ? before.then(write) : write())
      .catch((error: unknown) => this.#env.log.debug({ err: error, uid }, 'not written'))
      .finally(() => {
        this.#running.delete(done)
        this.#ended.wake()
        if (this.#tails.get(uid) === done) this.#tails.delete(uid)
      })
    this.#running.add(done)
    this.#tails.set(uid, done)
  }

  /** There is room for another. */
  async room(): Promise<void> {
    while (this.#running.size - this.#waiting >= WRITES_MAX) await this.#ended.wait()
  }

  /** To be told when an object has changed that `until` may wait for. */
  objectMoved(): void {
    for (const look of this.#waits) look()
  }

  /** Inside a write: waits for what others do. Throws when it takes longer than `ms`, or all is stopped. */
  until(isDone: () => unknown, ms: number, what: string): Promise<void> {
    if (isDone()) return Promise.resolve()
    return this.aside(
      new Promise<void>((resolve, reject) => {
        const end = (settle: () => void) => {
          cancel()
          this.#waits.delete(look)
          settle()
        }
        const giveUp = () => end(() => reject(new Error(`timed out waiting until ${what}`)))
        const look = () => {
          if (isDone()) end(resolve)
          else if (this.#stopped) giveUp()
        }
        const cancel = this.#env.clock.after(ms, giveUp)
        this.#waits.add(look)
        look()
      }),
    )
  }

  /** Inside a write: waits for what is decided elsewhere. */
  async aside<T>(wait: Promise<T>): Promise<T> {
    this.#waiting += 1
    this.#ended.wake()
    try {
      return await wait
    } finally {
      this.#waiting -= 1
    }
  }

  /** All are over; those that wait for others give up. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.objectMoved()
    await Promise.all(this.#running)
  }
}
