import { describe, expect, test } from 'vitest'
import type { Progress, ResourceLine } from '../sync/progress.ts'
import type { Paint } from './output.ts'
import { block, linesOf, seconds } from './progress-view.ts'

const plain: Paint = (_, text) => text
const application = 'default/demo'
const good = '4f2c1aa000000000000000000000000000000000'
const bad = '9b01e77000000000000000000000000000000000'

const cases: readonly [name: string, progress: Progress, lines: readonly string[]][] = [
  [
    'a source without a commit is waited for',
    { type: 'waiting-for-source', application, message: 'Waiting for the first commit of /repo' },
    ['demo  … Waiting for the first commit of /repo'],
  ],
  [
    'a commit has its branch, short id and subject',
    {
      type: 'commit-seen',
      application,
      commit: { id: good, subject: 'checkout: 1.5.0', at: 0, branch: 'main' },
      seenAt: 0,
    },
    ['demo  main @ 4f2c1aa "checkout: 1.5.0"'],
  ],
  [
    'a subject cannot move the cursor',
    {
      type: 'commit-seen',
      application,
      commit: { id: good, subject: 'evil \u001b[2J\u202egnp', at: 0 },
      seenAt: 0,
    },
    ['demo  4f2c1aa "evil �[2J�gnp"'],
  ],
  [
    'warnings follow what was rendered',
    {
      type: 'rendered',
      application,
      commit: good,
      objects: 1,
      warnings: [{ file: 'a.yaml', line: 3, column: 1, message: 'is passed over' }],
    },
    ['  ✔ rendered 1 object', '  ! a.yaml:3 is passed over'],
  ],
  [
    'what was applied is counted',
    {
      type: 'applied',
      application,
      commit: good,
      changes: { created: 0, configured: 2, unchanged: 24, pruned: 1 },
      tookMs: 84,
    },
    ['  ✔ applied: 2 changed, 1 pruned   (84 ms)'],
  ],
  [
    'nothing to change is said',
    {
      type: 'applied',
      application,
      commit: good,
      changes: { created: 0, configured: 0, unchanged: 24, pruned: 0 },
      tookMs: 9,
    },
    ['  ✔ applied: nothing to change   (9 ms)'],
  ],
  [
    'a healthy commit says where it was noted',
    { type: 'healthy', application, commit: good, tookMs: 6200, notedOn: good },
    ['  ✔ Healthy after 6.2 s, noted on 4f2c1aa'],
  ],
  [
    'a failed commit has the evidence and its places',
    {
      type: 'failed',
      application,
      commit: bad,
      failure: {
        reason: 'NotHealthy',
        message: 'Deployment shop/checkout: CrashLoopBackOff: container "app" exited 1 (3 restarts)',
        places: [{ file: 'apps/checkout.yaml', line: 21, column: 16, message: 'image' }],
      },
    },
    [
      '  ✘ Deployment shop/checkout: CrashLoopBackOff: container "app" exited 1 (3 restarts)  NotHealthy',
      '      apps/checkout.yaml:21:16  image',
    ],
  ],
  [
    'a rollback says how it ended',
    { type: 'rolled-back', application, from: bad, to: good, tookMs: 3100 },
    ['  ↩ back to 4f2c1aa: Healthy after 3.1 s; 9b01e77 is quarantined until the next commit'],
  ],
  [
    'drift names who made it',
    {
      type: 'drift-corrected',
      application,
      resource: 'Deployment shop/web',
      by: 'kubectl-edit',
      fields: ['spec.replicas'],
    },
    ['demo  ⟲ Deployment shop/web was changed by kubectl-edit; put back'],
  ],
  [
    'a commit in quarantine is said with the way out',
    {
      type: 'quarantined',
      application,
      commit: { id: bad, subject: 'checkout: 1.5.1', at: 0 },
      message: 'Deployment shop/checkout: CrashLoopBackOff',
    },
    [
      'demo  9b01e77 "checkout: 1.5.1" is quarantined; seamark sync tries it again',
      '  ✘ Deployment shop/checkout: CrashLoopBackOff',
    ],
  ],
  [
    'what falls ill later is said with the application it belongs to',
    { type: 'degraded', application, message: 'Deployment shop/web: CrashLoopBackOff' },
    ['demo  ✘ Deployment shop/web: CrashLoopBackOff'],
  ],
  ['and that it is over', { type: 'recovered', application }, ['demo  ✔ everything is healthy again']],
]

describe('lines of an event', () => {
  test.each(cases)('%s', (_, progress, lines) => expect(linesOf(progress, plain)).toEqual(lines))
})

describe('the block of a rollout', () => {
  const waiting = (n: number, status: ResourceLine['health']['status'] = 'Progressing'): ResourceLine => ({
    kind: 'Deployment',
    namespace: 'shop',
    name: `web-${n}`,
    health: { status, message: '1 of 3 updated replicas are available' },
  })
  const view = { application, commit: good, since: 1000 }

  test('has one line for each object, and how long it takes', () =>
    expect(block({ ...view, waiting: [waiting(1)] }, 3500, 100, plain)).toEqual([
      '  ⟳ Deployment shop/web-1   1 of 3 updated replicas are available',
      '    2.5 s',
    ]))

  test('fits the width', () => {
    const [line = ''] = block({ ...view, waiting: [waiting(1)] }, 3500, 40, plain)
    expect(line).toHaveLength(39)
    expect(line.endsWith('…')).toBe(true)
  })

  test('shows the worst first and counts the rest', () => {
    const many = [...Array.from({ length: 30 }, (_, i) => waiting(i)), waiting(99, 'Degraded')]
    const lines = block({ ...view, waiting: many }, 3500, 100, plain, 4)
    expect(lines[0]).toContain('web-99')
    expect(lines.slice(4)).toEqual(['    … 27 more', '    2.5 s'])
  })
})

test.each([
  [0, '0 ms'],
  [84.4, '84 ms'],
  [999.6, '1.0 s'],
  [6_200, '6.2 s'],
  [59_990, '1 min 0 s'],
  [185_000, '3 min 5 s'],
  [119_600, '2 min 0 s'],
])('%d ms reads "%s"', (ms, text) => expect(seconds(ms)).toBe(text))
