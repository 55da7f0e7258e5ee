import { describe, expect, test } from 'vitest'
import { type Collection, decideCollection, type Judged, type OwnerState } from './collection.ts'

const judged = (...states: OwnerState[]): Judged[] =>
  states.map((state, i) => ({
    state,
    owner: { apiVersion: 'v1', kind: 'ConfigMap', name: `o${i}`, uid: `o${i}` },
  }))

const plain = { finalizers: [], hasDependents: false, isInCircle: false }
const keep: Collection = { do: 'keep' }
const gone = (
  propagationPolicy: 'Foreground' | 'Background' | 'Orphan',
  unblockFirst = false,
): Collection => ({
  do: 'delete',
  propagationPolicy,
  unblockFirst,
})

describe('decideCollection', () => {
  test.each<[string, OwnerState[], Partial<typeof plain> & { finalizers?: never[] }, Collection]>([
    ['keeps what has no owners', [], {}, keep],
    ['keeps what has an owner', ['solid'], {}, keep],
    [
      'drops the reference to an owner that is gone',
      ['solid', 'absent'],
      {},
      { do: 'dropOwners', uids: ['o1'] },
    ],
    [
      'drops the reference to an owner that is going',
      ['waiting', 'solid'],
      {},
      { do: 'dropOwners', uids: ['o0'] },
    ],
    ['deletes what lost all its owners', ['absent', 'absent'], {}, gone('Background')],
    ['keeps what has an owner nobody can look up', ['absent', 'unknown'], {}, keep],
    ['deletes a leaf of a waiting owner', ['waiting'], {}, gone('Background')],
    [
      'deletes in the foreground what has dependents itself',
      ['waiting'],
      { hasDependents: true },
      gone('Foreground'),
    ],
    [
      'unblocks a circle first',
      ['waiting'],
      { hasDependents: true, isInCircle: true },
      gone('Foreground', true),
    ],
  ])('%s', (_, states, subject, expected) => {
    expect(decideCollection(judged(...states), { ...plain, ...subject })).toEqual(expected)
  })

  test.each([
    ['orphan', 'Orphan'],
    ['foregroundDeletion', 'Foreground'],
  ] as const)('keeps to the finalizer %s of what it deletes', (finalizer, policy) => {
    expect(decideCollection(judged('absent'), { ...plain, finalizers: [finalizer] })).toEqual(gone(policy))
  })
})
