import { describe, expect, test } from 'vitest'
import { node, pod, snapshotOf, wakes } from '../../../test/support/scheduling.ts'
import type { KindRef } from '../../api/kind.ts'
import { csiDriver } from '../../api/kinds/csi-driver.ts'
import { csiNode } from '../../api/kinds/csi-node.ts'
import { csiStorageCapacity } from '../../api/kinds/csi-storage-capacity.ts'
import { deviceClass } from '../../api/kinds/device-class.ts'
import { namespace } from '../../api/kinds/namespace.ts'
import { persistentVolume } from '../../api/kinds/persistent-volume.ts'
import { persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { resourceClaim } from '../../api/kinds/resource-claim.ts'
import { resourceSlice } from '../../api/kinds/resource-slice.ts'
import { service } from '../../api/kinds/service.ts'
import { storageClass } from '../../api/kinds/storage-class.ts'
import { volumeAttachment } from '../../api/kinds/volume-attachment.ts'
import type { Resource } from '../../api/resource.ts'
import type { AnyPlugin, ClusterEvent } from '../plugin.ts'
import { plugins } from './index.ts'

const ZONE = 'topology.kubernetes.io/zone'
const webs = { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: ZONE }

/** Waits for everything that a pod can wait for. */
const waiting = (more: Partial<Pod['spec']> = {}, labels: Record<string, string> = { app: 'web' }): Pod => ({
  ...pod(
    'p',
    { cpu: '2' },
    {
      nodeSelector: { disk: 'ssd' },
      containers: [
        {
          name: 'app',
          image: 'app',
          resources: { requests: { cpu: '2' } },
          ports: [{ containerPort: 80, hostPort: 80 }],
          restartPolicyRules: [
            { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [1] } },
          ],
        },
      ],
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [webs] },
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: ZONE },
          ],
        },
      },
      topologySpreadConstraints: [{ ...webs, maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }],
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'disk', gcePersistentDisk: { pdName: 'pd' } },
      ],
      resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }],
      ...more,
    },
  ),
  metadata: { name: 'p', uid: 'p', namespace: 'default', labels },
})
const P = waiting()

const on = (name: string, labels: Record<string, string>, spec: Partial<Pod['spec']> = {}): Pod => ({
  ...pod(name, { cpu: '2' }, { nodeName: 'big', ...spec }),
  metadata: { name, uid: name, namespace: 'default', labels },
})
const plain = node('big', { labels: { [ZONE]: 'x', disk: 'ssd' } })
const better = (more: Parameters<typeof node>[1]) =>
  node('big', { ...more, labels: { [ZONE]: 'x', disk: 'ssd', ...more?.labels } })
const updated = (from: typeof plain, to: typeof plain): ClusterEvent => ({
  type: 'node-updated',
  node: to,
  previous: from,
})
const taint = { spec: { taints: [{ key: 'k', effect: 'NoSchedule' as const }] } }
const object = (kind: KindRef, name: string, rest: object = {}): Resource =>
  ({
    apiVersion: 'v1',
    kind: kind.kind,
    metadata: { name, ...(kind.kind.endsWith('Claim') ? { namespace: 'default' } : {}) },
    ...rest,
  }) as unknown as Resource
const added = (kind: KindRef, resource: Resource): ClusterEvent => ({
  type: 'object-changed',
  kind,
  change: 'added',
  resource,
})
const changed = (kind: KindRef, name: string, previous: object, now: object): ClusterEvent => ({
  type: 'object-changed',
  kind,
  change: 'updated',
  resource: object(kind, name, now),
  previous: object(kind, name, previous),
})
const gone = (kind: KindRef, resource: Resource): ClusterEvent => ({
  type: 'object-changed',
  kind,
  change: 'deleted',
  resource,
})
const limit = (count: number) => ({ spec: { drivers: [{ name: 'x', nodeID: 'a', allocatable: { count } }] } })
const allocated = { status: { allocation: {} } }

