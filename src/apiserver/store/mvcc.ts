import { ApiError, expired } from '../../api/status.ts'
import { Wake } from '../../base/wake.ts'
import { compareKeys, KeyIndex } from './key-index.ts'
import type { Change, Entry, RangeQuery, RangeResult, Value } from './store.ts'

/**
 * The multi-version core that every engine reads from: per key its retained versions, and one log of changes. All of
 * it is synchronous: an engine calls `commit` once a transaction is as durable as it promises, and from that moment
 * readers and watchers see it.
 */
export class Mvcc {
  /** Woken after each commit and compaction. */
  readonly moved = new Wake()
  readonly #index = new KeyIndex<History>()
  /** Changes after the compacted revision, in the order of their revisions. */
  #log: Change[] = []
  #revision: number
  #compacted: number
  #ended = false

  constructor(start: { readonly revision: number; readonly compactedRevision: number }) {
    this.#revision = start.revision
    this.#compacted = start.compactedRevision
  }

  get revision(): number {
    return this.#revision
  }

  get compactedRevision(): number {
    return this.#compacted
  }

  /** The store is closed: watchers end. */
  get ended(): boolean {
    return this.#ended
  }

  end(): void {
    this.#ended = true
    this.moved.wake()
  }

  /** The newest state of a key. */
  latest(key: string): Entry | undefined {
    return this.#index.get(key)?.versions.at(-1)?.entry
  }

  /** Expired below the compacted revision, Timeout beyond the newest. */
  range(query: RangeQuery): RangeResult {
    const revision = query.revision ?? this.#revision
    this.#assertReadable(revision)
    const newest = revision === this.#revision
    const { prefix, start = prefix, limit = Number.POSITIVE_INFINITY } = query
    const entries: Entry[] = []
    let count = 0
    this.#index.scan(compareKeys(start, prefix) > 0 ? start : prefix, (history) => {
      if (!history.key.startsWith(prefix)) return false
      const entry = newest ? history.versions.at(-1)?.entry : entryAt(history, revision)
      if (entry) {
        count += 1
        if (entries.length < limit) entries.push(entry)
      }
      return true
    })
    return { entries, revision, count }
  }

  /** Publishes one transaction: all its changes carry `revision`, which is greater than any before. */
  commit(revision: number, changes: readonly Change[]): void {
    for (const change of changes) this.#record(change)
    this.#revision = revision
    this.moved.wake()
  }

  /**
   * Takes over a record found on disk; they come in the order of their revisions. Returns the versions that a
   * compaction cut short should have removed.
   */
  restore(change: Omit<Change, 'previous'>): readonly Forgotten[] {
    const previous = this.latest(change.key)?.value
    if (change.revision > this.#compacted) {
      this.#record(previous ? { ...change, previous } : change)
      return []
    }
    this.#record(change)
    this.#log.pop()
    return this.#prune(change.key, this.#compacted)
  }

  /** Forgets what is neither newer than `revision` nor the state at it. Returns the versions that are gone. */
  compact(revision: number): readonly Forgotten[] {
    if (revision <= this.#compacted) return []
    const keep = firstAfter(this.#log, revision)
    const dropped = this.#log.slice(0, keep)
    this.#log = this.#log.slice(keep)
    this.#compacted = revision
    const forgotten = [...new Set(dropped.map((change) => change.key))].flatMap((key) =>
      this.#prune(key, revision),
    )
    this.moved.wake()
    return forgotten
  }

  /**
   * Changes after `after` whose key begins with `prefix`: whole revisions, as many as first reach `max`. `revision`
   * is how far they tell everything.
   */
  changesAfter(after: number, prefix: string, max: number): { changes: Change[]; revision: number } {
    const changes: Change[] = []
    for (let at = firstAfter(this.#log, after); at < this.#log.length; at += 1) {
      const change = this.#log[at]!
      const told = changes.at(-1)?.revision
      if (changes.length >= max && told !== undefined && change.revision > told)
        return { changes, revision: change.revision - 1 }
      if (change.key.startsWith(prefix)) changes.push(change)
    }
    return { changes, revision: this.#revision }
  }

  #record(change: Change): void {
    let history = this.#index.get(change.key)
    if (!history) {
      history = { key: change.key, versions: [] }
      this.#index.insert(history)
    }
    history.versions.push({
      revision: change.revision,
      entry: change.type === 'put' ? entryOf(change) : undefined,
    })
    this.#log.push(change)
  }

  /** The state at `revision` stays (nothing, when that is a delete), and everything after it. */
  #prune(key: string, revision: number): Forgotten[] {
    const history = this.#index.get(key)
    if (!history) return []
    const after = history.versions.findIndex((version) => version.revision > revision)
    const state = (after < 0 ? history.versions.length : after) - 1
    if (state < 0) return []
    const keep = history.versions[state]?.entry ? state : state + 1
    const forgotten = history.versions.slice(0, keep).map((version) => ({ key, revision: version.revision }))
    history.versions = history.versions.slice(keep)
    if (history.versions.length === 0) this.#index.remove(key)
    return forgotten
  }

  #assertReadable(revision: number): void {
    if (!Number.isSafeInteger(revision) || revision < 0)
      throw new ApiError('BadRequest', `Invalid revision ${revision}: must be a whole number, 0 or more`)
    if (revision > this.#revision) throw futureRevision(revision, this.#revision)
    if (revision < this.#compacted) throw compactedRevision(revision, this.#compacted)
  }
}

/** A version that compaction removed, as engines with a disk name it. */
export interface Forgotten {
  readonly key: string
  readonly revision: number
}

interface History {
  readonly key: string
  /** Oldest first; never empty once recorded. */
  versions: Version[]
}

interface Version {
  readonly revision: number
  /** Undefined for a delete. */
  readonly entry: Entry | undefined
}

export function futureRevision(revision: number, current: number): ApiError {
  return new ApiError('Timeout', `Too large resource version: ${revision}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    details: { retryAfterSeconds: 1 },
  })
}

export function compactedRevision(revision: number, compacted: number): ApiError {
  return expired(`too old resource version: ${revision} (${compacted})`)
}

export function entryOf(change: {
  readonly key: string
  readonly value: Value
  readonly revision: number
  readonly createRevision: number
}): Entry {
  return Object.freeze({
    key: change.key,
    value: change.value,
    revision: change.revision,
    createRevision: change.createRevision,
  })
}

function entryAt(history: History, revision: number): Entry | undefined {
  for (let at = history.versions.length - 1; at >= 0; at -= 1) {
    const version = history.versions[at]!
    if (version.revision <= revision) return version.entry
  }
  return undefined
}

/** Where in a log sorted by revision the first change after `revision` is. */
function firstAfter(log: readonly Change[], revision: number): number {
  let low = 0
  let high = log.length
  // Most watchers are nearly up to date, so the newest change decides at once.
  if (high > 0 && log[high - 1]!.revision <= revision) return high
  while (low < high) {
    const middle = (low + high) >> 1
    if (log[middle]!.revision <= revision) low = middle + 1
    else high = middle
  }
  return low
}
