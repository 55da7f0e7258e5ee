import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { type ConfigMap, configMap } from '../../api/kinds/config-map.ts'
import { deployment } from '../../api/kinds/deployment.ts'
import { node } from '../../api/kinds/node.ts'
import { pod } from '../../api/kinds/pod.ts'
import { KindTable } from '../kind-table.ts'
import { LocalClient } from '../local-client.ts'
import { Registry } from '../registry.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())

describe('Create', () => {
  test('gives identity of its own, whatever was sent', async () => {
    const made = await cluster.client.create(
      configMap,
      make.configMap({
        metadata: {
          uid: 'mine',
          generation: 9,
          creationTimestamp: '2001-01-01T00:00:00Z',
          deletionTimestamp: '2001-01-01T00:00:00Z',
          deletionGracePeriodSeconds: 5,
          selfLink: '/x',
        },
      }),
    )
    expect(Object.keys(made.metadata).sort()).toEqual([
      'creationTimestamp',
      'managedFields',
      'name',
      'namespace',
      'resourceVersion',
      'uid',
    ])
    expect(made.metadata).toMatchObject({ creationTimestamp: '2030-01-01T00:00:00Z' })
    expect(made.metadata.uid).not.toBe('mine')
  })

  test('refuses a resourceVersion', async () =>
    expect(
      cluster.client.create(configMap, make.configMap({ metadata: { resourceVersion: '5' } })),
    ).rejects.toThrow('resourceVersion should not be set on objects to be created'))

  test('drops a status that has its own door', async () => {
    const made = await cluster.client.create(
      pod,
      make.pod({ status: { phase: 'Running', podIP: '10.0.0.1' } }),
    )
    expect(made.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' })
  })

  test.each([
    ['Deployment', 1, () => cluster.client.create(deployment, make.deployment())],
    ['Pod', 1, () => cluster.client.create(pod, make.pod())],
    ['ConfigMap', undefined, () => cluster.client.create(configMap, make.configMap())],
    ['Node', undefined, () => cluster.client.create(node, make.node())],
  ])('of a %s begins with generation %s', async (_, generation, create) =>
    expect((await create()).metadata.generation).toBe(generation),
  )

  test('says whose the fields are', async () => {
    const made = await cluster.client.as('kubectl-create').create(configMap, make.configMap())
    expect(made.metadata.managedFields).toEqual([
      {
        manager: 'kubectl-create',
        operation: 'Update',
        apiVersion: 'v1',
        time: '2030-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { '.': {}, 'f:color': {} } },
      },
    ])
  })

  test('takes the namespace of an object that names none as "default"', async () => {
    const made = await cluster.client.create(configMap, {
      ...make.configMap(),
      metadata: { name: 'settings' },
    })
    expect(made.metadata.namespace).toBe('default')
  })

  test('gives up after eight generated names that are all taken, and says so', async () => {
    const { env, store } = cluster
    const stuck = { ...env, random: { ...env.random, suffix: () => 'bbbbb' } }
    const client = new LocalClient(new Registry(stuck, store, new KindTable([configMap]), []))
    const wanted = {
      ...make.configMap(),
      metadata: { namespace: 'default', generateName: 'drawn-' },
    } as unknown as ConfigMap
    await client.create(configMap, wanted)
    await expect(client.create(configMap, wanted)).rejects.toMatchObject({
      reason: 'AlreadyExists',
      message:
        'configmaps "drawn-bbbbb" already exists, the server was not able to generate a unique name for the object',
      details: { name: 'drawn-bbbbb', kind: 'configmaps', retryAfterSeconds: 1 },
    })
  })

  test('of a dry run judges everything and writes nothing', async () => {
    const before = cluster.store.revision
    const made = await cluster.client.create(configMap, make.configMap(), { dryRun: true })
    expect(made.metadata).not.toHaveProperty('resourceVersion')
    expect(cluster.store.revision).toBe(before)
    await cluster.client.create(configMap, make.configMap())
    await expect(cluster.client.create(configMap, make.configMap(), { dryRun: true })).rejects.toMatchObject({
      reason: 'AlreadyExists',
    })
  })

  test.each([
    ['another kind', { kind: 'Secret' }, 'must be of type ConfigMap'],
    [
      'another version',
      { apiVersion: 'v2' },
      'the API version in the data (v2) does not match the expected API version (v1)',
    ],
  ])('refuses a body of %s', async (_, wrong, message) =>
    expect(cluster.client.create(configMap, { ...make.configMap(), ...wrong })).rejects.toMatchObject({
      reason: 'BadRequest',
      message: expect.stringContaining(message),
    }),
  )

  test.each<['Warn' | 'Ignore']>([['Warn'], ['Ignore']])(
    'drops unknown fields with %s',
    async (fieldValidation) => {
      const made = await cluster.client.create(configMap, { ...make.configMap(), bogus: 1 } as ConfigMap, {
        fieldValidation,
      })
      expect(made).not.toHaveProperty('bogus')
    },
  )
})
