import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { event } from '../api/kinds/event.ts'
import { newEvent } from '../api/kinds/event-v1.ts'
import {
  type HorizontalPodAutoscaler,
  horizontalPodAutoscaler as v2,
} from '../api/kinds/horizontal-pod-autoscaler.ts'
import { horizontalPodAutoscalerV1 as v1 } from '../api/kinds/horizontal-pod-autoscaler-v1.ts'
import type { Resource } from '../api/resource.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())
const web = { namespace: 'default', name: 'web' }
const memory = {
  type: 'Resource',
  resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '200Mi' } },
}
const cpu = (averageUtilization: number) => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})

describe('A kind of two versions', () => {
  test('is one object, whichever version wrote it', async () => {
    const made = await cluster.client.create(v1, v1.example)
    expect(made.apiVersion).toBe('autoscaling/v1')
    const seen = await cluster.client.get(v2, web)
    expect(seen).toMatchObject({
      apiVersion: 'autoscaling/v2',
      spec: { metrics: [cpu(60)], maxReplicas: 10 },
    })
    expect(seen.metadata.uid).toBe(made.metadata.uid)
    await cluster.client.patch(v2, web, 'merge', { spec: { metrics: [memory, cpu(70)], maxReplicas: 12 } })
    const back = await cluster.client.get(v1, web)
    expect(back.spec).toMatchObject({ targetCPUUtilizationPercentage: 70, maxReplicas: 12 })
    expect(JSON.parse(back.metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics'] ?? '')).toEqual([
      { type: 'Resource', resource: { name: 'memory', targetAverageValue: '200Mi' } },
    ])
    await cluster.client.delete(v1, web)
    await expect(cluster.client.get(v2, web)).rejects.toMatchObject({ reason: 'NotFound' })
  })

  test('loses nothing when the older version writes back what it read', async () => {
    const before = await cluster.client.create(v2, {
      ...v2.example,
      spec: {
        ...v2.example.spec,
        metrics: [memory, cpu(70)],
        behavior: { scaleDown: { selectPolicy: 'Disabled' } },
      },
    })
    await cluster.client.update(v1, await cluster.client.get(v1, web))
    const after = await cluster.client.get(v2, web)
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion)
    await cluster.client.patch(v1, web, 'merge', { spec: { maxReplicas: 20 } })
    expect((await cluster.client.get(v2, web)).spec).toEqual({ ...before.spec, maxReplicas: 20 })
  })

  test('is refused in the words of the stored version', async () => {
    const wrong = { ...v1.example, spec: { ...v1.example.spec, targetCPUUtilizationPercentage: -1 } }
    await expect(cluster.client.create(v1, wrong)).rejects.toMatchObject({
      message:
        'HorizontalPodAutoscaler.autoscaling "web" is invalid: spec.metrics[0].resource.target.averageUtilization: Invalid value: -1: must be greater than 0',
    })
  })

  test('shows a watch on one version what the other writes', async () => {
    const stop = new AbortController()
    const seen: Resource[] = []
    const watching = (async () => {
      for await (const { object } of cluster.client.watch(v1, { signal: stop.signal })) {
        seen.push(object)
        if (seen.length === 2) stop.abort()
      }
    })()
    await cluster.client.create(v2, v2.example)
    await cluster.client.patch(v2, web, 'merge', { spec: { metrics: [cpu(33)] } })
    await watching
    expect(seen.map((one) => one.apiVersion)).toEqual(['autoscaling/v1', 'autoscaling/v1'])
    expect(seen[1]).toMatchObject({ spec: { targetCPUUtilizationPercentage: 33 } })
    const { items } = await cluster.client.list(v1)
    expect(items[0]).toEqual(seen[1])
  })

  test('keeps owners apart across versions: a conflict and a hand-over are seen', async () => {
    const config = (percent: number) => ({
      ...v1.example,
      spec: { ...v1.example.spec, targetCPUUtilizationPercentage: percent },
    })
    await cluster.client.apply(v1, config(50), { fieldManager: 'old' })
    const two: HorizontalPodAutoscaler = { ...v2.example, spec: { ...v2.example.spec, metrics: [cpu(70)] } }
    await expect(cluster.client.apply(v2, two, { fieldManager: 'new' })).rejects.toMatchObject({
      reason: 'Conflict',
      message: expect.stringContaining('conflict with "old": .spec.targetCPUUtilizationPercentage'),
    })
    const applied = await cluster.client.apply(v2, two, { fieldManager: 'new', force: true })
    const fields = Object.fromEntries(
      applied.metadata.managedFields?.map(({ manager, apiVersion, fieldsV1 }) => [
        `${manager} ${apiVersion}`,
        Object.keys((fieldsV1 as Record<string, Record<string, object>>)['f:spec'] ?? {}),
      ]) ?? [],
    )
    expect(fields['old autoscaling/v1']).not.toContain('f:targetCPUUtilizationPercentage')
    expect(fields['new autoscaling/v2']).toContain('f:metrics')
    // The same applier in the other version drops what it does not say any more.
    await cluster.client.apply(v2, two, { fieldManager: 'old', force: true })
    const { minReplicas: _, ...spec } = two.spec
    const moved = await cluster.client.apply(v2, { ...two, spec }, { fieldManager: 'old' })
    expect(moved.metadata.managedFields?.map((entry) => `${entry.manager} ${entry.apiVersion}`)).toEqual([
      'new autoscaling/v2',
      'old autoscaling/v2',
    ])
  })
})

describe('Events', () => {
  test('of either group are the same, and selected by its own words', async () => {
    await cluster.client.create(event, event.example)
    await cluster.client.create(newEvent, newEvent.example)
    const { items } = await cluster.client.list(newEvent, { fieldSelector: 'regarding.name=web' })
    expect(items.map(({ apiVersion, note }) => [apiVersion, note])).toEqual([
      ['events.k8s.io/v1', 'Started container app'],
      ['events.k8s.io/v1', 'Started container app'],
    ])
    const old = await cluster.client.list(event, { fieldSelector: 'involvedObject.name=web' })
    expect(old.items.map(({ message }) => message)).toEqual([
      'Started container app',
      'Started container app',
    ])
  })

  test('of the newer group say who reports them', async () => {
    const { reportingController: _, ...anonymous } = newEvent.example
    await expect(cluster.client.create(newEvent, anonymous)).rejects.toMatchObject({
      message: 'Event.events.k8s.io "web.2" is invalid: reportingController: Required value',
    })
  })
})
