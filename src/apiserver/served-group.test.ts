import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SecuredCluster, startSecuredCluster } from '../../test/support/secured-cluster.ts'
import { type SimulatedMetric, simulatedMetric } from '../api/kinds/simulated-metric.ts'
import { customMetric, externalMetric } from '../api/metric-values.ts'
import { HttpClient } from '../client/http-client.ts'

const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1'
const CUSTOM = '/apis/custom.metrics.k8s.io'

let cluster: SecuredCluster
beforeAll(async () => {
  cluster = await startSecuredCluster()
  const declare = (name: string, spec: SimulatedMetric['spec']) =>
    cluster.client.create(simulatedMetric, {
      apiVersion: 'seamark.dev/v1alpha1',
      kind: 'SimulatedMetric',
      metadata: { name, namespace: 'default' },
      spec,
    })
  const describedObject = { kind: 'Service', name: 'web' }
  await declare('orders', { metric: 'queue', labels: { of: 'orders' }, value: '30' })
  await declare('mails', { metric: 'queue', labels: { of: 'mails' }, value: '1500m' })
  await declare('gets', { metric: 'rps', labels: { verb: 'GET' }, describedObject, value: '5' })
  await declare('puts', { metric: 'rps', labels: { verb: 'PUT' }, describedObject, value: '2' })
})
afterAll(() => cluster.close())

test('Metrics are read over HTTP as an adapter writes them', async () => {
  const path = `${EXTERNAL}/namespaces/default/queue?labelSelector=of%3Dmails`
  const { code, body } = await cluster.ask('GET', path)
  expect(code).toBe(200)
  expect(body).toEqual({
    kind: 'ExternalMetricValueList',
    apiVersion: 'external.metrics.k8s.io/v1beta1',
    metadata: {},
    items: [
      {
        metricName: 'queue',
        metricLabels: { of: 'mails' },
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        value: '1500m',
      },
    ],
  })
  const old = `${CUSTOM}/v1beta1/namespaces/default/services/web/rps?metricLabelSelector=verb%3DGET`
  expect((await cluster.ask('GET', old)).body.items).toEqual([
    {
      describedObject: { kind: 'Service', namespace: 'default', name: 'web', apiVersion: 'v1' },
      metricName: 'rps',
      timestamp: expect.any(String),
      value: '5',
      selector: null,
    },
  ])
})

test.each([
  ['POST', `${EXTERNAL}/namespaces/default/queue`, 405, 'the server does not allow this method on'],
  ['GET', '/apis/external.metrics.k8s.io/v2/namespaces/default/queue', 404, 'the server could not find the'],
  [
    'GET',
    `${CUSTOM}/v1beta2/namespaces/default/services/web`,
    404,
    'the server could not find the requested',
  ],
  [
    'GET',
    `${CUSTOM}/v1beta2/namespaces/default/nothings/web/rps`,
    404,
    'the server could not find the requested',
  ],
  [
    'GET',
    `${CUSTOM}/v1beta2/namespaces/default/services/api/rps`,
    404,
    'the server could not find the metric rps for services api',
  ],
])('%s of %s is answered %i', async (method, path, code, message) => {
  const answer = await cluster.ask(method, path, { ...(method === 'POST' ? { body: {} } : {}) })
  expect(answer.code).toBe(code)
  expect(answer.body.message).toContain(message)
})

test('Whoever has no right to a metric is told which', async () => {
  const headers = { 'impersonate-user': 'jane' }
  const { code, body } = await cluster.ask('GET', `${EXTERNAL}/namespaces/default/queue`, { headers })
  expect(code).toBe(403)
  expect(body.message).toContain(
    'User "jane" cannot list resource "queue" in API group "external.metrics.k8s.io" in the namespace "default"',
  )
})

test('A client outside reads them like one inside', async () => {
  const outside = new HttpClient(cluster.connection)
  const options = { namespace: 'default', metricLabelSelector: 'verb=PUT' }
  for (const client of [cluster.client, outside]) {
    const { items } = await client.list(customMetric('services', 'web', 'rps'), options)
    expect(items.map(({ value }) => value)).toEqual(['2'])
    const { items: all } = await client.list(externalMetric('queue'), { namespace: 'default' })
    expect(all.map(({ value }) => value).sort()).toEqual(['1500m', '30'])
  }
  outside.close()
})
