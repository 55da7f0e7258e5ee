import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { findCondition } from '../api/conditions.ts'
import { type Job, job } from '../api/kinds/job.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { formatTime } from '../base/date.ts'
import { formatIndexes, parseIndexes } from './job-indexes.ts'
import { planJob } from './job-plan.ts'
import { jobPod, TRACKING } from './job-pod.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const at = (secondsAgo: number) => formatTime(NOW - secondsAgo * 1000)

function jobOf(spec: object = {}, status: Job['status'] = { startTime: at(60) }): Job {
  const made = job.prepareForCreate(
    job.setDefaults({
      ...job.example,
      metadata: { name: 'work', namespace: 'default', uid: 'uid' },
      spec: { ...job.example.spec, ...spec },
    }),
  )
  return { ...made, ...(status ? { status } : {}) }
}

/**
 * "R" running, "P" pending, "S" succeeded, "F" failed, each with "3" its index, "-" being deleted, "." counted already
 * (no finalizer), "@20" ended 20 s ago (else 100), "!7" its exit code, "#2" failures of its index before.
 */
function podOf(text: string, i: number): Pod {
  const [, phase = '', index, rest = ''] = /^([RPSF])(\d*)(.*)$/.exec(text) ?? []
  const number = (mark: string) => Number(new RegExp(`${mark}(\\d+)`).exec(rest)?.[1] ?? Number.NaN)
  const ended = number('@') || 100
  const exitCode = number('!') || (phase === 'S' ? 0 : 1)
  const annotations = {
    ...(index ? { 'batch.kubernetes.io/job-completion-index': index } : {}),
    ...(rest.includes('#') ? { 'batch.kubernetes.io/job-index-failure-count': String(number('#')) } : {}),
  }
  const terminated = { exitCode, finishedAt: at(ended) }
  return make.pod({
    metadata: {
      name: `work-${i}`,
      uid: `u${i}`,
      creationTimestamp: at(200 - i),
      annotations,
      ...(rest.includes('.') ? {} : { finalizers: [TRACKING] }),
      ...(rest.includes('-') ? { deletionTimestamp: at(0) } : {}),
    },
    status: {
      phase: { R: 'Running', P: 'Pending', S: 'Succeeded', F: 'Failed' }[phase] ?? '',
      ...('SF'.includes(phase)
        ? {
            containerStatuses: [
              { name: 'app', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated } },
            ],
          }
        : {}),
    },
  })
}

function plan(spec: object, pods: string, status?: Job['status']) {
  const observed = pods.split(' ').filter(Boolean).map(podOf)
  const made = planJob({ job: jobOf(spec, status ?? { startTime: at(60) }), pods: observed, now: NOW })
  const conditions = (made.status.conditions ?? [])
    .filter(({ status }) => status === 'True')
    .map(({ type, reason }) => `${type}:${reason}`)
  const text = [
    ...made.create.map(({ index }) => (index === undefined ? '+' : `+${index}`)),
    ...made.remove.map(({ metadata }) => `-${metadata.name}`),
    ...conditions,
  ]
  return { ...made, text: text.join(' ') }
}