const EVENTS: Readonly<Record<string, ClusterEvent>> = {
  'a node comes': { type: 'node-added', node: plain },
  'a node that is tainted comes': { type: 'node-added', node: better(taint) },
  'a node that is cordoned comes': { type: 'node-added', node: better({ spec: { unschedulable: true } }) },
  'a node of other labels comes': { type: 'node-added', node: node('other') },
  'a node that is too small comes': { type: 'node-added', node: better({ allocatable: { cpu: '1' } }) },
  'a node goes': { type: 'node-removed', node: plain },
  'a node says it is alive': updated(plain, better({ status: { phase: 'Running' } })),
  'a node is uncordoned': updated(better({ spec: { unschedulable: true } }), plain),
  'a node is cordoned': updated(plain, better({ spec: { unschedulable: true } })),
  'a taint goes': updated(better(taint), plain),
  'a taint comes': updated(plain, better(taint)),
  'a node gets the label': updated(better({ labels: { disk: 'hdd' } }), plain),
  'a node changes its zone': updated(better({ labels: { [ZONE]: 'y' } }), plain),
  'a node grows': updated(better({ allocatable: { cpu: '1' } }), plain),
  'a node shrinks': updated(plain, better({ allocatable: { cpu: '1' } })),
  'a node declares a feature': updated(plain, better({ status: { declaredFeatures: ['Other'] } })),
  'a stranger goes': { type: 'pod-removed', pod: on('q', {}) },
  'a pod on the port goes': {
    type: 'pod-removed',
    pod: on('q', {}, { containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80 }] }] }),
  },
  'a pod of the same labels goes': { type: 'pod-removed', pod: on('q', { app: 'web' }) },
  'a pod it avoids goes': { type: 'pod-removed', pod: on('q', { app: 'db' }) },
  'a pod with the claim goes': {
    type: 'pod-removed',
    pod: on('q', {}, { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }),
  },
  'a pod with the disk goes': {
    type: 'pod-removed',
    pod: on('q', {}, { volumes: [{ name: 'v', gcePersistentDisk: { pdName: 'pd' } }] }),
  },
  'a pod with devices goes': {
    type: 'pod-removed',
    pod: on('q', {}, { resourceClaims: [{ name: 'g', resourceClaimName: 'other' }] }),
  },
  'a stranger is bound': { type: 'pod-bound', pod: on('q', {}) },
  'a pod of the same labels is bound': { type: 'pod-bound', pod: on('q', { app: 'web' }) },
  'a stranger takes its labels': {
    type: 'placed-pod-updated',
    pod: on('q', { app: 'web' }),
    previous: on('q', {}),
  },
  'a stranger is resized': {
    type: 'placed-pod-updated',
    pod: on('q', {}, { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] }),
    previous: on('q', {}),
  },
  'it gets a toleration': {
    type: 'pod-updated',
    pod: waiting({ tolerations: [{ operator: 'Exists' }] }),
    previous: P,
  },
  'it gets other labels': { type: 'pod-updated', pod: P, previous: waiting({}, { app: 'old' }) },
  'a claim of its own comes': added(persistentVolumeClaim, object(persistentVolumeClaim, 'data')),
  'a claim of its own is bound': changed(persistentVolumeClaim, 'data', {}, { status: { phase: 'Bound' } }),
  'a claim of another comes': added(persistentVolumeClaim, object(persistentVolumeClaim, 'other')),
  'a volume comes': added(persistentVolume, object(persistentVolume, 'v')),
  'a volume gets a zone': changed(
    persistentVolume,
    'v',
    {},
    { metadata: { name: 'v', labels: { [ZONE]: 'x' } } },
  ),
  'a storage class comes': added(storageClass, object(storageClass, 's')),
  'a storage class is touched': changed(storageClass, 's', {}, { reclaimPolicy: 'Retain' }),
  'a storage class widens': changed(storageClass, 's', { allowedTopologies: [] }, {}),
  'a driver stops to count': changed(
    csiDriver,
    'x',
    { spec: { storageCapacity: true } },
    { spec: { storageCapacity: false } },
  ),
  'storage grows': changed(csiStorageCapacity, 'c', { capacity: '1Gi' }, { capacity: '2Gi' }),
  'storage shrinks': changed(csiStorageCapacity, 'c', { capacity: '2Gi' }, { capacity: '1Gi' }),
  'a node may have more volumes': changed(csiNode, 'big', limit(1), limit(2)),
  'a CSI node is touched': changed(csiNode, 'big', limit(1), { ...limit(1), touched: true }),
  'a volume is detached': gone(
    volumeAttachment,
    object(volumeAttachment, 'a', { spec: { source: {}, nodeName: 'big' } }),
  ),
  'a volume is attached': added(
    volumeAttachment,
    object(volumeAttachment, 'a', { spec: { source: {}, nodeName: 'big' } }),
  ),
  'devices come': added(resourceSlice, object(resourceSlice, 's')),
  'devices go': gone(resourceSlice, object(resourceSlice, 's')),
  'a device class comes': added(deviceClass, object(deviceClass, 'c')),
  'a resource claim of its own comes': added(resourceClaim, object(resourceClaim, 'gpu')),
  'a resource claim of another comes': added(resourceClaim, object(resourceClaim, 'other')),
  'a resource claim gives its devices back': changed(resourceClaim, 'other', allocated, { status: {} }),
  'a resource claim with devices goes': gone(resourceClaim, object(resourceClaim, 'other', allocated)),
  'a namespace gets labels': changed(namespace, 'n', {}, { metadata: { name: 'n', labels: { a: 'b' } } }),
  'a Service comes': added(service, object(service, 's')),
}

