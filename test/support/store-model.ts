import type { Change, Entry, Store, Transaction, WatchBatch } from '../../src/apiserver/store/store.ts'

/** The store, naively: every change there ever was, in an array, replayed for each question. */
export class StoreModel {
  readonly history: Change[] = []
  revision = 1
  compacted = 0

  /** The state at a revision, by key. */
  at(revision: number): Map<string, Entry> {
    const state = new Map<string, Entry>()
    for (const change of this.history) {
      if (change.revision > revision) break
      const { key, value, createRevision } = change
      if (change.type === 'put') state.set(key, { key, value, revision: change.revision, createRevision })
      else state.delete(key)
    }
    return state
  }

  /** False when a condition does not hold. */
  txn(transaction: Transaction): boolean {
    const state = this.at(this.revision)
    if (transaction.conditions.some(({ key, revision }) => (state.get(key)?.revision ?? 0) !== revision))
      return false
    const next = this.revision + 1
    for (const write of transaction.writes) {
      const before = state.get(write.key)
      const value = write.value ?? before?.value
      if (!value || (write.type === 'delete' && !before)) continue
      this.history.push({
        type: write.type,
        key: write.key,
        value,
        revision: next,
        createRevision: before?.createRevision ?? next,
        ...(before ? { previous: before.value } : {}),
      })
      this.revision = next
    }
    return true
  }
}

/** Reads a watch up to the store's newest revision. */
export async function readWatch(store: Store, prefix: string, after: number): Promise<WatchBatch[]> {
  const batches: WatchBatch[] = []
  if (after >= store.revision) return batches
  for await (const batch of store.watch({ prefix, after, progress: 1 })) {
    batches.push(batch)
    if (batch.revision >= store.revision) break
  }
  return batches
}

/** The order of keys by their bytes. */
export function byBytes(a: { readonly key: string }, b: { readonly key: string }): number {
  return Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))
}
