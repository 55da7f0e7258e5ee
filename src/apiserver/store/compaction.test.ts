import { expect, test } from 'vitest'
import { planCompaction } from './compaction.ts'

const policy = { retainMs: 100, revisionsMax: 50, sampleMs: 10 }
const samples = [
  { at: 0, revision: 5 },
  { at: 40, revision: 9 },
  { at: 90, revision: 20 },
]

test.each([
  ['nothing while all is young', 99, 30, 0, undefined, 3],
  ['up to the sample that is old enough', 100, 30, 0, 5, 2],
  ['up to the newest of several old ones', 145, 30, 0, 9, 1],
  ['nothing that is forgotten already', 145, 30, 9, undefined, 1],
  ['nothing when the clock went back', -500, 30, 0, undefined, 3],
  ['what exceeds the count, however young', 50, 80, 0, 30, 3],
  ['an excess only once it is worth a step', 50, 84, 30, undefined, 3],
  ['the next excess after a step', 50, 85, 30, 35, 3],
] as const)('Compaction forgets %s', (_, now, revision, compacted, target, left) => {
  const plan = planCompaction(policy, samples, now, revision, compacted)
  expect(plan.target).toBe(target)
  expect(plan.samples).toHaveLength(left)
})
