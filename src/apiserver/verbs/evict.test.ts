import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { pod } from '../../api/kinds/pod.ts'
import { type PodDisruptionBudget, podDisruptionBudget } from '../../api/kinds/pod-disruption-budget.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())

type Policy = 'IfHealthyBudget' | 'AlwaysAllow'
const keyOf = (name: string) => ({ namespace: 'default', name })
const status = { subresource: 'status' }

async function addPod({ name = 'web', ready = true, phase = 'Running' } = {}) {
  await cluster.client.create(pod, make.pod({ metadata: { name } }))
  await cluster.client.createSubresource(pod, keyOf(name), 'binding', { target: { kind: 'Node', name: 'a' } })
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
  await cluster.client.patch(pod, keyOf(name), 'merge', { status: { phase, conditions } }, status)
}
async function addBudget(
  state: Partial<NonNullable<PodDisruptionBudget['status']>> = {},
  { name = 'guard', policy = undefined as Policy | undefined } = {},
) {
  await cluster.client.create<PodDisruptionBudget>(podDisruptionBudget, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: 'default' },
    spec: {
      minAvailable: 1,
      selector: { matchLabels: { app: 'web' } },
      ...(policy ? { unhealthyPodEvictionPolicy: policy } : {}),
    },
  })
  const base = {
    observedGeneration: 1,
    currentHealthy: 2,
    desiredHealthy: 1,
    disruptionsAllowed: 1,
    expectedPods: 2,
  }
  await cluster.client.patch(
    podDisruptionBudget,
    keyOf(name),
    'merge',
    { status: { ...base, ...state } },
    status,
  )
}
const evict = (name = 'web', deleteOptions: object = {}) =>
  cluster.client.createSubresource(pod, keyOf(name), 'eviction', { metadata: { name }, deleteOptions })
const budget = async () => (await cluster.client.get(podDisruptionBudget, keyOf('guard'))).status
const isGoing = async (name = 'web') => {
  const { items } = await cluster.client.list(pod, {
    fieldSelector: `metadata.name=${name}`,
    namespace: 'default',
  })
  return items[0]?.metadata.deletionTimestamp !== undefined || items.length === 0
}
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."

describe('Eviction', () => {
  test('without a budget deletes the pod, with its grace, and says why', async () => {
    await addPod()
    await evict()
    const { metadata, status: now } = await cluster.client.get(pod, keyOf('web'))
    expect(metadata.deletionGracePeriodSeconds).toBe(30)
    expect(now?.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    })
  })

  test('takes one from the budget and remembers the pod', async () => {
    await addPod()
    await addBudget({ disruptionsAllowed: 2 })
    await evict()
    expect(await budget()).toMatchObject({
      disruptionsAllowed: 1,
      disruptedPods: { web: '2030-01-01T00:00:00Z' },
    })
  })

  test('of two pods at once passes only as often as the budget says', async () => {
    await addPod({ name: 'one' })
    await addPod({ name: 'two' })
    await addBudget()
    const both = await Promise.allSettled([evict('one'), evict('two')])
    expect(both.map(({ status: how }) => how).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await budget()).toMatchObject({ disruptionsAllowed: 0 })
  })

  test.each<[string, Parameters<typeof addBudget>[0], number, string]>([
    [
      'is spent',
      { currentHealthy: 1, disruptionsAllowed: 0 },
      0,
      'The disruption budget guard needs 1 healthy pods and has 1 currently',
    ],
    [
      'has not been seen by its controller',
      { observedGeneration: 0 },
      10,
      'The disruption budget guard is still being processed by the server.',
    ],
  ])('is refused while the budget %s', async (_, state, retryAfterSeconds, message) => {
    await addPod()
    await addBudget(state)
    await expect(evict()).rejects.toMatchObject({
      code: 429,
      message: REFUSED,
      causes: [{ reason: 'DisruptionBudget', message }],
      details: { retryAfterSeconds },
    })
    expect(await isGoing()).toBe(false)
  })

  test.each<[string, boolean, Policy | undefined, number, boolean]>([
    ['the application is healthy', false, undefined, 1, true],
    ['the application is not healthy', false, undefined, 0, false],
    ['the application is not healthy, but its pods may always go', false, 'AlwaysAllow', 0, true],
    ['it is ready after all', true, 'AlwaysAllow', 1, false],
  ])(
    'of a pod that is not ready, with a spent budget, when %s',
    async (_, ready, policy, currentHealthy, goes) => {
      await addPod({ name: 'web', ready })
      await addBudget({ currentHealthy, disruptionsAllowed: 0 }, { policy })
      await Promise.allSettled([evict()])
      expect([await isGoing(), (await budget())?.disruptionsAllowed]).toEqual([goes, 0])
    },
  )

  test.each(['Pending', 'Succeeded', 'Failed'])('of a pod that is %s asks no budget', async (phase) => {
    await addPod({ phase })
    await addBudget({ disruptionsAllowed: 0, currentHealthy: 0 })
    await evict()
    expect(await isGoing()).toBe(true)
  })

  test('of a pod with two budgets is refused, and takes from neither', async () => {
    await addPod()
    await addBudget()
    await addBudget({}, { name: 'other' })
    await expect(evict()).rejects.toMatchObject({
      code: 500,
      message:
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    })
    expect(await budget()).toMatchObject({ disruptionsAllowed: 1 })
  })

  test('of the pod of another UID takes nothing from the budget', async () => {
    await addPod()
    await addBudget()
    await expect(evict('web', { preconditions: { uid: 'other' } })).rejects.toMatchObject({
      reason: 'Conflict',
    })
    expect(await budget()).toMatchObject({ disruptionsAllowed: 1 })
  })

  test('in a dry run changes nothing', async () => {
    await addPod()
    await addBudget()
    const before = cluster.store.revision
    await evict('web', { dryRun: ['All'] })
    expect([cluster.store.revision, await isGoing()]).toEqual([before, false])
  })

  test('gives the grace that is asked for', async () => {
    await addPod()
    await evict('web', { gracePeriodSeconds: 3 })
    expect((await cluster.client.get(pod, keyOf('web'))).metadata.deletionGracePeriodSeconds).toBe(3)
  })
})
