import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { findCondition } from '../api/conditions.ts'
import { type CronJob, cronJob } from '../api/kinds/cron-job.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { type Job, job } from '../api/kinds/job.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { controllerReference, isBeingDeleted } from '../api/resource.ts'
import { formatTime, parseTime } from '../base/date.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

let cluster: TestCluster
let running: Running

async function open(): Promise<void> {
  cluster = await createTestCluster()
  running = startControllers(cluster.env, cluster.client, {
    informers: cluster.informers,
    kinds: () => kinds,
  })
  await cluster.clock.run(1000)
}
async function close(): Promise<void> {
  await running.stop()
  await cluster.close()
}

/** Ends a pod as a kubelet would. */
async function end(
  each: Pod,
  phase: 'Succeeded' | 'Failed',
  exitCode = phase === 'Failed' ? 1 : 0,
): Promise<void> {
  const terminated = { exitCode, finishedAt: formatTime(cluster.clock.now()) }
  const containerStatuses = [
    { name: 'app', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated } },
  ]
  await cluster.client.update(
    pod,
    { ...each, status: { phase, containerStatuses } },
    { subresource: 'status' },
  )
}

const pods = async () => (await cluster.client.list(pod)).items
const active = async () =>
  (await pods()).filter(
    (each) => !isBeingDeleted(each) && !['Succeeded', 'Failed'].includes(each.status?.phase ?? ''),
  )
const WORK = { namespace: 'default', name: 'work' }
const create = (spec: Partial<Job['spec']> = {}) =>
  cluster.client.create(job, {
    ...job.example,
    metadata: { name: 'work' },
    spec: { ...job.example.spec, ...spec },
  })
const found = () => cluster.client.get(job, WORK)
const isTrue = (one: Job, type: string) => findCondition(one.status?.conditions, type)?.status === 'True'

