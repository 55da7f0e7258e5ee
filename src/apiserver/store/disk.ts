import type { Forgotten } from './mvcc.ts'
import type { Change, Value } from './store.ts'

/**
 * What the embedded engine asks of a disk. One batch is all or nothing, and durable when `write` resolves: flushed,
 * not only handed to the operating system. The two revisions travel with every batch and are never derived from the
 * records that are left, because the newest record may be a delete that compaction took away.
 */
export interface Disk {
  load(): DiskState
  /** The value of a record that was written and not forgotten. Throws InternalError when it cannot be read. */
  read(record: Forgotten): Value
  write(batch: DiskBatch): Promise<void>
  close(): Promise<void>
}

export type DiskRecord = Omit<Change, 'previous'>
/** What is known of a record without reading its value. */
export type DiskHeader = Omit<DiskRecord, 'value'>

export interface DiskState {
  readonly revision: number
  readonly compactedRevision: number
  /** In the order in which they were written. */
  readonly records: Iterable<DiskHeader>
}

export interface DiskBatch {
  readonly revision: number
  readonly compactedRevision: number
  /** Whole transactions, in their order. */
  readonly changes: readonly Change[]
  /** Records to remove; some may be gone already. */
  readonly forgotten: readonly Forgotten[]
}
