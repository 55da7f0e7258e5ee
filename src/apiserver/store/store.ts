/**
 * An etcd-like store of JSON objects. What every engine guarantees (test/contracts/store.ts, numbered alike):
 *
 *  1. One revision per committed transaction, growing by one; all its changes carry it. Revisions never go back,
 *     also not across a restart, also when the newest change was a delete that has been compacted.
 *  2. A transaction is all or nothing. Its conditions and writes see the newest state; no other write comes between.
 *  3. Acknowledged means durable: `txn` resolves after the change is on disk, and no watcher or reader sees it earlier.
 *  4. A read sees every transaction that was acknowledged before it began. A read at a revision sees exactly that one.
 *  5. `range` is sorted by key bytes; with `limit` and a next `start` at the same revision the pages concatenate to
 *     the whole. Reading below the compacted revision throws Expired (at it, the state is whole), at a future one throws Timeout ("Too large resource version").
 *  6. Watch is ordered (revisions grow), unique (each change once), atomic (all changes of a revision in one batch),
 *     reliable (no gap), resumable (from any revision not compacted, strictly after `after`) and bookmarkable
 *     (a progress batch at R comes only after all changes up to R).
 *  7. A watcher is a cursor over the log: slow ones cost nothing and lose nothing. One that compaction overtakes
 *     throws Expired; it is never moved forward.
 *  8. A change carries the previous value where that is still retained.
 *  9. Compaction keeps the newest value of each key, all later changes, and the current revision.
 * 10. Values are frozen and shared. `stamp` (given at open) puts the revision into a value when it commits.
 * 11. After a failed disk write the engine refuses all writes (ServiceUnavailable) until reopened; reads go on.
 *
 * Keys are compared as UTF-8 bytes; they hold no NUL.
 */
export interface Store {
  /** The newest committed revision; 1 when empty. */
  readonly revision: number
  /** Everything up to and including this revision is compacted; 0 when nothing is. */
  readonly compactedRevision: number
  get(key: string): Promise<Entry | undefined>
  range(query: RangeQuery): Promise<RangeResult>
  /** Whether no key with this prefix, which ends with a slash, is there now. */
  isEmpty(prefix: string): boolean
  txn(transaction: Transaction): Promise<TxnResult>
  watch(query: WatchQuery): AsyncIterable<WatchBatch>
  /** Forgets changes up to and including `revision` (guarantee 9). */
  compact(revision: number): Promise<void>
  /** Waits for writes under way, then releases files. Watches end. Later calls throw ServiceUnavailable. */
  close(): Promise<void>
}

/** A frozen JSON object. */
export type Value = object

export interface Entry {
  readonly key: string
  readonly value: Value
  /** Of the transaction that last wrote the key, and of the one that created it. */
  readonly revision: number
  readonly createRevision: number
}

export interface RangeQuery {
  readonly prefix: string
  /** First key to return (inclusive); default the prefix itself. */
  readonly start?: string | undefined
  readonly limit?: number | undefined
  /** Default: the newest. */
  readonly revision?: number | undefined
}

export interface RangeResult {
  readonly entries: readonly Entry[]
  /** The store's newest revision when the read was made, or the one asked for. */
  readonly revision: number
  /** Keys from `start` on, including those returned. */
  readonly count: number
}

/** A condition on one key: its revision, 0 for "does not exist". */
export interface Condition {
  readonly key: string
  readonly revision: number
}

export type Write =
  | { readonly type: 'put'; readonly key: string; readonly value: Value }
  /** Deleting what is not there does nothing. `value`: the last state for watchers, stamped with the delete's revision. */
  | { readonly type: 'delete'; readonly key: string; readonly value?: Value }

export interface Transaction {
  readonly conditions: readonly Condition[]
  readonly writes: readonly Write[]
}

export type TxnResult =
  /** `entries` of the puts, in order. `revision` is the current one when nothing was written. */
  | { readonly committed: true; readonly revision: number; readonly entries: readonly Entry[] }
  /** The state of the keys whose condition failed; undefined when the key does not exist. */
  | {
      readonly committed: false
      readonly revision: number
      readonly failed: readonly { readonly key: string; readonly entry: Entry | undefined }[]
    }

export interface Change {
  readonly type: 'put' | 'delete'
  readonly key: string
  /** Of a put, its value; of a delete, the last state. */
  readonly value: Value
  readonly revision: number
  /** Equal to `revision` when the put created the key. */
  readonly createRevision: number
  /** Absent for a create, or when compacted. */
  readonly previous?: Value | undefined
}

export interface WatchQuery {
  readonly prefix: string
  /** Changes with a greater revision; 0 or absent means from now (revision 0 is "now", as etcd's). */
  readonly after?: number | undefined
  /**
   * Also yields an empty batch when the store moved on by so many revisions without a change for this prefix, or did so
   * at all for ten seconds.
   */
  readonly progress?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface WatchBatch {
  /** Whole revisions. Empty in a progress batch. */
  readonly changes: readonly Change[]
  /** All changes for the prefix up to this revision have been delivered with this batch. */
  readonly revision: number
}

export interface StoreOptions {
  /** Returns a new value carrying the revision. Default: the value itself. */
  readonly stamp?: ((value: Value, revision: number) => Value) | undefined
  /** Deep-freezes every value; for tests and simulation. Default false: types keep writers honest. */
  readonly freeze?: boolean | undefined
}
