import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { findCondition } from '../api/conditions.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { job } from '../api/kinds/job.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { podDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { replicationController } from '../api/kinds/replication-controller.ts'
import { statefulSet } from '../api/kinds/stateful-set.ts'
import { controllerReference, type OwnerReference } from '../api/resource.ts'
import { formatTime } from '../base/date.ts'
import { EventRecorder } from '../client/events.ts'
import type { Running } from './controller.ts'
import { disruptionController } from './disruption.ts'
import { ControllerRunner } from './runner.ts'
import { staleDisruptionLoop } from './stale-disruption.ts'

let cluster: TestCluster
let running: Running[]

beforeEach(async () => {
  cluster = await createTestCluster()
  const { env, client, informers } = cluster
  const context = { env, client, informers, events: new EventRecorder(env, client, 'disruption') }
  const runner = new ControllerRunner(
    context,
    disruptionController(() => kinds),
  )
  void runner.start()
  running = [runner, staleDisruptionLoop.start(context)]
  await cluster.clock.run(1000)
})
afterEach(async () => {
  for (const each of running) await each.stop()
  await cluster.close()
})

const budgetOf = async (spec: object) => {
  await cluster.client.create(podDisruptionBudget, {
    ...podDisruptionBudget.example,
    metadata: { name: 'budget', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'db' } }, ...spec },
  })
}
const readyPod = async (name: string, owner?: OwnerReference): Promise<Pod> => {
  const made = make.pod({
    metadata: { name, labels: { app: 'db' }, ...(owner ? { ownerReferences: [owner] } : {}) },
  })
  const created = await cluster.client.create(pod, made)
  const at = formatTime(cluster.clock.now())
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: at }]
  return await cluster.client.update(
    pod,
    { ...created, status: { ...created.status, phase: 'Running', conditions } },
    { subresource: 'status' },
  )
}
const status = async () => {
  await cluster.clock.run(2000)
  const found = await cluster.client.get(podDisruptionBudget, { namespace: 'default', name: 'budget' })
  return found.status
}
const reasons = async () =>
  (await cluster.client.list(event)).items
    .filter(({ involvedObject }) => involvedObject.name === 'budget')
    .map(({ reason }) => reason)

describe('A PodDisruptionBudget', () => {
  test('with maxUnavailable knows how many pods a StatefulSet should have', async () => {
    const set = await cluster.client.create(statefulSet, {
      ...statefulSet.example,
      metadata: { name: 'db', namespace: 'default' },
      spec: { ...statefulSet.example.spec, replicas: 3 },
    })
    for (const i of [0, 1, 2]) await readyPod(`db-${i}`, controllerReference(set))
    await budgetOf({ maxUnavailable: 1 })
    expect(await status()).toMatchObject({ expectedPods: 3, desiredHealthy: 2, disruptionsAllowed: 1 })
    await cluster.client.update(statefulSet, { ...set, spec: { ...set.spec, replicas: 5 } })
    expect(await status()).toMatchObject({ expectedPods: 5, desiredHealthy: 4, disruptionsAllowed: 0 })
  })

  test('with a percentage knows how many pods a ReplicationController should have', async () => {
    const owner = await cluster.client.create(replicationController, {
      ...replicationController.example,
      metadata: { name: 'old', namespace: 'default' },
      spec: { ...replicationController.example.spec, replicas: 2 },
    })
    for (const i of [0, 1]) await readyPod(`old-${i}`, controllerReference(owner))
    await budgetOf({ minAvailable: '50%' })
    expect(await status()).toMatchObject({ expectedPods: 2, desiredHealthy: 1, disruptionsAllowed: 1 })
  })

  test('allows nothing, and says why, over pods of what cannot be scaled', async () => {
    const owner = await cluster.client.create(job, {
      ...job.example,
      metadata: { name: 'work', namespace: 'default' },
    })
    await readyPod('work-1', controllerReference(owner))
    await budgetOf({ maxUnavailable: 1 })
    const found = await status()
    expect(found?.disruptionsAllowed).toBe(0)
    expect(findCondition(found?.conditions, 'DisruptionAllowed')).toMatchObject({
      status: 'False',
      reason: 'SyncFailed',
      message: 'jobs.batch does not implement the scale subresource',
    })
    expect(await reasons()).toContain('CalculateExpectedPodCountFailed')
  })

  test('tells of pods that nobody would replace', async () => {
    await readyPod('bare')
    await budgetOf({ maxUnavailable: 1 })
    expect(await status()).toMatchObject({ expectedPods: 0, disruptionsAllowed: 0 })
    expect(await reasons()).toContain('UnmanagedPods')
  })
})

test.each([1, 2, 3, 4, 5, 6])(
  'Evictions at once never take more than the budget has, order %i',
  async (order) => {
    const set = await cluster.client.create(statefulSet, {
      ...statefulSet.example,
      metadata: { name: 'db', namespace: 'default' },
      spec: { ...statefulSet.example.spec, replicas: 3 },
    })
    for (const i of [0, 1, 2]) await readyPod(`db-${i}`, controllerReference(set))
    await budgetOf({ maxUnavailable: 1 })
    await cluster.clock.run(2000)
    const evict = async (i: number) => {
      const metadata = { name: `db-${i}`, namespace: 'default' }
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata }
      // The controller looks at the budget in between.
      await cluster.clock.run(((i * order) % 5) * 3)
      return await cluster.client.createSubresource(pod, metadata, 'eviction', body).then(
        () => 1,
        () => 0,
      )
    }
    const granted = await Promise.all([0, 1, 2].map(evict))
    await cluster.clock.run(5000)
    expect(granted.reduce((sum, one) => sum + one, 0)).toBe(1)
    expect((await status())?.disruptionsAllowed).toBe(0)
    expect(await evict(0)).toBe(0)
  },
)

describe('A pod that was to be disrupted', () => {
  const told = async (reason: string) => {
    const found = await readyPod('doomed')
    const target = { type: 'DisruptionTarget', status: 'True', reason, message: 'soon' }
    const conditions = [
      ...(found.status?.conditions ?? []),
      { ...target, lastTransitionTime: formatTime(cluster.clock.now()) },
    ]
    await cluster.client.update(
      pod,
      { ...found, status: { ...found.status, conditions } },
      { subresource: 'status' },
    )
  }
  const said = async () => {
    const { status: of } = await cluster.client.get(pod, { namespace: 'default', name: 'doomed' })
    return findCondition(of?.conditions, 'DisruptionTarget')?.status
  }

  test('and never is, is told so after two minutes', async () => {
    await told('EvictionByEvictionAPI')
    await cluster.clock.run(118_000)
    expect(await said()).toBe('True')
    await cluster.clock.run(4000)
    expect(await said()).toBe('False')
  })

  test('by its kubelet is waited for', async () => {
    await told('TerminationByKubelet')
    await cluster.clock.run(300_000)
    expect(await said()).toBe('True')
  })
})
