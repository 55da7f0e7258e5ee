import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { ingress } from '../../api/kinds/ingress.ts'
import { ingressClass } from '../../api/kinds/ingress-class.ts'
import { namespace } from '../../api/kinds/namespace.ts'
import { node } from '../../api/kinds/node.ts'
import { persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { pod } from '../../api/kinds/pod.ts'
import { resourceClaim } from '../../api/kinds/resource-claim.ts'
import { runtimeClass } from '../../api/kinds/runtime-class.ts'
import { storageClass } from '../../api/kinds/storage-class.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())
const DEFAULT = { 'storageclass.kubernetes.io/is-default-class': 'true' }
const claim = persistentVolumeClaim.example
const data = { namespace: 'default', name: 'data' }

describe('A claim', () => {
  test('without a class gets the newest default one; with "" it gets none', async () => {
    for (const name of ['older', 'newer']) {
      await cluster.client.create(storageClass, {
        ...storageClass.example,
        metadata: { name, annotations: DEFAULT },
      })
      await cluster.clock.run(1000)
    }
    expect((await cluster.client.create(persistentVolumeClaim, claim)).spec.storageClassName).toBe('newer')
    const none = {
      ...claim,
      metadata: { ...data, name: 'none' },
      spec: { ...claim.spec, storageClassName: '' },
    }
    expect((await cluster.client.create(persistentVolumeClaim, none)).spec.storageClassName).toBe('')
  })

  test('is held by a finalizer from the beginning', async () =>
    expect((await cluster.client.create(persistentVolumeClaim, claim)).metadata.finalizers).toEqual([
      'kubernetes.io/pvc-protection',
    ]))

  test.each([
    ['grows when its class lets it', true, '2Gi', undefined],
    [
      'does not grow when its class does not',
      false,
      '2Gi',
      'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    ],
    [
      'does not shrink',
      true,
      '512Mi',
      'PersistentVolumeClaim "data" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    ],
  ])('that is bound %s', async (_, allowVolumeExpansion, storage, message) => {
    await cluster.client.create(storageClass, { ...storageClass.example, allowVolumeExpansion })
    const spec = { ...claim.spec, storageClassName: 'fast' }
    const made = await cluster.client.create(persistentVolumeClaim, { ...claim, spec })
    const status = { phase: 'Bound', capacity: { storage: '1Gi' } }
    await cluster.client.update(persistentVolumeClaim, { ...made, status }, { subresource: 'status' })
    const grown = cluster.client.patch(persistentVolumeClaim, data, 'merge', {
      spec: { resources: { requests: { storage } } },
    })
    if (message) await expect(grown).rejects.toMatchObject({ message })
    else expect((await grown).spec.resources?.requests).toEqual({ storage })
  })
})

test('An Ingress without a class gets the default one', async () => {
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' }
  await cluster.client.create(ingressClass, {
    ...ingressClass.example,
    metadata: { name: 'edge', annotations },
  })
  expect((await cluster.client.create(ingress, ingress.example)).spec.ingressClassName).toBe('edge')
})

test('A claim sees into devices of others only where the namespace is marked for it', async () => {
  const exactly = { deviceClassName: 'gpu.example.com', adminAccess: true }
  const claimed = { ...resourceClaim.example, spec: { devices: { requests: [{ name: 'gpu', exactly }] } } }
  await expect(cluster.client.create(resourceClaim, claimed)).rejects.toMatchObject({
    message:
      'ResourceClaim.resource.k8s.io "gpu" is invalid: spec.devices.requests[0].exactly.adminAccess: Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace',
  })
  const labels = { 'resource.kubernetes.io/admin-access': 'true' }
  await cluster.client.patch(namespace, { name: 'default' }, 'merge', { metadata: { labels } })
  await cluster.client.create(resourceClaim, claimed)
})

test('A pod that is bound has the zone and region of its node', async () => {
  const zone = { 'topology.kubernetes.io/zone': 'a', 'topology.kubernetes.io/region': 'r' }
  await cluster.client.create(node, {
    ...node.example,
    metadata: { name: 'n', labels: { ...zone, other: 'x' } },
  })
  await cluster.client.create(pod, make.pod())
  const key = { namespace: 'default', name: 'web' }
  await cluster.client.createSubresource(pod, key, 'binding', { target: { kind: 'Node', name: 'n' } })
  expect((await cluster.client.get(pod, key)).metadata.labels).toEqual({ app: 'web', ...zone })
})

describe('A pod of a runtime class', () => {
  test('costs and is placed as the class says', async () => {
    await cluster.client.create(runtimeClass, {
      ...runtimeClass.example,
      scheduling: { nodeSelector: { sandbox: 'yes' }, tolerations: [{ key: 'sandbox', operator: 'Exists' }] },
    })
    const made = await cluster.client.create(pod, make.pod({ spec: { runtimeClassName: 'gvisor' } }))
    expect(made.spec).toMatchObject({
      overhead: { memory: '32Mi' },
      nodeSelector: { sandbox: 'yes' },
      tolerations: expect.arrayContaining([{ key: 'sandbox', operator: 'Exists' }]),
    })
  })

  test.each([
    ['that is not there', { runtimeClassName: 'gone' }, 'pod rejected: RuntimeClass "gone" not found'],
    [
      'with another overhead',
      { runtimeClassName: 'gvisor', overhead: { memory: '1Mi' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      'which it does not name, with overhead',
      { overhead: { memory: '1Mi' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
  ])('%s is refused', async (_, spec, why) => {
    await cluster.client.create(runtimeClass, runtimeClass.example)
    await expect(cluster.client.create(pod, make.pod({ spec }))).rejects.toMatchObject({
      message: `pods "web" is forbidden: ${why}`,
    })
  })
})