describe('A Job', () => {
  const indexed = (completions: number, more: object = {}) => ({
    completionMode: 'Indexed',
    completions,
    parallelism: completions,
    ...more,
  })
  test.each([
    ['makes one pod', {}, '', '+'],
    ['makes as many as run in parallel', { parallelism: 3, completions: 5 }, '', '+ + +'],
    ['makes no more than are left', { parallelism: 3, completions: 5 }, 'S. S. S. S.', '+'],
    ['waits for the one that runs', {}, 'R', ''],
    ['replaces what failed once it has waited', {}, 'F@20', '+'],
    ['waits 10 s after a failure', {}, 'F@5', ''],
    ['waits 20 s after two', {}, 'F@90 F@15', ''],
    ['waits no longer when the latest one succeeded', { parallelism: 2, completions: 3 }, 'F@90 S@5 R', '+'],
    ['deletes what is too many', { parallelism: 1, completions: 5 }, 'R R', '-work-1'],
    ['deletes everything when it is suspended', { suspend: true }, 'R', '-work-0 Suspended:JobSuspended'],
    ['makes nothing when it is suspended', { suspend: true }, '', 'Suspended:JobSuspended'],
    ['waits 10 s after one that somebody deletes, as after a failure', {}, 'R-', ''],
    ['takes one without a node away before one that runs', { completions: 5 }, 'R P', '-work-1'],
    ['keeps of two pods of an index the one that has come further', indexed(1), 'P0 R0', '-work-0'],
    [
      'is complete also when it is suspended',
      { suspend: true },
      'S.',
      'SuccessCriteriaMet:CompletionsReached Complete:CompletionsReached',
    ],
    [
      'does not fail over a pod of an index it does not ask for',
      indexed(1, { backoffLimit: 0 }),
      'F7 R0',
      '',
    ],
    [
      'ignores a failure by a rule for the limit of its index, too',
      indexed(2, {
        backoffLimitPerIndex: 0,
        podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [42] } }] },
      }),
      'F0#0!42@20 R1',
      '+0',
    ],
    ['waits for it where only failed ones are replaced', { podReplacementPolicy: 'Failed' }, 'R-', ''],
    [
      'without completions starts nothing after the first success',
      { parallelism: 3, completions: undefined },
      'S. R R',
      '',
    ],
    ['has failed when the limit is passed', { backoffLimit: 1 }, 'F F', 'FailureTarget:BackoffLimitExceeded'],
    [
      'stops the others then',
      { backoffLimit: 0, parallelism: 2, completions: 2 },
      'F R',
      '-work-1 FailureTarget:BackoffLimitExceeded',
    ],
    [
      'has failed at its deadline',
      { activeDeadlineSeconds: 60 },
      'R',
      '-work-0 FailureTarget:DeadlineExceeded',
    ],
    ['has not failed before', { activeDeadlineSeconds: 61 }, 'R', ''],
    ['makes the lowest indexes', indexed(3, { parallelism: 2 }), '', '+0 +1'],
    ['makes the index that is missing', indexed(3), 'R0 R2', '+1'],
    ['makes again an index that failed', indexed(2), 'F0@30 R1', '+0'],
    ['takes away a second pod of an index', indexed(2), 'R0 R0 R1', '-work-1'],
    ['takes away a pod of no index', indexed(1), 'R7 R0', '-work-0'],
    ['gives up an index at its own limit', indexed(3, { backoffLimitPerIndex: 1 }), 'F0#1 R1 R2', ''],
    ['tries an index again below it', indexed(3, { backoffLimitPerIndex: 1 }), 'F0#0@50 R1 R2', '+0'],
    [
      'has failed when too many indexes have',
      indexed(3, { backoffLimitPerIndex: 0, maxFailedIndexes: 1 }),
      'F0 F1 R2',
      '-work-2 FailureTarget:MaxFailedIndexesExceeded',
    ],
    [
      'has failed when all indexes have ended and one failed',
      indexed(2, { backoffLimitPerIndex: 0 }),
      'F0 S1',
      'FailureTarget:FailedIndexes',
    ],
    [
      'is done by its success policy',
      indexed(3, { successPolicy: { rules: [{ succeededIndexes: '0', succeededCount: 1 }] } }),
      'S0 R1 R2',
      '-work-1 -work-2 SuccessCriteriaMet:SuccessPolicy',
    ],
    [
      'asks for very many indexes in no time',
      indexed(2_000_000_000, {
        parallelism: 2,
        successPolicy: { rules: [{ succeededIndexes: '0-1999999998' }, { succeededIndexes: '1,5-9' }] },
      }),
      'S1 R0 R2',
      '',
    ],
    [
      'fails at once by a rule',
      { podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] } },
      'F!42',
      'FailureTarget:PodFailurePolicy',
    ],
    [
      'ignores a failure by a rule',
      {
        backoffLimit: 0,
        podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [42] } }] },
      },
      'F!42@20',
      '+',
    ],
    [
      'counts what no rule matches',
      {
        backoffLimit: 0,
        podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [42] } }] },
      },
      'F!41',
      'FailureTarget:BackoffLimitExceeded',
    ],
  ])('%s', (_, spec, pods, expected) => {
    const counted = (pods.match(/S\./g) ?? []).length
    expect(plan(spec, pods, { startTime: at(60), ...(counted ? { succeeded: counted } : {}) }).text).toBe(
      expected,
    )
  })

  test('notes a finished pod before it lets go of it, and counts it when it is let go', () => {
    const first = plan({}, 'S')
    expect(first.status.uncountedTerminatedPods).toEqual({ succeeded: ['u0'] })
    expect(first.status.succeeded).toBeUndefined()
    expect(first.release.map(({ metadata }) => metadata.uid)).toEqual(['u0'])
    expect(first.text).toBe('SuccessCriteriaMet:CompletionsReached')
    const again = planJob({ job: jobOf({}, first.status), pods: [podOf('S', 0)], now: NOW })
    expect(again.status.uncountedTerminatedPods).toEqual({ succeeded: ['u0'] })
    const last = planJob({ job: jobOf({}, first.status), pods: [podOf('S.', 0)], now: NOW })
    expect(last.status).toMatchObject({ succeeded: 1, uncountedTerminatedPods: {}, completionTime: at(0) })
    expect(findCondition(last.status.conditions, 'Complete')).toMatchObject({
      reason: 'CompletionsReached',
      message: 'Reached expected number of succeeded pods',
    })
    expect(last.events).toEqual([{ type: 'Normal', reason: 'Completed', message: 'Job completed' }])
  })

  test('is not over while a pod still stops', () => {
    const status = plan({ backoffLimit: 0, parallelism: 2, completions: 2 }, 'F R').status
    const spec = { backoffLimit: 0, parallelism: 2, completions: 2 }
    expect(plan(spec, 'F. R-', status).text).toBe('FailureTarget:BackoffLimitExceeded')
    const over = plan(spec, 'F. F.', { ...status, uncountedTerminatedPods: {}, failed: 2 })
    expect(over.text).toBe('FailureTarget:BackoffLimitExceeded Failed:BackoffLimitExceeded')
    expect(over.events[0]).toMatchObject({ type: 'Warning', reason: 'BackoffLimitExceeded' })
  })

  test('holds the last failed pod of an index until its successor is there, which knows how often it failed', () => {
    const ignore = { action: 'Ignore', onExitCodes: { operator: 'In', values: [42] } }
    const spec = indexed(2, { backoffLimitPerIndex: 2, podFailurePolicy: { rules: [ignore] } })
    const released = (pods: string) => plan(spec, pods).release.map(({ metadata }) => metadata.name)
    expect(released('F0#0@5 R1')).toEqual([])
    expect(released('F0#0@20 F0#1@5 R1')).toEqual(['work-0'])
    expect(released('F0#0@20 R0#1 R1')).toEqual(['work-0'])
    expect(released('F0#2 R1')).toEqual(['work-0'])
    expect(plan(spec, 'F0#1@50 R1').create).toEqual([{ index: 0, failures: { counted: 2, ignored: 0 } }])
    expect(plan(spec, 'F0#1!42@50 R1').create).toEqual([{ index: 0, failures: { counted: 1, ignored: 1 } }])
    expect(plan(spec, 'F0#1@15 R1').create).toEqual([])
  })

  test('pauses over failures whose pods are gone, until one succeeds', () => {
    const seconds = (ago: number) => NOW - ago * 1000
    const planAfter = (pods: string, gone: [string, number][]) =>
      planJob({
        job: jobOf({ completions: 5 }),
        pods: pods.split(' ').filter(Boolean).map(podOf),
        failures: new Map(gone.map(([uid, ago]) => [uid, seconds(ago)])),
        now: NOW,
      })
    expect(planAfter('', [['x', 9]]).lookAgainInMs).toBe(1000)
    expect(planAfter('', [['x', 10]]).create).toHaveLength(1)
    expect(
      planAfter('', [
        ['x', 50],
        ['y', 15],
      ]).lookAgainInMs,
    ).toBe(5000)
    expect(
      planAfter('S@5', [
        ['x', 50],
        ['y', 15],
      ]).create,
    ).toHaveLength(1)
    expect(planAfter('', [['x', 9]]).failures).toEqual(new Map([['x', seconds(9)]]))
  })

  test('tells when more have succeeded than it asked for', () => {
    const status = plan({}, 'S').status
    const over = plan({}, 'S. S.', { ...status, uncountedTerminatedPods: {}, succeeded: 2 })
    expect(over.events.map(({ reason }) => reason)).toEqual(['TooManySucceededPods', 'Completed'])
  })

  test('starts its time anew when it is resumed', () => {
    const suspended = plan({ suspend: true }, '').status
    expect(suspended.startTime).toBeUndefined()
    const resumed = planJob({ job: jobOf({}, suspended), pods: [], now: NOW + 5000 })
    expect(resumed.status.startTime).toBe(formatTime(NOW + 5000))
    expect(resumed.events.map(({ reason }) => reason)).toEqual(['Resumed'])
  })

  test('says which container failed by which rule', () => {
    const { status } = plan(
      {
        podFailurePolicy: {
          rules: [
            { action: 'FailJob', onExitCodes: { containerName: 'app', operator: 'NotIn', values: [1] } },
          ],
        },
      },
      'F!42',
    )
    expect(findCondition(status.conditions, 'FailureTarget')?.message).toBe(
      'Container app for pod default/work-0 failed with exit code 42 matching FailJob rule at index 0',
    )
  })

  test.each([
    ['', []],
    ['0', [0]],
    ['0,1', [0, 1]],
    ['0-2', [0, 1, 2]],
    ['0,2-4,7,8', [0, 2, 3, 4, 7, 8]],
  ])('writes indexes as "%s" and reads them', (text, indexes) => {
    expect(formatIndexes(new Set(indexes))).toBe(text)
    expect([...parseIndexes(text, 10)]).toEqual(indexes)
  })

  test('gives the pod of an index its name, host name and environment', () => {
    const pod = jobPod(jobOf(indexed(3)), 2, { counted: 1, ignored: 0 })
    expect(pod.metadata).toMatchObject({
      generateName: 'work-2-',
      labels: { 'batch.kubernetes.io/job-completion-index': '2', 'batch.kubernetes.io/job-name': 'work' },
      annotations: {
        'batch.kubernetes.io/job-completion-index': '2',
        'batch.kubernetes.io/job-index-failure-count': '1',
      },
      finalizers: [TRACKING],
    })
    expect(pod.spec.hostname).toBe('work-2')
    expect(pod.spec.containers[0]?.env).toEqual([
      {
        name: 'JOB_COMPLETION_INDEX',
        valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } },
      },
    ])
  })
})
