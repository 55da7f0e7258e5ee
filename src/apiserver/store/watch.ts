import { setMaxListeners } from 'node:events'
import { ApiError } from '../../api/status.ts'
import { compactedRevision, type Mvcc } from './mvcc.ts'
import type { WatchBatch, WatchQuery } from './store.ts'

/**
 * A watcher is a cursor over the log: it holds a revision and nothing else, reads on when its reader asks, and sleeps
 * when there is nothing new for it. A slow reader costs nothing; one that compaction overtook gets Expired.
 * A progress batch needs no queue: it is what reading on finds when no change was for this prefix.
 */
export class Watcher implements AsyncIterableIterator<WatchBatch, undefined, undefined> {
  readonly #core: Mvcc
  readonly #query: WatchQuery
  readonly #end = () => this.#finish()
  /** Everything up to here is read, */
  #cursor: number
  /** and up to here the reader knows. */
  #told: number
  /** There was nothing for long. */
  #isDue = false
  #ended = false
  #rouse: () => void = () => {}

  /** "From now" is the moment of this call, not of the first read. */
  constructor(core: Mvcc, query: WatchQuery) {
    const { after = 0, signal } = query
    if (!Number.isSafeInteger(after) || after < 0)
      throw new ApiError('BadRequest', `Invalid revision ${after}: must be a whole number, 0 or more`)
    this.#core = core
    this.#query = query
    this.#cursor = after === 0 ? core.revision : after
    this.#told = this.#cursor
    if (!signal) return
    // Any number of watches may end with one signal.
    setMaxListeners(0, signal)
    if (signal.aborted) this.#end()
    signal.addEventListener('abort', this.#end, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Reads do not overlap: ask again after the answer. */
  async next(): Promise<IteratorResult<WatchBatch, undefined>> {
    while (!this.#ended && !this.#core.ended) {
      const batch = this.#read()
      if (batch) return { done: false, value: batch }
      await this.#sleep()
    }
    return this.return()
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#end()
    this.#query.signal?.removeEventListener('abort', this.#end)
    return Promise.resolve({ done: true, value: undefined })
  }

  #finish(): void {
    this.#ended = true
    this.#rouse()
  }

  #read(): WatchBatch | undefined {
    const core = this.#core
    if (this.#cursor < core.compactedRevision) {
      void this.return()
      throw compactedRevision(this.#cursor, core.compactedRevision)
    }
    // A cursor in the future stays silent until the store has got there.
    if (this.#cursor < core.revision) {
      const batch = core.changesAfter(this.#cursor, this.#query.prefix, BATCH_CHANGES)
      this.#cursor = batch.revision
      if (batch.changes.length > 0) return this.#tell(batch)
    }
    const { progress = Number.POSITIVE_INFINITY } = this.#query
    const isDue = this.#cursor - this.#told >= (this.#isDue ? 1 : progress)
    return isDue ? this.#tell({ changes: [], revision: this.#cursor }) : undefined
  }

  #tell(batch: WatchBatch): WatchBatch {
    this.#told = batch.revision
    this.#isDue = false
    return batch
  }

  /** Until there is something to read. What did not happen to its keys meanwhile need not be looked for. */
  async #sleep(): Promise<void> {
    const { sleepers, revision } = this.#core
    const { prefix, progress = Number.POSITIVE_INFINITY } = this.#query
    const quietUntil = await new Promise<number>((wake) => {
      const sleeper = {
        prefix,
        until: this.#told + progress,
        wake: (until: number, isTold = false) => {
          this.#isDue = isTold
          wake(until)
        },
      }
      sleepers.add(sleeper)
      this.#rouse = () => {
        sleepers.delete(sleeper)
        wake(revision)
      }
    })
    this.#rouse = () => {}
    this.#cursor = Math.max(this.#cursor, quietUntil)
  }
}

/** A batch ends with the revision in which it reaches this many changes, so that others get their turn. */
const BATCH_CHANGES = 500
