import { describe, expect, test } from 'vitest'
import { node, pod, snapshotOf, verdicts } from '../../../test/support/scheduling.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import type { Resource } from '../../api/resource.ts'
import { objectsOf } from '../cluster-objects.ts'
import { podInfo } from '../pod-info.ts'
import { nodeVolumeLimits } from './node-volume-limits.ts'
import { volumeBinding } from './volume-binding.ts'
import { volumeRestrictions } from './volume-restrictions.ts'
import { volumeZone } from './volume-zone.ts'

const ZONE = 'topology.kubernetes.io/zone'
const NODES = [node('a', { labels: { [ZONE]: 'x' } }), node('b', { labels: { [ZONE]: 'y' } })]
const mounting = (name: string, ...claims: string[]): Pod =>
  pod(
    name,
    {},
    { volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) },
  )
const made = (kind: string, name: string, rest: object, metadata: object = {}): Resource =>
  ({ apiVersion: 'v1', kind, metadata: { name, ...metadata }, ...rest }) as Resource
const claim = (name: string, spec: object = {}, phase = 'Pending', metadata: object = {}) =>
  made(
    'PersistentVolumeClaim',
    name,
    {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } }, ...spec },
      status: { phase },
    },
    { namespace: 'default', uid: name, ...metadata },
  )
const bound = (name: string, volumeName: string, spec: object = {}) =>
  claim(name, { volumeName, ...spec }, 'Bound')
