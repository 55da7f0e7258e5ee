import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { kinds } from '../api/kinds/index.ts'
import { ingress } from '../api/kinds/ingress.ts'
import { type IngressClass, ingressClass } from '../api/kinds/ingress-class.ts'
import { service } from '../api/kinds/service.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

let cluster: TestCluster
let running: Running
beforeEach(async () => {
  cluster = await createTestCluster()
  const options = { informers: cluster.informers, kinds: () => kinds }
  running = startControllers(cluster.env, cluster.client, options)
  await cluster.clock.run(1000)
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

const addClass = (name: string, controller: string, annotations: Record<string, string> = {}) =>
  cluster.client.create<IngressClass>(ingressClass, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name, annotations },
    spec: { controller },
  })
const addIngress = async (name: string, ingressClassName: string) => {
  const { example } = ingress
  await cluster.client.create(ingress, {
    ...example,
    metadata: { name, namespace: 'default' },
    spec: { ...example.spec, ingressClassName },
  })
  await cluster.clock.run(1000)
}
const addresses = async (name: string) =>
  (await cluster.client.get(ingress, { namespace: 'default', name })).status?.loadBalancer?.ingress

test('All Ingresses of a class share its entrance, which no other Service has', async () => {
  await addClass('web', 'seamark.dev/ingress')
  await cluster.client.create(
    service,
    make.service({ metadata: { name: 'other' }, spec: { type: 'LoadBalancer' } }),
  )
  await addIngress('a', 'web')
  await addIngress('b', 'web')
  const other = await cluster.client.get(service, { namespace: 'default', name: 'other' })
  const [taken] = other.status?.loadBalancer?.ingress ?? []
  expect(await addresses('a')).toEqual([{ ip: expect.stringMatching(/^192\.0\.2\./) }])
  expect(await addresses('b')).toEqual(await addresses('a'))
  expect(await addresses('a')).not.toEqual([{ ip: taken?.ip }])
})

test('A class of somebody else is theirs, unless it is to be served here', async () => {
  const nginx = await addClass('nginx', 'k8s.io/ingress-nginx')
  await addIngress('a', 'nginx')
  expect(await addresses('a')).toBeUndefined()
  const annotations = { 'seamark.dev/serve-ingress': 'true' }
  const served = { ...nginx, metadata: { ...nginx.metadata, annotations } }
  const updated = await cluster.client.update(ingressClass, served)
  await cluster.clock.run(1000)
  expect(await addresses('a')).toEqual([{ ip: '192.0.2.1' }])
  await cluster.client.update(ingressClass, {
    ...updated,
    metadata: { ...updated.metadata, annotations: {} },
  })
  await cluster.clock.run(5000)
  const { items } = await cluster.client.list(service, { namespace: 'kube-system' })
  expect(items).toEqual([])
})

test('An entrance that is deleted comes back, and one of a class that is gone does not', async () => {
  await addClass('web', 'seamark.dev/ingress')
  await addIngress('a', 'web')
  const list = async () => (await cluster.client.list(service, { namespace: 'kube-system' })).items
  const [first] = await list()
  await cluster.client.delete(service, { namespace: 'kube-system', name: first?.metadata.name ?? '' })
  await cluster.clock.run(5000)
  expect((await list()).map(({ metadata }) => metadata.uid)).not.toEqual([first?.metadata.uid])
  expect(await addresses('a')).toEqual([{ ip: '192.0.2.1' }])
  await cluster.client.delete(ingressClass, { name: 'web' })
  await cluster.clock.run(10_000)
  expect(await list()).toEqual([])
})
