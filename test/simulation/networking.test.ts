import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EndpointSlice } from '../../src/api/kinds/endpoint-slice.ts'
import { endpointSlice } from '../../src/api/kinds/endpoint-slice.ts'
import { endpoints } from '../../src/api/kinds/endpoints.ts'
import { kinds } from '../../src/api/kinds/index.ts'
import { ipAddress } from '../../src/api/kinds/ip-address.ts'
import { node } from '../../src/api/kinds/node.ts'
import { pod } from '../../src/api/kinds/pod.ts'
import { type Service, service } from '../../src/api/kinds/service.ts'
import { isPodReady } from '../../src/api/pods.ts'
import { ApiError } from '../../src/api/status.ts'
import { startControllers } from '../../src/controllers/index.ts'
import { createTestCluster, type TestCluster } from '../support/cluster.ts'
import { make } from '../support/make.ts'

/** Pods and Services of few names, so that they meet; slices and addresses that somebody meddles with. */
type Step =
  | { readonly do: 'pod'; readonly n: number; readonly app: string; readonly ready: boolean }
  | { readonly do: 'ready'; readonly n: number; readonly ready: boolean }
  | { readonly do: 'relabel'; readonly n: number; readonly app: string }
  | { readonly do: 'unpod'; readonly n: number }
  | { readonly do: 'service'; readonly app: string; readonly type: string; readonly byHand: boolean }
  | { readonly do: 'unservice'; readonly app: string }
  | { readonly do: 'hints'; readonly app: string; readonly mode: string }
  | { readonly do: 'meddle'; readonly with: number; readonly how: 'empty' | 'delete' | 'unlabel' }
  | { readonly do: 'restart' }

const app = fc.constantFrom('web', 'api', 'db')
const n = fc.nat(14)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pod' as const), n, app, ready: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ready' as const), n, ready: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('relabel' as const), n, app }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unpod' as const), n }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('service' as const),
      app,
      type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'),
      byHand: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unservice' as const), app }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('hints' as const),
      app,
      mode: fc.constantFrom('Auto', 'PreferSameZone', 'PreferSameNode', ''),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('meddle' as const),
      with: fc.nat(5),
      how: fc.constantFrom('empty' as const, 'delete' as const, 'unlabel' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
)

const start = (cluster: TestCluster) =>
  startControllers(cluster.env, cluster.client, { informers: cluster.informers, kinds: () => kinds })
const key = (name: string) => ({ namespace: 'default', name })
const byHand = ({ spec }: Service) => Object.keys(spec.selector ?? {}).length === 0

async function perform({ client }: TestCluster, step: Step): Promise<void> {
  if (step.do === 'pod') {
    const nodeName = `node-${step.n % 3}`
    await client.create(
      pod,
      make.pod({ metadata: { name: `p${step.n}`, labels: { app: step.app } }, spec: { nodeName } }),
    )
    await setReady(client, step.n, step.ready)
  } else if (step.do === 'ready') await setReady(client, step.n, step.ready)
  else if (step.do === 'relabel')
    await client.patch(pod, key(`p${step.n}`), 'merge', { metadata: { labels: { app: step.app } } })
  else if (step.do === 'unpod') await client.delete(pod, key(`p${step.n}`), { gracePeriodSeconds: 0 })
  else if (step.do === 'unservice') await client.delete(service, key(step.app))
  else if (step.do === 'service') {
    const { metadata, spec, ...rest } = make.service({ metadata: { name: step.app } })
    const { selector: _, ...plain } = spec
    const selected = step.byHand ? {} : { selector: { app: step.app } }
    await client.create(service, { ...rest, metadata, spec: { ...plain, ...selected, type: step.type } })
    if (step.byHand) await client.create(endpoints, { ...endpoints.example, metadata: key(step.app) })
  } else if (step.do === 'hints') {
    const isAuto = step.mode === 'Auto'
    await client.patch(service, key(step.app), 'merge', {
      metadata: { annotations: { 'service.kubernetes.io/topology-mode': isAuto ? 'Auto' : null } },
      spec: { trafficDistribution: isAuto || !step.mode ? null : step.mode },
    })
  } else if (step.do === 'meddle') {
    const { items } = await client.list(endpointSlice)
    const slice = items[step.with]
    if (!slice) return
    if (step.how === 'delete') await client.delete(endpointSlice, slice.metadata)
    else if (step.how === 'empty') await client.update(endpointSlice, { ...slice, endpoints: [] })
    else await client.update(endpointSlice, { ...slice, metadata: { ...slice.metadata, labels: {} } })
  }
}

