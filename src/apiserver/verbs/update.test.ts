import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import { type Deployment, deployment } from '../../api/kinds/deployment.ts'
import { type Pod, pod } from '../../api/kinds/pod.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())
const web = { namespace: 'default', name: 'web' }
const settings = { namespace: 'default', name: 'settings' }

describe('Update', () => {
  test('keeps identity and deletion, whatever was sent', async () => {
    const made = await cluster.client.create(
      configMap,
      make.configMap({ metadata: { finalizers: ['example.com/hold'] } }),
    )
    const going = await cluster.client.delete(configMap, settings)
    const { deletionTimestamp: _, uid: _uid, ...metadata } = going.metadata
    const updated = await cluster.client.update(configMap, {
      ...going,
      metadata: { ...metadata, creationTimestamp: '2001-01-01T00:00:00Z', labels: { a: 'b' } },
    })
    expect(updated.metadata).toMatchObject({
      uid: made.metadata.uid,
      creationTimestamp: made.metadata.creationTimestamp,
      deletionTimestamp: going.metadata.deletionTimestamp,
      labels: { a: 'b' },
    })
  })

  test('adds no finalizer to what is being deleted, and takes one away', async () => {
    await cluster.client.create(
      configMap,
      make.configMap({ metadata: { finalizers: ['example.com/a', 'example.com/b'] } }),
    )
    await cluster.client.delete(configMap, settings)
    const finalizers = (names: string[]) =>
      cluster.client.patch(configMap, settings, 'merge', { metadata: { finalizers: names } })
    await expect(finalizers(['example.com/a', 'example.com/z', 'example.com/c'])).rejects.toMatchObject({
      reason: 'Invalid',
      message:
        'ConfigMap "settings" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/c", "example.com/z"}',
    })
    expect((await finalizers(['example.com/b'])).metadata.finalizers).toEqual(['example.com/b'])
  })

  test.each([
    ['an old revision', { resourceVersion: '1' }, 'the object has been modified'],
    [
      'the UID of another',
      { uid: 'other' },
      'Precondition failed: UID in precondition: other, UID in object meta: ',
    ],
  ])('of %s is a Conflict', async (_, metadata, message) => {
    await cluster.client.create(configMap, make.configMap())
    await expect(cluster.client.update(configMap, make.configMap({ metadata }))).rejects.toMatchObject({
      reason: 'Conflict',
      message: expect.stringContaining(message),
    })
  })

  test.each([undefined, '', '0'])('with resourceVersion %j is unconditional', async (resourceVersion) => {
    await cluster.client.create(configMap, make.configMap())
    const wanted = make.configMap({ metadata: { resourceVersion: resourceVersion as string } })
    expect((await cluster.client.update(configMap, { ...wanted, data: { a: 'b' } })).data).toEqual({ a: 'b' })
  })

  test('of what is not there is NotFound', async () =>
    expect(cluster.client.update(configMap, make.configMap())).rejects.toMatchObject({ reason: 'NotFound' }))

  test('of a dry run answers with what would be, at the revision that is', async () => {
    const made = await cluster.client.create(configMap, make.configMap())
    const before = cluster.store.revision
    const would = await cluster.client.update(configMap, { ...made, data: { a: 'b' } }, { dryRun: true })
    expect([would.data, would.metadata.resourceVersion]).toEqual([{ a: 'b' }, made.metadata.resourceVersion])
    expect([cluster.store.revision, await cluster.client.get(configMap, settings)]).toEqual([before, made])
  })
})

describe('The generation', () => {
  const generation = async () => (await cluster.client.get(deployment, web)).metadata.generation
  beforeEach(async () => {
    await cluster.client.create(deployment, make.deployment())
  })
  test.each<[string, object, number]>([
    ['a label', { metadata: { labels: { a: 'b' } } }, 1],
    ['an annotation of a Deployment', { metadata: { annotations: { a: 'b' } } }, 2],
    ['the spec', { spec: { replicas: 5 } }, 2],
    ['the same spec', { spec: { replicas: 3 } }, 1],
    ['a default written out', { spec: { revisionHistoryLimit: 10 } }, 1],
  ])('after a change of %s', async (_, patch, wanted) => {
    await cluster.client.patch(deployment, web, 'merge', patch)
    expect(await generation()).toBe(wanted)
  })
  test('grows with a scale, not with a status', async () => {
    await cluster.client.update(deployment, { ...make.deployment(), spec: { replicas: 5 } } as Deployment, {
      subresource: 'scale',
    })
    await cluster.client.patch(
      deployment,
      web,
      'merge',
      { status: { replicas: 5 } },
      { subresource: 'status' },
    )
    expect(await generation()).toBe(2)
  })
  test('grows when deletion begins', async () => {
    await cluster.client.patch(deployment, web, 'merge', { metadata: { finalizers: ['example.com/hold'] } })
    expect((await cluster.client.delete(deployment, web)).metadata.generation).toBe(2)
  })
  test('of a pod does not grow with its binding', async () => {
    await cluster.client.create(pod, make.pod())
    await cluster.client.createSubresource(pod, web, 'binding', { target: { kind: 'Node', name: 'a' } })
    expect((await cluster.client.get(pod, web)).metadata.generation).toBe(1)
  })
})

