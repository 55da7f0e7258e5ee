import { expect, test } from 'vitest'
import type { Change, WatchBatch } from '../../src/apiserver/store/store.ts'
import { WATCH_GUARANTEES, watchViolations } from '../support/watch-guarantees.ts'

const change = (key: string, revision: number, more: Partial<Change> = {}): Change => ({
  type: 'put',
  key,
  value: { revision },
  revision,
  createRevision: revision,
  ...more,
})
const a2 = change('/a', 2)
const b3 = change('/b', 3)
const c3 = change('/c', 3)
const x4 = change('/x', 4)
const a5 = change('/a', 5, { createRevision: 2, previous: a2.value })
const history = [a2, b3, c3, { ...x4, key: 'x' }, a5]
const batch = (revision: number, ...changes: readonly Change[]): WatchBatch => ({ revision, changes })
const watch = (...batches: readonly WatchBatch[]) => ({ prefix: '/', after: 1, batches })

test('A right watch breaks no promise', () => {
  const right = watch(batch(2, a2), batch(3, b3, c3), batch(4), batch(5, a5))
  expect(watchViolations(right, history)).toEqual([])
})

test.each([
  ['ordered', 'revisions go back', watch(batch(3, b3, c3), batch(2, a2))],
  ['ordered', 'a batch tells beyond its revision', watch(batch(2, a2, b3, c3))],
  ['unique', 'a change comes twice', watch(batch(2, a2), batch(3, a2, b3, c3))],
  ['atomic', 'a revision is split', watch(batch(2, a2), batch(3, b3), batch(4, c3))],
  ['filtered', 'another prefix leaks', watch(batch(2, a2), batch(3, b3, c3), batch(4, { ...x4, key: 'x' }))],
  ['filtered', 'a value is wrong', watch(batch(2, { ...a2, value: {} }))],
  ['filtered', 'a change never happened', watch(batch(2, a2, change('/z', 2)))],
  ['reliable', 'a change is skipped', watch(batch(2, a2), batch(5, a5))],
  ['resumable', 'the first change is skipped', watch(batch(3, b3, c3))],
  ['resumable', 'an old change comes again', { ...watch(batch(3, a2, b3, c3)), after: 2 }],
  ['bookmarkable', 'progress comes before a change', watch(batch(3, a2), batch(4, b3, c3))],
  ['previousIsRight', 'the previous value is wrong', watch(batch(5, { ...a5, previous: {} }))],
] as const)('The validator of %s notices when %s', (promise, _, recorded) => {
  expect(WATCH_GUARANTEES[promise](recorded, history)).not.toEqual([])
})
