import type { Change } from './store.ts'

/** One who waits: woken with the revision up to which nothing happened to the keys it waits for. */
export interface Sleeper {
  readonly prefix: string
  /** Woken also when the store is at this revision; never when that is Infinity. */
  readonly until: number
  /** `isTold`: because there was nothing for long, which is to be told. */
  wake(quietUntil: number, isTold?: boolean): void
}

const TELL_MS = 10_000

/**
 * Who waits for changes, by prefix: a commit wakes those whose keys it changes, and nobody else. A process has a
 * watcher for each kind, and most commits are about one.
 */
export class Sleepers {
  readonly #byPrefix = new Map<string, Set<Sleeper>>()
  /** How many prefixes do not end with a slash; those of collections do. */
  #odd = 0
  #toldAt: number | undefined
  /** The lowest `until` there may be. */
  #next = Number.POSITIVE_INFINITY

  /** `wake` is called once, by whoever comes first. */
  add(sleeper: Sleeper): void {
    let same = this.#byPrefix.get(sleeper.prefix)
    if (!same) {
      same = new Set()
      this.#byPrefix.set(sleeper.prefix, same)
      if (!sleeper.prefix.endsWith('/')) this.#odd += 1
    }
    same.add(sleeper)
    this.#next = Math.min(this.#next, sleeper.until)
  }

  delete(sleeper: Sleeper): void {
    const same = this.#byPrefix.get(sleeper.prefix)
    if (same?.delete(sleeper) && same.size === 0) this.#forget(sleeper.prefix)
  }

  /** A commit took the store from revision `before` to `now`. */
  moved(changes: readonly Change[], before: number, now: number): void {
    for (const { key } of changes) {
      for (let at = key.indexOf('/'); at >= 0; at = key.indexOf('/', at + 1)) {
        const prefix = key.slice(0, at + 1)
        const same = this.#byPrefix.get(prefix)
        if (same) this.#wake(prefix, same, before)
      }
      if (this.#odd === 0) continue
      for (const [prefix, same] of this.#byPrefix)
        if (!prefix.endsWith('/') && key.startsWith(prefix)) this.#wake(prefix, same, before)
    }
    if (this.#next > now) return
    this.#next = Number.POSITIVE_INFINITY
    for (const sleeper of [...this.#byPrefix.values()].flatMap((same) => [...same])) {
      if (sleeper.until > now) this.#next = Math.min(this.#next, sleeper.until)
      else {
        this.delete(sleeper)
        sleeper.wake(now)
      }
    }
  }

  /** Whoever waits for progress hears at least so often how far the store is, as long as anybody writes. */
  tell(nowMs: number, revision: number): void {
    this.#toldAt ??= nowMs
    if (nowMs - this.#toldAt < TELL_MS) return
    this.#toldAt = nowMs
    for (const sleeper of [...this.#byPrefix.values()].flatMap((same) => [...same])) {
      if (sleeper.until === Number.POSITIVE_INFINITY) continue
      this.delete(sleeper)
      sleeper.wake(revision, true)
    }
  }

  wakeAll(quietUntil: number): void {
    for (const [prefix, same] of this.#byPrefix) this.#wake(prefix, same, quietUntil)
    this.#next = Number.POSITIVE_INFINITY
  }

  #wake(prefix: string, same: ReadonlySet<Sleeper>, quietUntil: number): void {
    this.#forget(prefix)
    for (const sleeper of same) sleeper.wake(quietUntil)
  }

  #forget(prefix: string): void {
    if (this.#byPrefix.delete(prefix) && !prefix.endsWith('/')) this.#odd -= 1
  }
}