describe('A Job', () => {
  beforeEach(open)
  afterEach(close)

  test('runs to its end and lets its pods go', async () => {
    await create({ completions: 3, parallelism: 2 })
    for (let done = 0; done < 3; done += 1) {
      await cluster.clock.run(5000)
      const [first] = await active()
      if (first) await end(first, 'Succeeded')
    }
    await cluster.clock.run(5000)
    const { status } = await found()
    expect(status).toMatchObject({ succeeded: 3, ready: 0, terminating: 0, uncountedTerminatedPods: {} })
    expect(isTrue(await found(), 'Complete')).toBe(true)
    expect((await pods()).map(({ metadata }) => metadata.finalizers ?? [])).toEqual([[], [], []])
  })

  test('gives up after its limit, with a pause that doubles', async () => {
    await create({ backoffLimit: 2 })
    const madeAt: number[] = []
    for (let i = 0; i < 3; i += 1) {
      await cluster.clock.until(async () => (await active()).length === 1, 120_000)
      madeAt.push(cluster.clock.now())
      const [only] = await active()
      if (only) await end(only, 'Failed')
    }
    await cluster.clock.run(5000)
    const pauses = madeAt.slice(1).map((at, i) => Math.round((at - (madeAt[i] ?? 0)) / 10_000) * 10)
    expect(pauses).toEqual([10, 20])
    expect(isTrue(await found(), 'Failed')).toBe(true)
    expect((await found()).status?.failed).toBe(3)
  })

  test('does not count what it only does not want any more', async () => {
    await create({ completions: 5, parallelism: 3 })
    await cluster.clock.run(2000)
    const change = async (spec: Partial<Job['spec']>) => {
      const one = await found()
      await cluster.client.update(job, { ...one, spec: { ...one.spec, ...spec } })
      await cluster.clock.run(5000)
    }
    await change({ parallelism: 1 })
    expect(await active()).toHaveLength(1)
    await change({ suspend: true })
    expect(await pods()).toEqual([])
    expect((await found()).status?.failed).toBeUndefined()
    await change({ suspend: false })
    expect(await active()).toHaveLength(1)
  })

  test('that is done by its success policy does not count what it stops then', async () => {
    const rules = [{ succeededCount: 1 }]
    await create({ completionMode: 'Indexed', completions: 3, parallelism: 3, successPolicy: { rules } })
    await cluster.clock.run(2000)
    const [first] = await active()
    if (first) await end(first, 'Succeeded')
    await cluster.clock.run(5000)
    expect(isTrue(await found(), 'Complete')).toBe(true)
    expect((await found()).status).toMatchObject({ succeeded: 1, terminating: 0 })
    expect((await found()).status?.failed).toBeUndefined()
  })

  test('waits with another pod after somebody deletes one, though it is gone at once', async () => {
    await create()
    await cluster.clock.run(2000)
    const [only] = await active()
    await cluster.client.delete(
      pod,
      { ...only?.metadata, name: only?.metadata.name ?? '' },
      { gracePeriodSeconds: 0 },
    )
    const deletedAt = cluster.clock.now()
    await cluster.clock.until(async () => (await active()).length === 1, 60_000)
    expect(Math.round((cluster.clock.now() - deletedAt) / 1000)).toBe(10)
    expect((await found()).status?.failed).toBe(1)
  })

  test('ends at its deadline', async () => {
    await create({ activeDeadlineSeconds: 30 })
    await cluster.clock.run(29_000)
    expect(isTrue(await found(), 'FailureTarget')).toBe(false)
    await cluster.clock.run(1500)
    expect(findCondition((await found()).status?.conditions, 'FailureTarget')?.reason).toBe(
      'DeadlineExceeded',
    )
  })

  test('leaves its pods when it is deleted without a word, and takes them along when told to', async () => {
    await create()
    await cluster.clock.run(2000)
    await cluster.client.delete(job, WORK)
    await cluster.clock.run(10_000)
    const [left] = await pods()
    expect(left?.metadata.ownerReferences ?? []).toEqual([])
    expect(left?.metadata.finalizers ?? []).toEqual([])
    await create()
    await cluster.clock.run(2000)
    await cluster.client.delete(job, WORK, { propagationPolicy: 'Background' })
    await cluster.clock.run(10_000)
    expect(await pods()).toHaveLength(1)
  })

  test('is deleted when its time after the end is over', async () => {
    await create({ ttlSecondsAfterFinished: 30 })
    await cluster.clock.run(2000)
    const [only] = await active()
    if (only) await end(only, 'Succeeded')
    await cluster.clock.run(20_000)
    expect(isTrue(await found(), 'Complete')).toBe(true)
    await cluster.clock.run(20_000)
    await expect(found()).rejects.toMatchObject({ reason: 'NotFound' })
    expect(await pods()).toEqual([])
  })
})

describe('Whatever becomes of its pods', () => {
  const fate = fc.constantFrom('Succeeded', 'Failed', 'deleted', 'nothing')
  test('a Job counts each exactly once, and ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fate, { minLength: 5, maxLength: 30 }),
        fc.boolean(),
        async (fates, isIndexed) => {
          await open()
          try {
            await create({
              completions: 4,
              parallelism: 2,
              backoffLimit: 1000,
              ...(isIndexed ? { completionMode: 'Indexed' } : {}),
            })
            const ended = { Succeeded: 0, Failed: 0 }
            const step = async (what: string) => {
              await cluster.clock.run(700_000)
              const [first] = await active()
              if (!first || what === 'nothing') return
              if (what === 'deleted') {
                ended.Failed += 1
                await cluster.client.delete(
                  pod,
                  { namespace: 'default', name: first.metadata.name },
                  { gracePeriodSeconds: 0 },
                )
              } else {
                ended[what as 'Succeeded'] += 1
                await end(first, what as 'Succeeded')
              }
            }
            for (const what of fates) await step(what)
            for (let i = 0; i < 5; i += 1) await step('Succeeded')
            await cluster.clock.run(700_000)
            const { status = {} } = await found()
            expect(isTrue(await found(), 'Complete')).toBe(true)
            expect(status.succeeded).toBe(4)
            expect(status.failed ?? 0).toBe(ended.Failed)
            if (isIndexed) expect(status.completedIndexes).toBe('0-3')
          } finally {
            await close()
          }
        },
      ),
      { numRuns: 15 },
    )
  })
})

