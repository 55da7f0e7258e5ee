import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { pod } from '../../api/kinds/pod.ts'
import { type PriorityClass, priorityClass } from '../../api/kinds/priority-class.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())

const addClass = (name: string, value: number, more: Partial<PriorityClass> = {}) =>
  cluster.client.create<PriorityClass>(priorityClass, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value,
    ...more,
  })
const addPod = (spec: object = {}) => cluster.client.create(pod, make.pod({ spec }))

describe('The priority of a pod', () => {
  test('is 0 when nothing says more', async () =>
    expect((await addPod()).spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' }))

  test('comes from its class', async () => {
    await addClass('high', 1000, { preemptionPolicy: 'Never' })
    expect((await addPod({ priorityClassName: 'high' })).spec).toMatchObject({
      priority: 1000,
      preemptionPolicy: 'Never',
    })
  })

  test('comes from the global default, whose name it then bears', async () => {
    await addClass('usual', 5, { globalDefault: true })
    expect((await addPod()).spec).toMatchObject({ priority: 5, priorityClassName: 'usual' })
  })

  test('comes from the lowest of two global defaults', async () => {
    await addClass('usual', 5, { globalDefault: true })
    await addClass('lower', 3, { globalDefault: true })
    expect((await addPod()).spec.priority).toBe(3)
  })

  test.each([
    ['system-cluster-critical', 2_000_000_000],
    ['system-node-critical', 2_000_001_000],
  ])('of %s is known without its class', async (priorityClassName, priority) =>
    expect((await addPod({ priorityClassName })).spec.priority).toBe(priority),
  )

  test.each(['none', 'constructor'])('of a class "%s" that is not there is refused', async (name) =>
    expect(addPod({ priorityClassName: name })).rejects.toMatchObject({
      reason: 'Forbidden',
      message: `pods "web" is forbidden: no PriorityClass with name ${name} was found`,
    }),
  )

  test('may be given as a number only when it is the right one', async () => {
    expect((await addPod({ priority: 0 })).spec.priority).toBe(0)
    await expect(addPod({ priority: 7 })).rejects.toThrow(
      'the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    )
    await expect(addPod({ preemptionPolicy: 'Never' })).rejects.toThrow(
      'the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority',
    )
  })

  test('stays when an update leaves it out', async () => {
    await addClass('high', 1000)
    const made = await addPod({ priorityClassName: 'high' })
    const { priority: _, preemptionPolicy: _policy, ...spec } = made.spec
    const updated = await cluster.client.update(pod, {
      ...made,
      metadata: { ...made.metadata, labels: { app: 'other' } },
      spec,
    })
    expect(updated.spec).toMatchObject({ priority: 1000, preemptionPolicy: 'PreemptLowerPriority' })
  })
})
