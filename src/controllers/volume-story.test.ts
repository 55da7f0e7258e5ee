import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { type PersistentVolume, persistentVolume } from '../api/kinds/persistent-volume.ts'
import { type PersistentVolumeClaim, persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { pod } from '../api/kinds/pod.ts'
import { type StorageClass, storageClass } from '../api/kinds/storage-class.ts'
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
  await cluster.clock.run(1000)
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

const DATA = { namespace: 'default', name: 'data' }
const claim = () => cluster.client.get(persistentVolumeClaim, DATA)
const classes = async () => (await cluster.client.list(storageClass)).items
const volumes = async () => (await cluster.client.list(persistentVolume)).items
const shown = async () =>
  (await volumes()).map(({ spec, status }) => `${spec.capacity?.['storage']} ${status?.phase}`)
const told = async () => {
  const { items } = await cluster.client.list(event)
  return items
    .filter(({ involvedObject }) => involvedObject.name === 'data')
    .map(({ reason, message }) => `${reason}: ${message}`)
}
const createClaim = (spec: Partial<PersistentVolumeClaim['spec']> = {}) =>
  cluster.client.create(persistentVolumeClaim, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  })
const createClass = (name: string, more: Partial<StorageClass> = {}, isDefault = false) =>
  cluster.client.create(storageClass, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name,
      annotations: isDefault ? { 'storageclass.kubernetes.io/is-default-class': 'true' } : {},
    },
    provisioner: 'csi.example.com',
    ...more,
  })
const createVolume = (spec: Partial<PersistentVolume['spec']>) =>
  cluster.client.create(persistentVolume, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec },
  } as PersistentVolume)
const ask = async (storage: string) => {
  const found = await claim()
  await cluster.client.update(persistentVolumeClaim, {
    ...found,
    spec: { ...found.spec, resources: { requests: { storage } } },
  })
}

describe('The default class', () => {
  test('is made a little after the start, and not again when somebody deletes it', async () => {
    expect(await classes()).toEqual([])
    await cluster.clock.run(10_000)
    expect(await classes()).toMatchObject([
      {
        metadata: { name: 'standard' },
        provisioner: 'seamark.dev/hostpath',
        volumeBindingMode: 'WaitForFirstConsumer',
      },
    ])
    await cluster.client.delete(storageClass, { name: 'standard' })
    await cluster.clock.run(60_000)
    expect(await classes()).toEqual([])
  })

  test.each([
    ['another default class', 'fast', true],
    ['one of the same name', 'standard', false],
  ])('is left to the repository that declares %s', async (_, name, isDefault) => {
    await createClass(name, {}, isDefault)
    await createClaim({ storageClassName: 'standard' })
    await cluster.clock.run(60_000)
    expect((await classes()).map(({ metadata, provisioner }) => [metadata.name, provisioner])).toEqual([
      [name, 'csi.example.com'],
    ])
  })

  test('is given to the claim that needs it first, which then waits for its pod', async () => {
    await createClaim()
    await cluster.clock.run(1000)
    expect(await claim()).toMatchObject({
      spec: { storageClassName: 'standard' },
      status: { phase: 'Pending' },
    })
    expect(await told()).toContain(
      'WaitForFirstConsumer: waiting for first consumer to be created before binding',
    )
  })
})

