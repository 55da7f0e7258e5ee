import { describe, expect, test } from 'vitest'
import { decideAfterFailure, quarantineOf, REVERT_AUTHOR } from './rollback.ts'

const commit = { id: 'b'.repeat(40), subject: 'bad', author: 'Ann', at: 0 }
const failure = { reason: 'NotHealthy', message: 'ill', places: [] } as const
const source = {}
const status = { lastHealthyCommit: 'a'.repeat(40) }
const back = { action: 'back', to: status.lastHealthyCommit, revert: false }

describe('decideAfterFailure', () => {
  test.each([
    ['the default goes back', commit, failure, { source }, status, back],
    ['there is nothing to go back to', commit, failure, { source }, {}, { action: 'stay' }],
    [
      'the healthy one itself fell ill',
      { ...commit, id: status.lastHealthyCommit },
      failure,
      { source },
      status,
      { action: 'stay' },
    ],
    ['none stays', commit, failure, { source, rollback: { onFailure: 'none' } }, status, { action: 'stay' }],
    [
      'revert also commits',
      commit,
      failure,
      { source, rollback: { onFailure: 'revert' } },
      status,
      { ...back, revert: true },
    ],
    [
      'a revert is never reverted',
      { ...commit, author: REVERT_AUTHOR },
      failure,
      { source, rollback: { onFailure: 'revert' } },
      status,
      back,
    ],
    [
      'what was refused was never applied',
      commit,
      { ...failure, reason: 'DiffFailed' },
      { source, rollback: { onFailure: 'revert' } },
      status,
      back,
    ],
  ] as const)('%s', (_, bad, why, spec, before, expected) =>
    expect(decideAfterFailure(bad, why, spec, before)).toEqual(expected),
  )
})

describe('quarantineOf', () => {
  const entry = (reason: string) => ({
    quarantinedCommits: [{ commit: commit.id, reason, message: '', at: '' }],
  })
  const consent = { 'seamark.dev/allow-mass-delete': commit.id.slice(0, 12) }
  test.each([
    ['never tried', {}, undefined, 'none'],
    ['failed', entry('NotHealthy'), undefined, 'quarantined'],
    ['a mass delete', entry('PruneFailed'), undefined, 'quarantined'],
    ['a mass delete with consent', entry('PruneFailed'), consent, 'allowed'],
    ['consent does not heal what is ill', entry('NotHealthy'), consent, 'quarantined'],
  ] as const)('%s', (_, before, annotations, expected) =>
    expect(quarantineOf(commit.id, before, annotations)).toBe(expected),
  )
})
