import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import type { KindRef } from '../api/kind.ts'
import { configMap } from '../api/kinds/config-map.ts'
import { customResourceDefinition } from '../api/kinds/custom-resource-definition.ts'
import { kinds } from '../api/kinds/index.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { type ResourceQuota, resourceQuota } from '../api/kinds/resource-quota.ts'
import { compareQuantities } from '../api/quantity.ts'
import { totalUsage } from '../api/quota-usage.ts'
import { ApiError } from '../api/status.ts'
import type { Client } from '../client/client.ts'
import { EventRecorder } from '../client/events.ts'
import { resourceQuotaController } from './resource-quota.ts'
import { ControllerRunner } from './runner.ts'

const namespace = 'default'
const HARD = { pods: '4', 'requests.cpu': '2', 'count/configmaps': '3' }
const QUOTAS = ['first', 'second']

type Step = (client: Client) => Promise<unknown>
const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(name, fc.constantFrom('250m', '500m', '1', '3')).map(([of, cpu]) => (client: Client) => {
    const containers = [{ name: 'app', image: 'i', resources: { requests: { cpu } } }]
    return client.create(pod, make.pod({ metadata: { name: of }, spec: { containers } }))
  }),
  name.map((of) => (client: Client) => client.delete(pod, { namespace, name: of })),
  name.map((of) => (client: Client) => {
    const done = { status: { phase: 'Succeeded' } }
    return client.patch(pod, { namespace, name: of }, 'merge', done, { subresource: 'status' })
  }),
  name.map((of) => (client: Client) => client.create(configMap, make.configMap({ metadata: { name: of } }))),
  name.map((of) => (client: Client) => client.delete(configMap, { namespace, name: of })),
  fc.constantFrom('2', '6').map((pods) => (client: Client) => {
    const key = { namespace, name: 'first' }
    return client.patch(resourceQuota, key, 'merge', { spec: { hard: { pods } } })
  }),
)

async function usageOf(client: Client, quota: ResourceQuota) {
  const [pods, maps] = [await client.list<Pod>(pod), await client.list(configMap)]
  return totalUsage(quota, [
    ...pods.items.map((resource) => ({ kind: pod, resource })),
    ...maps.items.map((resource) => ({ kind: configMap, resource })),
  ])
}

test('Whatever happens at once, quotas are not exceeded by what is made, and in the end say what is used', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 8 }),
      fc.nat(),
      async (rounds, seed) => {
        const cluster = await createTestCluster({ seed })
        const { env, client, informers } = cluster
        const events = new EventRecorder(env, client, 'test')
        const runner = new ControllerRunner(
          { env, client, informers, events },
          resourceQuotaController(() => kinds),
        )
        try {
          for (const quota of QUOTAS)
            await client.create(resourceQuota, {
              ...resourceQuota.example,
              metadata: { namespace, name: quota },
              spec: { hard: HARD },
            })
          const started = runner.start()
          for (const steps of rounds) {
            const results = await Promise.allSettled(steps.map((each) => each(client)))
            for (const result of results)
              if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(ApiError)
            // The first one is made smaller and larger on the way; the second never changes and is never exceeded.
            const second = await client.get(resourceQuota, { namespace, name: 'second' })
            const used = await usageOf(client, second)
            for (const [resource, hard] of Object.entries(HARD))
              expect(compareQuantities(used[resource] ?? '0', hard)).toBeLessThanOrEqual(0)
            await cluster.clock.run(30)
          }
          await cluster.clock.run(5000)
          await started
          for (const each of QUOTAS) {
            const quota = await client.get(resourceQuota, { namespace, name: each })
            expect(quota.status).toEqual({ hard: quota.spec.hard, used: await usageOf(client, quota) })
          }
          const { revision } = cluster.store
          await cluster.clock.run(3_600_000)
          expect(cluster.store.revision).toBe(revision)
        } finally {
          await runner.stop()
          await cluster.close()
        }
      },
    ),
    { numRuns: 60 },
  ))

test('A quota of a kind that came after the start follows what is deleted', async () => {
  const cluster = await createTestCluster()
  const { env, client, informers, clock, registry } = cluster
  const events = new EventRecorder(env, client, 'test')
  const controller = resourceQuotaController(() => registry.kinds.list)
  const runner = new ControllerRunner({ env, client, informers, events }, controller)
  await runner.start()
  const schema = { openAPIV3Schema: { type: 'object' } }
  await client.create(customResourceDefinition, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'boats.sea.example' },
    spec: {
      group: 'sea.example',
      scope: 'Namespaced',
      names: { plural: 'boats', kind: 'Boat' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  } as never)
  await clock.run(5000)
  const hard = { 'count/boats.sea.example': '1' }
  await client.create(resourceQuota, {
    ...resourceQuota.example,
    metadata: { name: 'q', namespace },
    spec: { hard },
  })
  await clock.run(1000)
  const boats = registry.kinds.list.find(({ plural }) => plural === 'boats') as unknown as KindRef
  const boat = { apiVersion: 'sea.example/v1', kind: 'Boat', metadata: { name: 'ra', namespace } }
  await client.create(boats, boat)
  const used = async () => (await client.get(resourceQuota, { namespace, name: 'q' })).status?.used
  expect(await used()).toEqual({ 'count/boats.sea.example': '1' })
  await client.delete(boats, { namespace, name: 'ra' })
  await clock.run(6000)
  expect(await used()).toEqual({ 'count/boats.sea.example': '0' })
  await runner.stop()
  await cluster.close()
})
