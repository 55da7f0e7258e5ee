import { ApiError, expired } from '../../api/status.ts'
import { KeyCounts } from './key-counts.ts'
import { compareKeys, KeyIndex } from './key-index.ts'
import { Sleepers } from './sleepers.ts'
import type { Change, Entry, RangeQuery, RangeResult, Value } from './store.ts'

/** So many of the newest changes are kept in memory whatever becomes of them: watchers are hardly ever further behind. */
const YOUNG_MAX = 2_000

/** Reads a version again from where the engine has it. Must find every version that `compact` has not given up. */
export type Recall = (version: Forgotten) => Value

/**
 * The multi-version core that every engine reads from: per key its retained versions, and one log of changes. All of
 * it is synchronous: an engine calls `commit` once a transaction is as durable as it promises, and from that moment
 * readers and watchers see it.
 *
 * With `recall`, a value is held weakly once it is no longer young: what somebody in the process works with (an
 * informer's cache) is shared with them, and history and objects that nobody looks at (events) cost no memory.
 */
export class Mvcc {
  /** Who waits for changes. */
  readonly sleepers = new Sleepers()
  readonly #index = new KeyIndex<History>()
  readonly #keys = new KeyCounts()
  readonly #recall: Recall | undefined
  /** Changes after the compacted revision, in the order of their revisions. */
  #log: Version[] = []
  /** Where in the log the young ones begin. */
  #youngFrom = 0
  #revision: number
  #compacted: number
  #ended = false

  constructor(
    start: { readonly revision: number; readonly compactedRevision: number },
    recall?: Recall | undefined,
  ) {
    this.#revision = start.revision
    this.#compacted = start.compactedRevision
    this.#recall = recall
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
    this.sleepers.wakeAll(this.#revision)
  }

  /** The newest state of a key. */
  latest(key: string): Entry | undefined {
    const version = this.#index.get(key)?.versions.at(-1)
    return version?.type === 'put' ? this.#entryOf(version) : undefined
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
      const version = newest ? history.versions.at(-1) : versionAt(history, revision)
      if (version?.type === 'put') {
        count += 1
        if (entries.length < limit) entries.push(this.#entryOf(version))
      }
      return true
    })
    return { entries, revision, count }
  }

  /** Whether there is no key with this prefix, which ends with a slash. */
  isEmpty(prefix: string): boolean {
    return this.#keys.count(prefix) === 0
  }

  /** Publishes one transaction: all its changes carry `revision`, which is greater than any before. */
  commit(revision: number, changes: readonly Change[]): void {
    for (const change of changes) this.#record(change).young = change
    const before = this.#revision
    this.#revision = revision
    this.#age()
    this.sleepers.moved(changes, before, revision)
  }

  /**
   * Takes over a record found on disk, whose value is recalled when it is asked for; they come in the order of their
   * revisions. Returns the versions that a compaction cut short should have removed.
   */
  restore(record: Omit<Change, 'previous' | 'value'>): readonly Forgotten[] {
    const version = this.#record(record)
    if (record.revision > this.#compacted) return []
    this.#log.pop()
    version.previous = undefined
    return this.#prune(record.key, this.#compacted)
  }

  /** Forgets what is neither newer than `revision` nor the state at it. Returns the versions that are gone. */
  compact(revision: number): readonly Forgotten[] {
    if (revision <= this.#compacted) return []
    // Whoever sleeps has missed nothing so far.
    this.sleepers.wakeAll(this.#revision)
    const keep = firstAfter(this.#log, revision)
    const dropped = this.#log.slice(0, keep)
    for (const version of dropped) {
      version.previous = undefined
      if (version.young) version.young = withoutPrevious(version.young)
      this.#letGo(version)
    }
    this.#log = this.#log.slice(keep)
    this.#youngFrom = Math.max(0, this.#youngFrom - keep)
    this.#compacted = revision
    return [...new Set(dropped.map(({ key }) => key))].flatMap((key) => this.#prune(key, revision))
  }

  /**
   * Changes after `after` whose key begins with `prefix`: whole revisions, as many as first reach `max`. `revision`
   * is how far they tell everything.
   */
  changesAfter(after: number, prefix: string, max: number): { changes: Change[]; revision: number } {
    const changes: Change[] = []
    for (let at = firstAfter(this.#log, after); at < this.#log.length; at += 1) {
      const version = this.#log[at]!
      const told = changes.at(-1)?.revision
      if (changes.length >= max && told !== undefined && version.revision > told)
        return { changes, revision: version.revision - 1 }
      if (version.key.startsWith(prefix)) changes.push(this.#changeOf(version))
    }
    return { changes, revision: this.#revision }
  }

  #record({ type, key, revision, createRevision }: Omit<Change, 'previous' | 'value'>): Version {
    let history = this.#index.get(key)
    if (!history) {
      history = { key, versions: [] }
      this.#index.insert(history)
    }
    const before = history.versions.at(-1)
    const wasThere = before?.type === 'put'
    if (wasThere !== (type === 'put')) this.#keys.add(key, wasThere ? -1 : 1)
    const version: Version = {
      type,
      key,
      revision,
      createRevision,
      previous: wasThere ? before : undefined,
      young: undefined,
      ref: undefined,
    }
    history.versions.push(version)
    this.#log.push(version)
    return version
  }

  #age(): void {
    if (!this.#recall) return
    for (; this.#log.length - this.#youngFrom > YOUNG_MAX; this.#youngFrom += 1)
      this.#letGo(this.#log[this.#youngFrom]!)
  }

  #letGo(version: Version): void {
    if (!version.young || !this.#recall) return
    version.ref = new WeakRef(version.young.value)
    version.young = undefined
  }

  #valueOf(version: Version): Value {
    const held = version.young?.value ?? version.ref?.deref()
    if (held) return held
    const value = this.#recall?.(version)
    if (!value) throw new Error(`${version.key} at revision ${version.revision} is in no place`)
    version.ref = new WeakRef(value)
    return value
  }

  #entryOf(version: Version): Entry {
    const { key, revision, createRevision } = version
    return { key, value: this.#valueOf(version), revision, createRevision }
  }

  #changeOf(version: Version): Change {
    if (version.young) return version.young
    const { type, key, revision, createRevision, previous } = version
    const change = { type, key, value: this.#valueOf(version), revision, createRevision }
    return previous ? { ...change, previous: this.#valueOf(previous) } : change
  }

  /** The state at `revision` stays (nothing, when that is a delete), and everything after it. */
  #prune(key: string, revision: number): Forgotten[] {
    const history = this.#index.get(key)
    if (!history) return []
    const after = history.versions.findIndex((version) => version.revision > revision)
    const state = (after < 0 ? history.versions.length : after) - 1
    if (state < 0) return []
    const keep = history.versions[state]?.type === 'put' ? state : state + 1
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

interface Version extends Forgotten {
  readonly type: Change['type']
  readonly createRevision: number
  /** What it replaced. Only while it is in the log. */
  previous: Version | undefined
  /** As it was committed; without `recall` for good. */
  young: Change | undefined
  ref: WeakRef<Value> | undefined
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

function withoutPrevious({ previous: _, ...change }: Change): Change {
  return change
}

function versionAt(history: History, revision: number): Version | undefined {
  for (let at = history.versions.length - 1; at >= 0; at -= 1) {
    const version = history.versions[at]!
    if (version.revision <= revision) return version
  }
  return undefined
}

/** Where in a log sorted by revision the first change after `revision` is. */
function firstAfter(log: readonly Version[], revision: number): number {
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
