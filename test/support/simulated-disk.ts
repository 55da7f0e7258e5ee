import type { Disk, DiskBatch, DiskRecord, DiskState } from '../../src/apiserver/store/disk.ts'

/** What becomes of the n-th write (from 0) and all after it. `lost…` never answers, as after a power cut. */
export type DiskFault = 'none' | 'lostBeforeFlush' | 'lostAfterFlush' | 'failing'

/**
 * A disk that keeps only what was flushed, and can lose power around any flush. `durable` outlives it: open the next
 * one on it.
 */
export class SimulatedDisk implements Disk {
  readonly durable: DurableState
  readonly #fault: DiskFault
  readonly #faultAt: number
  writes = 0

  constructor(durable: DurableState = emptyDisk(), fault: DiskFault = 'none', faultAt = 0) {
    this.durable = durable
    this.#fault = fault
    this.#faultAt = faultAt
  }

  /** Power was lost, or the disk fails. */
  get broken(): boolean {
    return this.#fault !== 'none' && this.writes > this.#faultAt
  }

  load(): DiskState {
    const records = [...this.durable.records.values()].sort((a, b) => a.revision - b.revision)
    return { ...this.durable, records }
  }

  read({ key, revision }: { readonly key: string; readonly revision: number }): object {
    const record = this.durable.records.get(`${revision} ${key}`)
    if (!record) throw new Error(`${key} at revision ${revision} is not on the disk`)
    return structuredClone(record.value)
  }

  async write(batch: DiskBatch): Promise<void> {
    this.writes += 1
    if (this.broken) {
      if (this.#fault === 'failing') throw new Error('ENOSPC: no space left on device')
      if (this.#fault === 'lostAfterFlush' && this.writes === this.#faultAt + 1) this.#flush(batch)
      return new Promise(() => {})
    }
    await Promise.resolve()
    this.#flush(batch)
  }

  async close(): Promise<void> {}

  #flush(batch: DiskBatch): void {
    const { records } = this.durable
    for (const { previous: _, ...record } of batch.changes)
      records.set(`${record.revision} ${record.key}`, structuredClone(record))
    for (const { revision, key } of batch.forgotten) records.delete(`${revision} ${key}`)
    this.durable.revision = batch.revision
    this.durable.compactedRevision = batch.compactedRevision
  }
}

export interface DurableState {
  revision: number
  compactedRevision: number
  readonly records: Map<string, DiskRecord>
}

export function emptyDisk(): DurableState {
  return { revision: 1, compactedRevision: 0, records: new Map() }
}
