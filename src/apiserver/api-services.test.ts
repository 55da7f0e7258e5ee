import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { apiService } from '../api/kinds/api-service.ts'
import { customResourceDefinition } from '../api/kinds/custom-resource-definition.ts'
import { startApiServices } from './api-services.ts'

let cluster: TestCluster
let services: { stop(): Promise<void> }
beforeEach(async () => {
  cluster = await createTestCluster()
  services = startApiServices(cluster.registry)
  await cluster.clock.run(10)
})
afterEach(async () => {
  await services.stop()
  await cluster.close()
})

const cells = async () =>
  Object.fromEntries(
    (await cluster.client.list(apiService)).items.map((service) => [
      service.metadata.name,
      apiService.columns.slice(1, 3).map((column) => column.value(service, 0)),
    ]),
  )

describe('APIServices', () => {
  test('are there for every group version that is served', async () => {
    expect(await cells()).toMatchObject({
      'v1.': ['Local', 'True'],
      'v1.apps': ['Local', 'True'],
      'v2.autoscaling': ['Local', 'True'],
    })
  })

  test('come and go with custom resources', async () => {
    await cluster.client.create(customResourceDefinition, customResourceDefinition.example)
    await cluster.clock.run(10)
    expect(await cells()).toMatchObject({ 'v1.example.com': ['Local', 'True'] })
    await cluster.client.delete(customResourceDefinition, { name: 'widgets.example.com' })
    await cluster.clock.run(2000)
    expect(await cells()).not.toHaveProperty(['v1.example.com'])
  })

  test('come back when they are deleted, and then nothing is written any more', async () => {
    await cluster.client.delete(apiService, { name: 'v1.apps' })
    await cluster.clock.run(10)
    expect(await cells()).toHaveProperty(['v1.apps'])
    const { revision } = cluster.store
    await cluster.clock.run(60_000)
    expect(cluster.store.revision).toBe(revision)
  })

  test('of other servers say that they are not asked', async () => {
    await cluster.client.create(apiService, {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.custom.metrics.k8s.io' },
      spec: {
        group: 'custom.metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'adapter', namespace: 'monitoring' },
      },
    })
    await cluster.clock.run(10)
    expect(await cells()).toMatchObject({
      'v1beta1.custom.metrics.k8s.io': ['monitoring/adapter', 'False (FailedDiscoveryCheck)'],
    })
  })

  test.each<[string, object, string]>([
    [
      'another name',
      { version: 'v2' },
      'metadata.name: Invalid value: "v1.example.com": must be `spec.version+"."+spec.group`: "v2.example.com"',
    ],
    [
      'no priority',
      { versionPriority: 0 },
      'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
    ],
  ])('with %s are refused', async (_, spec, message) => {
    const { example } = apiService
    await expect(
      cluster.client.create(apiService, { ...example, spec: { ...example.spec, ...spec } }),
    ).rejects.toThrow(message)
  })
})
