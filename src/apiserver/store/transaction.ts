import { ApiError } from '../../api/status.ts'
import { deepFreeze } from '../../base/json.ts'
import type { Change, Entry, StoreOptions, Transaction, TxnResult, Value, Write } from './store.ts'

/**
 * What a transaction does to the state it sees. Pure: every engine evaluates with this, so they cannot disagree.
 * Nothing is stored here; the caller publishes the changes.
 */
export interface View {
  readonly revision: number
  latest(key: string): Entry | undefined
}

export interface Outcome {
  readonly result: TxnResult
  /** All of `result.revision`; empty when nothing was written. */
  readonly changes: readonly Change[]
}

/** Longer than any legal resource name can make a key, and short enough for every engine. */
export const KEY_BYTES_MAX = 1900

export type Stamp = (value: Value, revision: number) => Value

export function stampOf(options: StoreOptions): Stamp {
  const stamp: Stamp = options.stamp ?? ((value) => value)
  return options.freeze ? (value, revision) => deepFreeze(stamp(value, revision)) : stamp
}

/** Throws BadRequest for a key no engine can hold, and for one written twice: a change is unique in its revision. */
export function evaluate(transaction: Transaction, view: View, stamp: Stamp): Outcome {
  assertWritable(transaction.writes)
  const failed = transaction.conditions
    .map(({ key, revision }) => ({ key, revision, entry: view.latest(key) }))
    .filter(({ revision, entry }) => (entry?.revision ?? 0) !== revision)
    .map(({ key, entry }) => ({ key, entry }))
  if (failed.length > 0) return { result: { committed: false, revision: view.revision, failed }, changes: [] }

  const next = view.revision + 1
  const changes: Change[] = []
  const entries: Entry[] = []
  for (const write of transaction.writes) {
    const change = changeOf(write, view.latest(write.key), next, stamp)
    if (!change) continue
    changes.push(change)
    if (change.type === 'put') {
      const { key, value, createRevision } = change
      entries.push({ key, value, revision: next, createRevision })
    }
  }
  const revision = changes.length > 0 ? next : view.revision
  return { result: { committed: true, revision, entries }, changes }
}

function changeOf(
  write: Write,
  current: Entry | undefined,
  revision: number,
  stamp: Stamp,
): Change | undefined {
  const previous = current ? { previous: current.value } : {}
  if (write.type === 'put') {
    const createRevision = current?.createRevision ?? revision
    const value = stamp(write.value, revision)
    return { type: 'put', key: write.key, value, revision, createRevision, ...previous }
  }
  if (!current) return undefined
  const value = stamp(write.value ?? current.value, revision)
  const { createRevision } = current
  return { type: 'delete', key: write.key, value, revision, createRevision, ...previous }
}

function assertWritable(writes: readonly Write[]): void {
  for (const { key } of writes) {
    // A UTF-16 unit takes at most three bytes, so short keys need no counting.
    const tooLong = key.length * 3 > KEY_BYTES_MAX && Buffer.byteLength(key) > KEY_BYTES_MAX
    if (key === '' || key.includes('\0') || tooLong)
      throw new ApiError(
        'BadRequest',
        `Invalid key ${JSON.stringify(key.slice(0, 80))}: must be 1 to ${KEY_BYTES_MAX} bytes without NUL`,
      )
  }
  if (writes.length < 2) return
  const seen = new Set<string>()
  for (const { key } of writes) {
    if (seen.has(key))
      throw new ApiError(
        'BadRequest',
        `Key "${key}" is written twice in one transaction; write its last state once`,
      )
    seen.add(key)
  }
}
