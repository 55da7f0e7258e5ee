import { type CSINode, csiNode } from '../../api/kinds/csi-node.ts'
import { persistentVolume } from '../../api/kinds/persistent-volume.ts'
import { persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { storageClass } from '../../api/kinds/storage-class.ts'
import { volumeAttachment } from '../../api/kinds/volume-attachment.ts'
import { deepEqual } from '../../base/json.ts'
import { isOwnClaim, type Plugin } from '../plugin.ts'
import { type PodInfo, podInfo } from '../pod-info.ts'
import type { Snapshot } from '../snapshot.ts'
import { driverOf, inTreeVolume, migratedDriver, migratedPlugins } from './csi-migration.ts'
import { classOf } from './storage.ts'

const TOO_MANY = {
  plugin: 'NodeVolumeLimits',
  reasons: ['node(s) exceed max volume count'],
  resolvable: true,
}

interface Wanted {
  readonly snapshot: Snapshot
  /** Volumes that are attached to a node by the word of a VolumeAttachment: volume -> driver. */
  readonly attachedTo: (node: string) => ReadonlyMap<string, string> | undefined
  /** The pod's own volumes, as a node of these handed over plugins counts them. */
  readonly wantedOn: (pod: PodInfo, csi: CSINode) => ReadonlyMap<string, string>
}

/**
 * No more volumes of a CSI driver on a node than its CSINode allows. A volume counts once, however many pods mount it,
 * and also while it is attached without a pod. Volumes of the drivers that were once part of Kubernetes count for the
 * CSI driver that took over, on nodes that say it did.
 */
export const nodeVolumeLimits: Plugin<Wanted> = {
  name: 'NodeVolumeLimits',
  watches: [csiNode, persistentVolumeClaim, persistentVolume, storageClass, volumeAttachment],
  preFilter(pod, snapshot) {
    if (!mountsVolumes(pod)) return 'skip'
    let attached: ReadonlyMap<string, ReadonlyMap<string, string>> | undefined
    const attachedTo = (node: string) => {
      attached ??= attachments(snapshot)
      return attached.get(node)
    }
    const wanted = new Map<string, ReadonlyMap<string, string>>()
    const wantedOn = (info: PodInfo, csi: CSINode) => {
      const migrated = migratedPlugins(csi)
      const known = wanted.get(migrated) ?? volumesOf(info, csi, snapshot)
      wanted.set(migrated, known)
      return known
    }
    return { state: { snapshot, attachedTo, wantedOn } }
  },
  filter(pod, node, { snapshot, attachedTo, wantedOn }) {
    const csi = snapshot.objects.get(csiNode, node.name)
    const limits = limitsOf(csi)
    if (!csi || limits.size === 0) return undefined
    const more = wantedOn(pod, csi)
    if (more.size === 0) return undefined
    const there = new Map(attachedTo(node.name))
    for (const other of node.pods.values())
      if (mountsVolumes(other))
        for (const [volume, driver] of volumesOf(other, csi, snapshot)) there.set(volume, driver)
    for (const [driver, limit] of limits) {
      let wanted = 0
      for (const [volume, its] of more) if (its === driver && !there.has(volume)) wanted += 1
      if (wanted > 0 && countOf(there, driver) + wanted > limit) return TOO_MANY
    }
    return undefined
  },
  hints: {
    'pod-removed': (_, { pod }) => mountsVolumes(podInfo(pod)),
    'node-added': () => true,
    'object-changed': (pod, event) => {
      if (event.kind === volumeAttachment) return event.change === 'deleted'
      if (event.change === 'deleted') return false
      if (event.kind === persistentVolumeClaim) return event.change === 'added' && isOwnClaim(pod, event)
      return (
        event.kind === csiNode &&
        !deepEqual([...limitsOf(event.resource as CSINode)], [...limitsOf(event.previous as CSINode)])
      )
    },
  },
}

function mountsVolumes({ claims, pod }: PodInfo): boolean {
  return claims.length > 0 || (pod.spec.volumes?.some((volume) => inTreeVolume(volume)) ?? false)
}

const known = new WeakMap<CSINode, ReadonlyMap<string, number>>()
const NONE: ReadonlyMap<string, number> = new Map()

/** By driver; worked out once per version of the CSINode. */
function limitsOf(csi: CSINode | undefined): ReadonlyMap<string, number> {
  if (!csi) return NONE
  let limits = known.get(csi)
  if (!limits) {
    limits = new Map(
      (csi.spec.drivers ?? []).flatMap(({ name, allocatable }) =>
        allocatable?.count === undefined ? [] : [[name, allocatable.count]],
      ),
    )
    known.set(csi, limits)
  }
  return limits
}

function countOf(volumes: ReadonlyMap<string, string>, driver: string): number {
  let count = 0
  for (const each of volumes.values()) if (each === driver) count += 1
  return count
}

/** By node. Those of volumes that the API does not know are nobody's. */
function attachments({ objects }: Snapshot): Map<string, Map<string, string>> {
  const byNode = new Map<string, Map<string, string>>()
  for (const { spec } of objects.list(volumeAttachment)) {
    const volume = objects.get(persistentVolume, spec.source.persistentVolumeName ?? '')
    const found = volume && driverOf(volume, objects.get(csiNode, spec.nodeName))
    if (!found) continue
    const volumes = byNode.get(spec.nodeName) ?? new Map<string, string>()
    byNode.set(spec.nodeName, volumes.set(found.volume, found.driver))
  }
  return byNode
}

/** Volume to driver; a claim without a volume counts for the driver that will make it. */
function volumesOf({ claims, pod }: PodInfo, csi: CSINode, { objects }: Snapshot): Map<string, string> {
  const volumes = new Map<string, string>()
  for (const key of claims) {
    const claim = objects.get(persistentVolumeClaim, key)
    if (!claim) continue
    const volume = objects.get(persistentVolume, claim.spec?.volumeName ?? '')
    if (volume) {
      const found = driverOf(volume, csi)
      if (found) volumes.set(found.volume, found.driver)
      continue
    }
    const driver = migratedDriver(classOf(claim, objects)?.provisioner, csi)
    if (driver) volumes.set(`claim ${key}`, driver)
  }
  for (const spec of pod.spec.volumes ?? []) {
    const found = inTreeVolume(spec, csi)
    if (found) volumes.set(found.volume, found.driver)
  }
  return volumes
}
