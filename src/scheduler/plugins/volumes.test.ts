import { describe, expect, test } from 'vitest'
import { node, pod, snapshotOf, verdicts } from '../../../test/support/scheduling.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import type { Resource } from '../../api/resource.ts'
import { objectsOf } from '../cluster-objects.ts'
import { podInfo } from '../pod-info.ts'
import { volumeBinding } from './volume-binding.ts'
import { nodeVolumeLimits, volumeRestrictions, volumeZone } from './volume-rules.ts'

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
