import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { type IPAddress, ipAddress } from '../api/kinds/ip-address.ts'
import { service } from '../api/kinds/service.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

let cluster: TestCluster
let running: Running
const IP = '10.96.0.99'
beforeEach(async () => {
  cluster = await createTestCluster()
  const options = { informers: cluster.informers, kinds: () => kinds }
  running = startControllers(cluster.env, cluster.client, options)
  await cluster.client.create(service, make.service({ spec: { clusterIP: IP } }))
  await cluster.clock.run(1000)
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

const told = async () => {
  await cluster.clock.run(5000)
  return (await cluster.client.list(event)).items
    .filter(({ involvedObject }) => involvedObject.kind === 'Service' && involvedObject.name === 'web')
    .map(({ reason, message }) => `${reason}: ${message}`)
}
const found = () => cluster.client.get<IPAddress>(ipAddress, { name: IP })
describe('The IPAddress of a Service', () => {
  test('is made without a word', async () => {
    expect((await found()).spec.parentRef).toMatchObject({ resource: 'services', name: 'web' })
    expect(await told()).toEqual([])
  })

  test('comes back when somebody deletes it, and that is said', async () => {
    await cluster.client.delete(ipAddress, { name: IP })
    expect(await told()).toEqual([
      'ClusterIPNotAllocated: Cluster IP [IPv4]: 10.96.0.99 is not allocated; repairing',
    ])
    expect((await found()).spec.parentRef.name).toBe('web')
  })

  test('is put right when its labels are not', async () => {
    const labels = { 'ipaddress.kubernetes.io/managed-by': null }
    await cluster.client.patch(ipAddress, { name: IP }, 'merge', { metadata: { labels } })
    expect(await told()).toEqual([
      'IPAddressNotAllocated: IPAddress: 10.96.0.99 for Service default/web has corrupted labels; cleaning up',
    ])
    expect((await found()).metadata.labels?.['ipaddress.kubernetes.io/managed-by']).toBe('ipallocator.k8s.io')
  })

  test('goes with it', async () => {
    await cluster.client.delete(service, { namespace: 'default', name: 'web' })
    await cluster.clock.run(1000)
    await expect(found()).rejects.toMatchObject({ reason: 'NotFound' })
  })
})

test('What claims to be the address of a Service that is not there goes', async () => {
  const labels = { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' }
  await cluster.client.create(ipAddress, {
    ...ipAddress.example,
    metadata: { name: '10.96.0.77', labels },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'nobody' } },
  })
  await cluster.clock.run(1000)
  await expect(cluster.client.get(ipAddress, { name: '10.96.0.77' })).rejects.toMatchObject({
    reason: 'NotFound',
  })
})

test('An address that is held for something else is not given to a Service', async () => {
  await cluster.client.create(ipAddress, {
    ...ipAddress.example,
    metadata: { name: '10.96.0.78' },
    spec: { parentRef: { group: 'example.org', resource: 'gateways', namespace: 'default', name: 'edge' } },
  })
  const wanted = make.service({ metadata: { name: 'late' }, spec: { clusterIP: '10.96.0.78' } })
  await expect(cluster.client.create(service, wanted)).rejects.toThrow('provided IP is already allocated')
})