describe('The pods of a Job', () => {
  beforeEach(open)
  afterEach(close)
  const owners = async () => (await pods()).map(({ metadata }) => metadata.ownerReferences?.[0]?.uid)

  test('with a selector of its own may be there before it', async () => {
    const bare = make.pod({ metadata: { name: 'early', labels: { work: 'mine' } } })
    await cluster.client.create(pod, { ...bare, spec: { ...bare.spec, restartPolicy: 'Never' } })
    const made = await create({
      manualSelector: true,
      selector: { matchLabels: { work: 'mine' } },
      template: {
        metadata: { labels: { work: 'mine' } },
        spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'a' }] },
      },
    })
    await cluster.clock.run(2000)
    expect(await owners()).toEqual([made.metadata.uid])
    const [adopted] = await pods()
    expect(adopted?.metadata.finalizers).toEqual(['batch.kubernetes.io/job-tracking'])
    await end(adopted as Pod, 'Succeeded')
    await cluster.clock.run(5000)
    expect(isTrue(await found(), 'Complete')).toBe(true)
  })

  test('that lose its labels are let go and replaced', async () => {
    const made = await create()
    await cluster.clock.run(2000)
    const [first] = await pods()
    const { namespace, name = '' } = first?.metadata ?? {}
    const labels = { 'batch.kubernetes.io/controller-uid': null }
    await cluster.client.patch(pod, { namespace, name }, 'merge', { metadata: { labels } })
    await cluster.clock.run(5000)
    expect((await owners()).toSorted()).toEqual([made.metadata.uid, undefined])
    const left = await cluster.client.get(pod, { namespace, name })
    expect(left.metadata.finalizers ?? []).toEqual([])
  })

  test('that lose their reference get it back, and count', async () => {
    const made = await create()
    await cluster.clock.run(2000)
    const [first] = await pods()
    const { namespace, name = '' } = first?.metadata ?? {}
    await cluster.client.patch(pod, { namespace, name }, 'merge', { metadata: { ownerReferences: null } })
    await cluster.clock.run(5000)
    expect(await owners()).toEqual([made.metadata.uid])
  })
})