async function setReady(client: TestCluster['client'], n: number, isReady: boolean): Promise<void> {
  const found = await client.get(pod, key(`p${n}`))
  const status = {
    phase: 'Running',
    podIP: `10.244.0.${n + 2}`,
    podIPs: [{ ip: `10.244.0.${n + 2}` }],
    conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
  }
  await client.update(pod, { ...found, status }, { subresource: 'status' })
}

/** What has to be found of each Service: its pods once each, ready as they are, and nothing of anybody else. */
async function expectRight({ client }: TestCluster): Promise<void> {
  const [services, pods, slices, addresses] = [
    (await client.list(service)).items.filter(({ metadata }) => metadata.namespace === 'default'),
    (await client.list(pod)).items,
    (await client.list(endpointSlice)).items,
    (await client.list(ipAddress)).items,
  ]
  const told = (of: readonly EndpointSlice[]) =>
    of
      .flatMap(({ endpoints: held = [] }) =>
        held.map((each) => `${each.addresses[0]} ${each.conditions?.ready}`),
      )
      .toSorted()
  const managed = slices.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'])
  for (const each of services.filter(({ metadata }) => metadata.name !== 'kubernetes')) {
    const { name } = each.metadata
    const own = managed.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
    const wanted = byHand(each)
      ? ['10.244.0.5 true']
      : pods
          .filter(({ metadata }) => metadata.labels?.['app'] === name)
          .map((one) => `${one.status?.podIP} ${isPodReady(one)}`)
          .toSorted()
    expect([name, told(own)]).toEqual([name, wanted])
    for (const { endpoints: held = [] } of own)
      for (const { conditions, hints } of held) if (hints) expect(conditions?.ready).toBe(true)
  }
  const names = new Set(services.map(({ metadata }) => metadata.name))
  for (const { metadata } of managed) expect(names).toContain(metadata.labels?.['kubernetes.io/service-name'])
  const ips = services.flatMap(({ spec }) => spec.clusterIPs ?? [])
  expect(new Set(ips).size).toBe(ips.length)
  expect(addresses.map(({ metadata }) => metadata.name).toSorted()).toEqual(ips.toSorted())
  const outside = services.flatMap(({ status }) => status?.loadBalancer?.ingress?.map(({ ip }) => ip) ?? [])
  expect(new Set(outside).size).toBe(outside.length)
  const nodePorts = services.flatMap(
    ({ spec }) => spec.ports?.flatMap(({ nodePort }) => nodePort ?? []) ?? [],
  )
  expect(new Set(nodePorts).size).toBe(nodePorts.length)
}

describe('Services', () => {
  test('lead to their pods and to nobody else, whatever is done to pods, Services and slices, and then rest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.array(step, { minLength: 5, maxLength: 40 }), async (seed, steps) => {
        const cluster = await createTestCluster({ seed })
        let running = start(cluster)
        for (const i of [0, 1, 2]) {
          const labels = { 'topology.kubernetes.io/zone': `zone-${i % 2}` }
          const wanted = make.node({ metadata: { name: `node-${i}`, labels } })
          const made = await cluster.client.create(node, wanted)
          await cluster.client.update(node, { ...made, status: wanted.status }, { subresource: 'status' })
        }
        await cluster.clock.run(500)
        for (const each of steps) {
          if (each.do === 'restart') {
            await running.stop()
            running = start(cluster)
          }
          try {
            await perform(cluster, each)
          } catch (error) {
            // There is such a pod or Service, or there is none.
            if (!(error instanceof ApiError)) throw error
          }
          await cluster.clock.run(each.do === 'pod' ? 1 : 50)
        }
        await cluster.clock.run(20_000)
        await expectRight(cluster)
        const before = cluster.store.revision
        await cluster.clock.run(10_000)
        expect(cluster.store.revision - before).toBe(0)
        await running.stop()
        await cluster.close()
      }),
      { numRuns: 100 },
    )
  })
})
