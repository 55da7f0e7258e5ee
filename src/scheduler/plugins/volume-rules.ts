import { csiNode } from '../../api/kinds/csi-node.ts'
import { persistentVolume } from '../../api/kinds/persistent-volume.ts'
import { persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import type { NodeInfo } from '../node-info.ts'
import type { Plugin } from '../plugin.ts'
import { type PodInfo, podInfo } from '../pod-info.ts'
import type { Snapshot } from '../snapshot.ts'
import { classOf } from './storage.ts'

const CLAIM_IN_USE = {
  plugin: 'VolumeRestrictions',
  reasons: [
    'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
  ],
  resolvable: true,
}

/** A claim of access mode ReadWriteOncePod is for one pod in the whole cluster. */
export const volumeRestrictions: Plugin<{ readonly claims: readonly string[]; readonly snapshot: Snapshot }> =
  {
    name: 'VolumeRestrictions',
    watches: [persistentVolumeClaim],
    preFilter(pod, snapshot) {
      const claims = pod.claims.filter((key) =>
        snapshot.objects.get(persistentVolumeClaim, key)?.spec?.accessModes?.includes('ReadWriteOncePod'),
      )
      return claims.length === 0 ? 'skip' : { state: { claims, snapshot } }
    },
    filter: (_, __, { claims, snapshot }) =>
      claims.some((claim) => snapshot.counts.podsWithClaim(claim) > 0) ? CLAIM_IN_USE : undefined,
    hints: {
      'pod-removed': ({ claims }, { pod }) => podInfo(pod).claims.some((claim) => claims.includes(claim)),
      'node-added': () => true,
      'object-changed': (pod, { kind, resource: { metadata } }) =>
        kind.kind === persistentVolumeClaim.kind &&
        pod.claims.includes(`${metadata.namespace}/${metadata.name}`),
    },
  }

const OTHER_ZONE = {
  plugin: 'VolumeZone',
  reasons: ['node(s) had no available volume zone'],
  resolvable: false,
}
const ZONE_LABELS = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
]

/** A bound volume with zone labels goes to nodes of these zones only; several are written "a__b". */
export const volumeZone: Plugin<readonly { readonly key: string; readonly values: readonly string[] }[]> = {
  name: 'VolumeZone',
  watches: [persistentVolumeClaim, persistentVolume],
  preFilter(pod, { objects }) {
    const wanted = pod.claims.flatMap((key) => {
      const name = objects.get(persistentVolumeClaim, key)?.spec?.volumeName
      const labels = name ? (objects.get(persistentVolume, name)?.metadata.labels ?? {}) : {}
      return ZONE_LABELS.flatMap((label) => {
        const value = labels[label]
        return value === undefined ? [] : [{ key: label, values: value.split('__') }]
      })
    })
    return wanted.length === 0 ? 'skip' : { state: wanted }
  },
  filter(_, { node }, wanted) {
    const labels = node.metadata.labels ?? {}
    if (!ZONE_LABELS.some((key) => labels[key] !== undefined)) return undefined
    return wanted.every(({ key, values }) => values.includes(labels[key] ?? '')) ? undefined : OTHER_ZONE
  },
  hints: {
    'node-added': () => true,
    'node-updated': () => true,
    'object-changed': () => true,
  },
}

const TOO_MANY = {
  plugin: 'NodeVolumeLimits',
  reasons: ['node(s) exceed max volume count'],
  resolvable: true,
}

/** No more volumes of a CSI driver on a node than its CSINode allows; a volume counts once, however many pods mount it. */
export const nodeVolumeLimits: Plugin<Snapshot> = {
  name: 'NodeVolumeLimits',
  watches: [csiNode, persistentVolumeClaim, persistentVolume],
  preFilter: (pod, snapshot) => (pod.claims.length === 0 ? 'skip' : { state: snapshot }),
  filter(pod, node, snapshot) {
    const limits = new Map(
      (snapshot.objects.get(csiNode, node.name)?.spec.drivers ?? []).flatMap(({ name, allocatable }) =>
        allocatable?.count === undefined ? [] : [[name, allocatable.count] as const],
      ),
    )
    if (limits.size === 0) return undefined
    const there = volumesOn(node, snapshot)
    const more = new Map<string, string>(
      [...volumesOf(pod, snapshot)].filter(([volume]) => !there.has(volume)),
    )
    for (const [driver, limit] of limits) {
      const of = (volumes: ReadonlyMap<string, string>) =>
        [...volumes.values()].filter((each) => each === driver).length
      if (of(more) > 0 && of(there) + of(more) > limit) return TOO_MANY
    }
    return undefined
  },
  hints: {
    'pod-removed': (_, { pod }) => podInfo(pod).claims.length > 0,
    'node-added': () => true,
    'object-changed': () => true,
  },
}

function volumesOn(node: NodeInfo, snapshot: Snapshot): Map<string, string> {
  const volumes = new Map<string, string>()
  for (const pod of node.pods.values())
    for (const [volume, driver] of volumesOf(pod, snapshot)) volumes.set(volume, driver)
  return volumes
}

/** Volume to driver; a claim without a volume counts for the driver that will make it. */
function volumesOf({ claims }: PodInfo, { objects }: Snapshot): Map<string, string> {
  const volumes = new Map<string, string>()
  for (const key of claims) {
    const claim = objects.get(persistentVolumeClaim, key)
    if (!claim) continue
    const csi = claim.spec?.volumeName
      ? objects.get(persistentVolume, claim.spec.volumeName)?.spec?.csi
      : undefined
    const driver = csi?.driver ?? (claim.spec?.volumeName ? undefined : classOf(claim, objects)?.provisioner)
    if (driver) volumes.set(csi ? `${driver}/${csi.volumeHandle}` : `claim ${key}`, driver)
  }
  return volumes
}