const NODES = ['a node comes', 'a node that is tainted comes', 'a node that is cordoned comes']
const ANY_NODE = [...NODES, 'a node of other labels comes', 'a node that is too small comes']
const KEYED_NODE = [...NODES, 'a node that is too small comes']
const VOLUMES_GO = ['a pod with the claim goes', 'a pod with the disk goes']
const LEAVING = Object.keys(EVENTS).filter((name) => EVENTS[name]?.type === 'pod-removed')

/** What brings the pod back that this plugin rejected; nothing else does. */
const WAKES: Readonly<Record<string, readonly string[]>> = {
  NodeUnschedulable: [
    ...ANY_NODE.filter((name) => !name.includes('cordoned')),
    'a node is uncordoned',
    'it gets a toleration',
  ],
  TaintToleration: [
    ...ANY_NODE.filter((name) => !name.includes('tainted')),
    'a taint goes',
    'it gets a toleration',
  ],
  NodeName: [],
  NodeAffinity: [...KEYED_NODE, 'a node gets the label'],
  NodePorts: [...ANY_NODE, 'a pod on the port goes'],
  NodeResourcesFit: [
    ...NODES,
    'a node of other labels comes',
    'a node grows',
    ...LEAVING,
    'a stranger is resized',
  ],
  VolumeRestrictions: [...ANY_NODE, ...VOLUMES_GO, 'a claim of its own comes', 'a claim of its own is bound'],
  NodeVolumeLimits: [
    ...ANY_NODE,
    ...VOLUMES_GO,
    'a claim of its own comes',
    'a node may have more volumes',
    'a volume is detached',
  ],
  VolumeBinding: [
    ...ANY_NODE,
    'a node gets the label',
    'a node changes its zone',
    'a pod with the claim goes',
    'a claim of its own comes',
    'a claim of its own is bound',
    'a volume comes',
    'a volume gets a zone',
    'a storage class comes',
    'a storage class widens',
    'a driver stops to count',
    'storage grows',
  ],
  VolumeZone: [
    ...ANY_NODE,
    'a node changes its zone',
    'a claim of its own comes',
    'a claim of its own is bound',
    'a volume gets a zone',
    'a storage class comes',
  ],
  PodTopologySpread: [
    ...KEYED_NODE,
    'a node goes',
    'a node gets the label',
    'a node changes its zone',
    'a pod of the same labels goes',
    'a pod of the same labels is bound',
    'a stranger takes its labels',
    'it gets other labels',
  ],
  InterPodAffinity: [
    ...KEYED_NODE,
    'a node gets the label',
    'a node changes its zone',
    'a pod it avoids goes',
    // It may be the first of its kind: the rule holds for itself then.
    'a pod of the same labels goes',
    'a pod of the same labels is bound',
    'a stranger takes its labels',
    'it gets other labels',
    'a namespace gets labels',
  ],
  DynamicResources: [
    ...ANY_NODE,
    'a pod with devices goes',
    'devices come',
    'a device class comes',
    'a resource claim of its own comes',
    'a resource claim gives its devices back',
    'a resource claim with devices goes',
  ],
  NodeDeclaredFeatures: [...ANY_NODE, 'a node declares a feature'],
  SchedulingGates: ['it gets a toleration', 'it gets other labels'],
}

describe('What wakes a pod rejected by', () => {
  test.each(Object.entries(WAKES))('%s', (name, expected) => {
    const plugin: AnyPlugin = plugins[name]!.make()
    const snapshot = snapshotOf([plain], { big: [on('old', { app: 'web' })] })
    snapshot.counts.setNamespace('default', {})
    const kinds = new Set(plugin.watches?.map(({ kind }) => kind))
    const woken = Object.entries(EVENTS).filter(
      ([, event]) =>
        (event.type !== 'object-changed' || kinds.has(event.kind.kind)) &&
        wakes(plugin, event.type === 'pod-updated' ? event.pod : P, event, snapshot),
    )
    expect(woken.map(([event]) => event).sort()).toEqual([...expected].sort())
  })

  test('any plugin that rejects is told here', () => {
    const rejecting = Object.keys(plugins).filter((name) => {
      const plugin = plugins[name]!.make()
      return plugin.filter ?? plugin.preEnqueue
    })
    expect(Object.keys(WAKES).sort()).toEqual(rejecting.sort())
  })
})