describe('A claim', () => {
  test('gets a volume made for it, grows with what it asks for, and takes the volume with it', async () => {
    await createClass('fast', { allowVolumeExpansion: true })
    await createClaim({ storageClassName: 'fast' })
    await cluster.clock.run(1000)
    expect(await shown()).toEqual(['1Gi Bound'])
    expect((await claim()).metadata.annotations).toMatchObject({
      'pv.kubernetes.io/bind-completed': 'yes',
      'volume.kubernetes.io/storage-provisioner': 'csi.example.com',
    })
    await ask('3Gi')
    await cluster.clock.run(1000)
    expect(await shown()).toEqual(['3Gi Bound'])
    expect((await claim()).status).toMatchObject({ phase: 'Bound', capacity: { storage: '3Gi' } })
    const name = (await claim()).spec.volumeName
    expect((await told()).toSorted()).toEqual([
      'Provisioning: External provisioner is provisioning volume for claim "default/data"',
      `ProvisioningSucceeded: Successfully provisioned volume ${name}`,
      `Resizing: External resizer is resizing volume ${name}`,
      'VolumeResizeSuccessful: Resize volume succeeded',
    ])
    await cluster.client.delete(persistentVolumeClaim, DATA)
    await cluster.clock.run(1000)
    expect(await volumes()).toEqual([])
  })

  test('is told once why it waits, however often other volumes change', async () => {
    await createClaim({ storageClassName: '' })
    await createVolume({ storageClassName: 'other', hostPath: { path: '/data' } })
    await cluster.clock.run(60_000)
    const { items } = await cluster.client.list(event)
    const reasons = items.filter(({ involvedObject }) => involvedObject.name === 'data')
    expect(reasons).toMatchObject([{ reason: 'FailedBinding', count: 1 }])
  })

  test('of somebody else that has the name of an ephemeral one is not used, which is said', async () => {
    await createClass('fast')
    await cluster.client.create(persistentVolumeClaim, {
      ...persistentVolumeClaim.example,
      metadata: { namespace: 'default', name: 'web-data' },
    })
    const ephemeral = { volumeClaimTemplate: { spec: persistentVolumeClaim.example.spec } }
    await cluster.client.create(pod, make.pod({ spec: { volumes: [{ name: 'data', ephemeral }] } }))
    await cluster.clock.run(2000)
    const said = (await cluster.client.list(event)).items
      .filter(({ involvedObject }) => involvedObject.kind === 'Pod')
      .map(({ reason, message }) => `${reason}: ${message}`)
    expect(said).toEqual([
      'FailedBinding: ephemeral volume data: PVC default/web-data was not created for pod default/web (pod is not owner)',
    ])
  })

  test('that is kept for a pod goes only after it', async () => {
    await createClass('fast')
    await createClaim({ storageClassName: 'fast' })
    const volume = { name: 'data', persistentVolumeClaim: { claimName: 'data' } }
    await cluster.client.create(pod, make.pod({ spec: { nodeName: 'node-a', volumes: [volume] } }))
    await cluster.clock.run(1000)
    await cluster.client.delete(persistentVolumeClaim, DATA)
    await cluster.clock.run(1000)
    expect((await claim()).metadata.deletionTimestamp).toBeDefined()
    expect(await shown()).toEqual(['1Gi Bound'])
    await cluster.client.delete(pod, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 })
    await cluster.clock.run(1000)
    expect(await volumes()).toEqual([])
  })
})

describe('A declared volume', () => {
  test.each([
    ['Retain', '/data', ['1Gi Released']],
    ['Delete', '/data', ['1Gi Failed']],
    ['Delete', '/tmp/data', []],
    ['Recycle', '/data', ['1Gi Available']],
  ])('with reclaim policy %s at %s, when its claim is gone: %s', async (policy, path, expected) => {
    await createVolume({ persistentVolumeReclaimPolicy: policy, hostPath: { path } })
    await cluster.clock.run(1000)
    expect(await shown()).toEqual(['1Gi Available'])
    await createClaim({ storageClassName: '' })
    await cluster.clock.run(1000)
    expect(await shown()).toEqual(['1Gi Bound'])
    await cluster.client.delete(persistentVolumeClaim, DATA)
    await cluster.clock.run(60_000)
    expect(await shown()).toEqual(expected)
  })

  test.each([
    ['was found for', { 'pv.kubernetes.io/bound-by-controller': 'yes' }, ['other', 'Available', undefined]],
    ['a human reserved for', {}, ['other', 'Available', 'data']],
    ['was made for', { 'pv.kubernetes.io/provisioned-by': 'csi.example.com' }, undefined],
  ])('that %s a claim that has another', async (_, annotations, expected) => {
    await createVolume({ persistentVolumeReclaimPolicy: 'Retain', hostPath: { path: '/data' } })
    await createClaim({ storageClassName: '', volumeName: 'disk' })
    await cluster.clock.run(1000)
    const { metadata } = await claim()
    await cluster.client.create(persistentVolume, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'other', annotations },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Delete',
        hostPath: { path: '/data' },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...DATA, uid: metadata.uid },
      },
    } as PersistentVolume)
    await cluster.clock.run(2000)
    const other = (await volumes()).find((each) => each.metadata.name === 'other')
    expect(other && [other.metadata.name, other.status?.phase, other.spec.claimRef?.name]).toEqual(expected)
    expect((await claim()).status?.phase).toBe('Bound')
  })
})