const on = (host: string) => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [host] }] },
      ],
    },
  },
})
const volume = (name: string, spec: object = {}, metadata: object = {}) =>
  made(
    'PersistentVolume',
    name,
    {
      spec: {
        capacity: { storage: '5Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'late',
        ...spec,
      },
    },
    metadata,
  )
const late = (provisioner: string, more: object = {}) =>
  made('StorageClass', 'late', { provisioner, volumeBindingMode: 'WaitForFirstConsumer', ...more })
const waiting = claim('data', { storageClassName: 'late' })

describe('VolumeBinding', () => {
  const OTHER = "node(s) didn't match PersistentVolume's node affinity"
  const NONE = "node(s) didn't find available persistent volumes to bind"
  const STATIC = 'kubernetes.io/no-provisioner'
  const csi = [late('x.csi'), made('CSIDriver', 'x.csi', { spec: { storageCapacity: true } })]
  const capacity = (amount: string, zone: string) =>
    made(
      'CSIStorageCapacity',
      `c-${zone}`,
      { storageClassName: 'late', capacity: amount, nodeTopology: { matchLabels: { [ZONE]: zone } } },
      { namespace: 'default' },
    )
  const cases: readonly [string, readonly Resource[], ReturnType<typeof verdicts>][] = [
    ['a claim that is not there', [], 'persistentvolumeclaim "data" not found'],
    [
      'a claim that is going',
      [claim('data', {}, 'Bound', { deletionTimestamp: 'now' })],
      'persistentvolumeclaim "data" is being deleted',
    ],
    ['a claim that is not bound yet', [claim('data')], 'pod has unbound immediate PersistentVolumeClaims'],
    [
      'a claim that has lost its volume',
      [claim('data', { volumeName: 'v' }, 'Lost')],
      'persistentvolumeclaim "data" bound to non-existent persistentvolume "v"',
    ],
    [
      'a bound claim goes with its volume',
      [bound('data', 'v'), volume('v', on('a'))],
      { a: 'fits', b: OTHER },
    ],
    [
      'a bound claim without its volume',
      [bound('data', 'v')],
      {
        a: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
        b: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
      },
    ],
    [
      'a delayed claim and a volume on one node',
      [waiting, late(STATIC), volume('v', on('b'))],
      { a: NONE, b: 'fits' },
    ],
    ['a delayed claim and no volume', [waiting, late(STATIC)], { a: NONE, b: NONE }],
    [
      'a delayed claim and a volume that is too small',
      [waiting, late(STATIC), volume('v', { capacity: { storage: '1Gi' } })],
      { a: NONE, b: NONE },
    ],
    ['a delayed claim and a provisioner', [waiting, late('x.csi')], { a: 'fits', b: 'fits' }],
    [
      'a provisioner for one zone',
      [
        waiting,
        late('x.csi', { allowedTopologies: [{ matchLabelExpressions: [{ key: ZONE, values: ['y'] }] }] }),
      ],
      { a: NONE, b: 'fits' },
    ],
    [
      'a driver with room in one zone',
      [waiting, ...csi, capacity('1Gi', 'x'), capacity('10Gi', 'y')],
      { a: 'node(s) did not have enough free storage', b: 'fits' },
    ],
  ]
  test.each(cases)('%s', (_, objects, expected) => {
    expect(
      verdicts(volumeBinding(), mounting('p', 'data'), snapshotOf(NODES, {}, objectsOf(objects))),
    ).toEqual(expected)
  })

  test('promises a volume to one pod only', () => {
    const plugin = volumeBinding()
    const objects = objectsOf([
      waiting,
      claim('more', { storageClassName: 'late' }),
      late(STATIC),
      volume('v', on('a')),
    ])
    const snapshot = snapshotOf(NODES, {}, objects)
    const first = podInfo(mounting('p', 'data'))
    expect(plugin.reserve?.(first, snapshot.node('a')!, snapshot)).toBeUndefined()
    expect(verdicts(plugin, mounting('q', 'more'), snapshot)).toEqual({ a: NONE, b: NONE })
    plugin.unreserve?.(first)
    expect(verdicts(plugin, mounting('q', 'more'), snapshot)).toEqual({ a: 'fits', b: NONE })
  })

  test('needs a volume for each claim of a pod', () => {
    const objects = [waiting, claim('more', { storageClassName: 'late' }), late(STATIC), volume('v', on('a'))]
    const snapshot = snapshotOf(NODES, {}, objectsOf(objects))
    expect(verdicts(volumeBinding(), mounting('p', 'data', 'more'), snapshot)).toEqual({ a: NONE, b: NONE })
  })
})

test('VolumeZone keeps a pod in the zones of its volume', () => {
  const objects = objectsOf([bound('data', 'v'), volume('v', {}, { labels: { [ZONE]: 'y__z' } })])
  expect(
    verdicts(volumeZone, mounting('p', 'data'), snapshotOf([...NODES, node('bare')], {}, objects)),
  ).toEqual({
    a: 'node(s) had no available volume zone',
    b: 'fits',
    bare: 'fits',
  })
})

test('VolumeRestrictions gives a ReadWriteOncePod claim to one pod in the cluster', () => {
  const REASON =
    'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod'
  const objects = objectsOf([bound('data', 'v', { accessModes: ['ReadWriteOncePod'] })])
  const snapshot = snapshotOf(NODES, { a: [mounting('q', 'data')] }, objects)
  expect(verdicts(volumeRestrictions, mounting('p', 'data'), snapshot)).toEqual({ a: REASON, b: REASON })
  snapshot.removePod('q')
  expect(verdicts(volumeRestrictions, mounting('p', 'data'), snapshot)).toEqual({ a: 'fits', b: 'fits' })
})

test('NodeVolumeLimits counts the volumes of a driver, each once', () => {
  const csiVolume = (name: string) => volume(name, { csi: { driver: 'x.csi', volumeHandle: name } })
  const limit = made('CSINode', 'a', {
    spec: { drivers: [{ name: 'x.csi', nodeID: 'a', allocatable: { count: 1 } }] },
  })
  const objects = objectsOf([limit, bound('one', 'v1'), bound('two', 'v2'), csiVolume('v1'), csiVolume('v2')])
  const snapshot = snapshotOf(NODES, { a: [mounting('q', 'one')] }, objects)
  expect(verdicts(nodeVolumeLimits, mounting('p', 'two'), snapshot)).toEqual({
    a: 'node(s) exceed max volume count',
    b: 'fits',
  })
  expect(verdicts(nodeVolumeLimits, mounting('p', 'one'), snapshot)).toEqual({ a: 'fits', b: 'fits' })
})

describe('VolumeRestrictions of disks that pods name themselves', () => {
  const NO_DISK = 'node(s) had no available disk'
  const gce = (pdName: string, readOnly = false) => ({ gcePersistentDisk: { pdName, readOnly } })
  const ebs = (volumeID: string, readOnly = false) => ({ awsElasticBlockStore: { volumeID, readOnly } })
  const iscsi = (iqn: string, readOnly = false) => ({
    iscsi: { iqn, readOnly, targetPortal: 'portal', lun: 0 },
  })
  const rbd = (monitors: string[], image: string, more: object = {}) => ({
    rbd: { monitors, image, ...more },
  })
  type Disk = Partial<NonNullable<Pod['spec']['volumes']>[number]>
  test.each<[string, Disk, Disk, boolean]>([
    ['a GCE disk that is mounted', gce('d'), gce('d'), false],
    ['another GCE disk', gce('d'), gce('e'), true],
    ['a GCE disk that all read', gce('d', true), gce('d', true), true],
    ['a GCE disk that one writes', gce('d', true), gce('d'), false],
    ['an EBS volume that is mounted', ebs('v'), ebs('v'), false],
    ['an EBS volume that all read', ebs('v', true), ebs('v', true), false],
    ['another EBS volume', ebs('v'), ebs('w'), true],
    ['an iSCSI target that is mounted', iscsi('i'), iscsi('i'), false],
    ['an iSCSI target that all read', iscsi('i', true), iscsi('i', true), true],
    ['another iSCSI target', iscsi('i'), iscsi('j'), true],
    ['an RBD image with one monitor in common', rbd(['m', 'n'], 'i'), rbd(['n', 'o'], 'i'), false],
    ['an RBD image of other monitors', rbd(['m'], 'i'), rbd(['o'], 'i'), true],
    ['an RBD image of another pool', rbd(['m'], 'i'), rbd(['m'], 'i', { pool: 'p' }), true],
    ['an RBD image of the default pool', rbd(['m'], 'i'), rbd(['m'], 'i', { pool: 'rbd' }), false],
    [
      'an RBD image that all read',
      rbd(['m'], 'i', { readOnly: true }),
      rbd(['m'], 'i', { readOnly: true }),
      true,
    ],
    ['disks of two kinds', gce('v'), ebs('v'), true],
  ])('%s', (_, wanted, used, fits) => {
    const podWith = (name: string, disk: Disk) => pod(name, {}, { volumes: [{ name: 'disk', ...disk }] })
    const snapshot = snapshotOf(NODES, { a: [podWith('q', used)] })
    expect(verdicts(volumeRestrictions, podWith('p', wanted), snapshot)).toEqual({
      a: fits ? 'fits' : NO_DISK,
      b: 'fits',
    })
  })
})

describe('NodeVolumeLimits', () => {
  const FULL = 'node(s) exceed max volume count'
  const limit = (count: number, driver = 'x.csi', annotations: object = {}) =>
    made(
      'CSINode',
      'a',
      { spec: { drivers: [{ name: driver, nodeID: 'a', allocatable: { count } }] } },
      { annotations },
    )
  const csi = (name: string) => volume(name, { csi: { driver: 'x.csi', volumeHandle: name } })
  const attachment = (name: string) =>
    made('VolumeAttachment', `a-${name}`, {
      spec: { attacher: 'x.csi', nodeName: 'a', source: { persistentVolumeName: name } },
    })
  const ebs = (name: string) => volume(name, { awsElasticBlockStore: { volumeID: name } })
  const migrated = limit(1, 'ebs.csi.aws.com', {
    'storage.alpha.kubernetes.io/migrated-plugins': 'kubernetes.io/gce-pd,kubernetes.io/aws-ebs',
  })
  const two = [bound('one', 'v1'), bound('two', 'v2')]
  test.each<[string, readonly Resource[], string]>([
    [
      'counts a volume that is attached without a pod',
      [limit(1), ...two, csi('v1'), csi('v2'), attachment('v1')],
      FULL,
    ],
    [
      'counts a volume that is attached for the pod once',
      [limit(1), ...two, csi('v1'), csi('v2'), attachment('v2')],
      'fits',
    ],
    ['passes over attachments of nothing', [limit(1), ...two, csi('v2'), attachment('v1')], 'fits'],
    [
      'counts a claim whose volume is not there yet',
      [limit(0), claim('two', { storageClassName: 'late' }), late('x.csi')],
      FULL,
    ],
    ['does not count for other drivers', [limit(0, 'y.csi'), ...two, csi('v2')], 'fits'],
    [
      'counts EBS volumes for the driver that took over',
      [migrated, ...two, ebs('v1'), ebs('v2'), attachment('v1')],
      FULL,
    ],
    ['does not where none has', [limit(0, 'ebs.csi.aws.com'), ...two, ebs('v2')], 'fits'],
  ])('%s', (_, objects, expected) => {
    const snapshot = snapshotOf(NODES, {}, objectsOf(objects))
    expect(verdicts(nodeVolumeLimits, mounting('p', 'two'), snapshot)).toEqual({ a: expected, b: 'fits' })
  })
})

test('VolumeZone takes the old names of the labels for the new ones', () => {
  const objects = objectsOf([
    bound('data', 'v'),
    volume('v', {}, { labels: { 'failure-domain.beta.kubernetes.io/zone': 'y' } }),
  ])
  expect(verdicts(volumeZone, mounting('p', 'data'), snapshotOf(NODES, {}, objects))).toEqual({
    a: 'node(s) had no available volume zone',
    b: 'fits',
  })
})
