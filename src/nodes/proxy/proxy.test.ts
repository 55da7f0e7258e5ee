import { expect, test } from 'vitest'
import { createTestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { endpointSlice } from '../../api/kinds/endpoint-slice.ts'
import { service } from '../../api/kinds/service.ts'
import { ServiceProxy } from './proxy.ts'

test('The proxy follows Services and their slices, once a second at most', async () => {
  const { client, clock, env, informers, close } = await createTestCluster()
  const proxy = new ServiceProxy(env, informers)
  proxy.start()
  await informers.synced()
  const ports = [{ port: 80, targetPort: 8080, nodePort: 30080 }]
  const { spec } = await client.create(service, make.service({ spec: { type: 'NodePort', ports } }))
  const address = spec.clusterIP ?? ''
  await client.create(endpointSlice, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080 }],
    endpoints: [{ addresses: ['10.244.0.2'], nodeName: 'a', conditions: { ready: true } }],
  })
  await clock.run(500)
  expect(proxy.rules).toEqual([])
  await clock.run(1000)
  expect(proxy.rules.map(({ name, backends }) => [name, backends.map(({ address }) => address)])).toEqual([
    ['default/web', ['10.244.0.2:8080']],
  ])
  expect(proxy.resolve('b', { address, port: 80 })).toEqual(['10.244.0.2:8080'])
  expect(proxy.resolve('b', { port: 30080 })).toEqual(['10.244.0.2:8080'])
  expect(proxy.resolve('b', { address, port: 81 })).toBeUndefined()
  expect(proxy.resolve('b', { address, port: 80, protocol: 'UDP' })).toBeUndefined()
  await client.delete(service, { namespace: 'default', name: 'web' })
  await clock.run(1500)
  expect(proxy.rules).toEqual([])
  proxy.stop()
  await close()
})