describe('A CronJob', () => {
  beforeEach(open)
  afterEach(close)
  const REPORT = { namespace: 'default', name: 'report' }
  const schedule = (spec: Partial<CronJob['spec']>) =>
    cluster.client.create(cronJob, {
      ...cronJob.example,
      metadata: { name: 'report' },
      spec: { ...cronJob.example.spec, ...spec },
    })
  const times = async () =>
    (await cluster.client.list(job)).items
      .map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'] ?? '')
      .sort()
  const finishAll = async (phase: 'Succeeded' | 'Failed' = 'Succeeded') => {
    for (const each of await active()) await end(each, phase)
    await cluster.clock.run(2000)
  }
  const minutes = (of: readonly string[]) => of.map((text) => ((parseTime(text) ?? 0) / 60_000) % 60)

  test('starts a Job at each of its times, and keeps the last ones', async () => {
    await schedule({ schedule: '*/10 * * * *', successfulJobsHistoryLimit: 2 })
    for (let run = 0; run < 4; run += 1) {
      await cluster.clock.run(600_000)
      await finishAll()
    }
    const kept = await times()
    expect(kept).toHaveLength(2)
    for (const minute of minutes(kept)) expect(minute % 10).toBe(0)
    const { status } = await cluster.client.get(cronJob, REPORT)
    expect(status?.active).toBeUndefined()
    expect(status?.lastScheduleTime).toBe(kept.at(-1))
    expect(status?.lastSuccessfulTime).toBeDefined()
  })

  test.each([
    ['Allow', 3],
    ['Forbid', 1],
    ['Replace', 1],
  ])('with %s has %i Jobs running after three times', async (concurrencyPolicy, count) => {
    await schedule({ schedule: '*/10 * * * *', concurrencyPolicy })
    await cluster.clock.run(1_850_000)
    const { status } = await cluster.client.get(cronJob, REPORT)
    expect(status?.active).toHaveLength(count)
    const oldest = (await times())[0] ?? ''
    expect(status?.lastScheduleTime === oldest).toBe(concurrencyPolicy !== 'Allow')
  })

  test('starts only the newest of the runs that were missed', async () => {
    await schedule({ schedule: '*/10 * * * *', suspend: true })
    await cluster.clock.run(4 * 3_600_000)
    expect(await times()).toEqual([])
    const suspended = await cluster.client.get(cronJob, REPORT)
    await cluster.client.update(cronJob, { ...suspended, spec: { ...suspended.spec, suspend: false } })
    await cluster.clock.run(1000)
    expect(await times()).toHaveLength(1)
  })

  test('starts none that is later than its deadline', async () => {
    await schedule({ schedule: '0 * * * *', suspend: true, startingDeadlineSeconds: 60 })
    await cluster.clock.run(90 * 60_000)
    const late = (cluster.clock.now() / 60_000) % 60
    const suspended = await cluster.client.get(cronJob, REPORT)
    await cluster.client.update(cronJob, { ...suspended, spec: { ...suspended.spec, suspend: false } })
    await cluster.clock.run(1000)
    expect(await times()).toHaveLength(late < 1 ? 1 : 0)
  })

  const said = async () =>
    (await cluster.client.list(event)).items
      .filter(({ involvedObject }) => involvedObject.kind === 'CronJob')
      .map(({ reason, message }) => `${reason} ${message}`)
  const byHand = async (name: string, owner?: CronJob) =>
    cluster.client.create(job, {
      ...job.example,
      metadata: {
        name,
        namespace: 'default',
        ...(owner ? { ownerReferences: [controllerReference(owner)] } : {}),
      },
    })

  test('does not wait for a Job that somebody else started for it, but tells of it', async () => {
    const owner = await schedule({ schedule: '*/10 * * * *', concurrencyPolicy: 'Forbid' })
    await byHand('by-hand', owner)
    await cluster.clock.run(650_000)
    expect(await times()).toHaveLength(2)
    const { status } = await cluster.client.get(cronJob, REPORT)
    expect(status?.active?.map(({ name }) => name)).not.toContain('by-hand')
    expect(status?.active).toHaveLength(1)
    expect(await said()).toContain(
      'UnexpectedJob Saw a job that the controller did not create or forgot: by-hand',
    )
  })

  test('says nothing of jobs that went missing when it replaces one', async () => {
    await schedule({ schedule: '*/10 * * * *', concurrencyPolicy: 'Replace' })
    await cluster.clock.run(1_850_000)
    expect((await said()).filter((text) => /MissingJob/.test(text))).toEqual([])
  })

  test('leaves a run to the Job of another that has its name', async () => {
    const slot = Math.floor(cluster.clock.now() / 600_000) * 10 + 10
    await byHand(`report-${slot}`)
    await schedule({ schedule: '*/10 * * * *' })
    await cluster.clock.run(650_000)
    expect((await cluster.client.get(cronJob, REPORT)).status?.active).toBeUndefined()
    expect(await said()).toEqual([])
    await cluster.clock.run(600_000)
    expect((await cluster.client.get(cronJob, REPORT)).status?.active).toHaveLength(1)
  })

  test('with a schedule that never comes says so', async () => {
    await schedule({ schedule: '59 23 31 2 *' })
    await cluster.clock.run(5000)
    expect(await said()).toEqual([
      'InvalidSchedule invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second',
    ])
  })
})
