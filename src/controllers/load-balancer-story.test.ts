import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { loadBalancerPool } from '../api/kinds/load-balancer-pool.ts'
import { service } from '../api/kinds/service.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

let cluster: TestCluster
let running: Running
beforeEach(async () => {
  cluster = await createTestCluster()
  running = startControllers(cluster.env, cluster.client, {
    informers: cluster.informers,
    kinds: () => kinds,
  })
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

const create = (name: string, spec: object = {}) =>
  cluster.client.create(
    service,
    make.service({ metadata: { name }, spec: { type: 'LoadBalancer', ...spec } }),
  )
const get = (name: string) => cluster.client.get(service, { namespace: 'default', name })
const ingress = async (name: string) => (await get(name)).status?.loadBalancer?.ingress
const pool = (...cidrs: string[]) =>
  cluster.client.create(loadBalancerPool, {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'LoadBalancerPool',
    metadata: { name: 'public' },
    spec: { cidrs },
  })
const reasons = async () =>
  (await cluster.client.list(event)).items
    .filter(({ involvedObject }) => involvedObject.kind === 'Service')
    .map(({ reason }) => reason)

describe('Services of type LoadBalancer', () => {
  test('get addresses of their own, and events that say so', async () => {
    await Promise.all(['a', 'b', 'c'].map((name) => create(name)))
    await cluster.clock.run(1000)
    const ips = (await Promise.all(['a', 'b', 'c'].map(ingress))).flatMap((each) => each?.map(({ ip }) => ip))
    expect(ips.toSorted()).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3'])
    expect(await ingress('a')).toEqual([{ ip: expect.any(String), ipMode: 'VIP' }])
    await cluster.clock.run(10_000)
    expect(await reasons()).toEqual(expect.arrayContaining(['EnsuringLoadBalancer', 'EnsuredLoadBalancer']))
  })

  test('are told when the declared pools are used up, and get one when there is more', async () => {
    await pool('198.51.100.7/32')
    await cluster.clock.run(100)
    await create('first')
    await create('second')
    await cluster.clock.run(10_000)
    const found = [await ingress('first'), await ingress('second')]
    expect(found.filter(Boolean)).toEqual([[{ ip: '198.51.100.7', ipMode: 'VIP' }]])
    expect(await reasons()).toContain('SyncLoadBalancerFailed')
    const declared = await cluster.client.get(loadBalancerPool, { name: 'public' })
    await cluster.client.update(loadBalancerPool, { ...declared, spec: { cidrs: ['198.51.100.0/24'] } })
    await cluster.clock.run(1000)
    expect(await ingress('second')).toBeDefined()
    expect(await ingress('second')).not.toEqual(await ingress('first'))
  })

  test('give their address back when they stop to be one, or are deleted', async () => {
    await create('a')
    await cluster.clock.run(1000)
    const made = await get('a')
    await cluster.client.update(service, { ...made, spec: { ...made.spec, type: 'ClusterIP' } })
    await cluster.clock.run(1000)
    expect(await reasons()).toContain('Type')
    expect(await ingress('a')).toBeUndefined()
    expect((await get('a')).metadata.finalizers ?? []).toEqual([])
    await create('b')
    await cluster.clock.run(1000)
    expect((await ingress('b'))?.[0]?.ip).toBe('192.0.2.1')
    await cluster.client.delete(service, { namespace: 'default', name: 'b' })
    await cluster.clock.run(1000)
    await expect(get('b')).rejects.toMatchObject({ reason: 'NotFound' })
  })

  test('of another class are left to it', async () => {
    await create('theirs', { loadBalancerClass: 'example.org/metal' })
    await cluster.clock.run(5000)
    expect(await ingress('theirs')).toBeUndefined()
  })
})