describe('Field ownership', () => {
  test('tells the doors apart', async () => {
    await cluster.client.as('kubectl-create').create(deployment, make.deployment())
    await cluster.client
      .as('kubectl')
      .update(deployment, { ...make.deployment(), spec: { replicas: 5 } } as Deployment, {
        subresource: 'scale',
      })
    await cluster.client
      .as('controller')
      .patch(deployment, web, 'merge', { status: { replicas: 5 } }, { subresource: 'status' })
    const { metadata } = await cluster.client.get(deployment, web)
    const entries = metadata.managedFields?.map(({ manager, subresource = '', fieldsV1 }) => [
      manager,
      subresource,
      manager === 'kubectl-create' ? undefined : fieldsV1,
    ])
    expect(entries).toEqual([
      ['controller', 'status', { 'f:status': { 'f:replicas': {} } }],
      ['kubectl', 'scale', { 'f:spec': { 'f:replicas': {} } }],
      ['kubectl-create', '', undefined],
    ])
  })
})

describe('Patch', () => {
  beforeEach(async () => {
    await cluster.client.create(configMap, make.configMap())
  })
  test('names the field it cannot know, and quotes itself', async () =>
    expect(cluster.client.patch(configMap, settings, 'merge', { bogus: 1 })).rejects.toMatchObject({
      reason: 'Invalid',
      message:
        ' "" is invalid: patch: Invalid value: "{\\"bogus\\":1}": strict decoding error: unknown field "bogus"',
    }))
  test('may not rename', async () =>
    expect(
      cluster.client.patch(configMap, settings, 'merge', { metadata: { name: 'other' } }),
    ).rejects.toMatchObject({
      reason: 'BadRequest',
      message: 'the name of the object (other) does not match the name on the URL (settings)',
    }))
  test.each<['json' | 'merge', unknown]>([
    ['json', [{ op: 'replace', path: '/metadata/resourceVersion', value: '1' }]],
    ['merge', { metadata: { resourceVersion: '1' }, data: { a: 'b' } }],
  ])('of type %s that names an old revision is a Conflict', async (type, patch) =>
    expect(cluster.client.patch(configMap, settings, type, patch)).rejects.toMatchObject({
      reason: 'Conflict',
    }),
  )
  test('that changes nothing writes nothing', async () => {
    const before = cluster.store.revision
    await cluster.client.patch(configMap, settings, 'merge', { data: { color: 'blue' } })
    expect(cluster.store.revision).toBe(before)
  })
})

describe('Apply', () => {
  const options = { fieldManager: 'git' }
  test('of an object with the UID of one that is gone creates nothing', async () =>
    expect(
      cluster.client.apply(configMap, make.configMap({ metadata: { uid: 'gone' } }), options),
    ).rejects.toMatchObject({
      reason: 'Conflict',
      message: expect.stringContaining(
        'uid mismatch: the provided object specified uid gone, and no existing object was found',
      ),
    }))
  test('creates once when many do it at the same time', async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => cluster.client.apply(configMap, make.configMap(), options)),
    )
    expect(new Set(made.map(({ metadata }) => metadata.uid)).size).toBe(1)
  })
  test('of a dry run writes nothing, new or not', async () => {
    const before = cluster.store.revision
    await cluster.client.apply(configMap, make.configMap(), { ...options, dryRun: true })
    expect(cluster.store.revision).toBe(before)
    const made = await cluster.client.apply(configMap, make.configMap(), options)
    const would = await cluster.client.apply(configMap, make.configMap({ data: { color: 'red' } }), {
      ...options,
      dryRun: true,
    })
    expect([would.data, would.metadata.resourceVersion]).toEqual([
      { color: 'red' },
      made.metadata.resourceVersion,
    ])
    expect(cluster.store.revision).toBe(before + 1)
  })
})

describe('Binding', () => {
  const bind = (body: object) => cluster.client.createSubresource(pod, web, 'binding', body)
  const node = { target: { kind: 'Node', name: 'a' } }
  test.each<[string, Partial<Pod['spec']>, object, string]>([
    [
      'a gated pod',
      { schedulingGates: [{ name: 'wait' }] },
      node,
      'pod web has non-empty .spec.schedulingGates',
    ],
    ['a pod of another UID', {}, { ...node, metadata: { uid: 'other' } }, 'UID in precondition: other'],
    ['to nothing', {}, {}, 'target.name: Required value'],
    [
      'to what is no node',
      {},
      { target: { kind: 'Pod', name: 'a' } },
      'target.kind: Unsupported value: "Pod"',
    ],
  ])('refuses %s', async (_, spec, body, message) => {
    await cluster.client.create(pod, make.pod({ spec }))
    await expect(bind(body)).rejects.toThrow(message)
  })
  test('clears why the pod was not scheduled', async () => {
    await cluster.client.create(pod, make.pod())
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' },
    ]
    await cluster.client.patch(
      pod,
      web,
      'merge',
      { status: { conditions, nominatedNodeName: 'a' } },
      { subresource: 'status' },
    )
    await bind(node)
    const { status } = await cluster.client.get(pod, web)
    expect(status?.conditions).toEqual([
      { type: 'PodScheduled', status: 'True', lastTransitionTime: expect.any(String), observedGeneration: 1 },
    ])
    expect(status).not.toHaveProperty('nominatedNodeName')
  })
  test('of one pod by two at once succeeds once', async () => {
    await cluster.client.create(pod, make.pod())
    const both = await Promise.allSettled([bind(node), bind({ target: { kind: 'Node', name: 'b' } })])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })
})
