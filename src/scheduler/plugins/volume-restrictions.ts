import type { V1Volume } from '../../api/generated/types.ts'
import { persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { isOwnClaim, type Plugin } from '../plugin.ts'
import { podInfo } from '../pod-info.ts'
import type { Snapshot } from '../snapshot.ts'

const rejectionOf = (reason: string) => ({
  plugin: 'VolumeRestrictions',
  reasons: [reason],
  resolvable: true,
})
const NO_DISK = rejectionOf('node(s) had no available disk')
const CLAIM_IN_USE = rejectionOf(
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
)

interface Wanted {
  /** Disks that pods mount by their own name, without a claim. */
  readonly disks: readonly V1Volume[]
  /** Claims that are for one pod only. */
  readonly claims: readonly string[]
  readonly snapshot: Snapshot
}

/**
 * A disk that a pod names itself is mounted once on a node (GCE, RBD and iSCSI: or read-only by all). A claim of access
 * mode ReadWriteOncePod is for one pod in the whole cluster.
 */
export const volumeRestrictions: Plugin<Wanted> = {
  name: 'VolumeRestrictions',
  watches: [persistentVolumeClaim],
  preFilter(pod, snapshot) {
    const disks = pod.pod.spec.volumes?.filter(isDisk) ?? []
    const claims = pod.claims.filter((key) =>
      snapshot.objects.get(persistentVolumeClaim, key)?.spec?.accessModes?.includes('ReadWriteOncePod'),
    )
    return disks.length + claims.length === 0 ? 'skip' : { state: { disks, claims, snapshot } }
  },
  filter(_, node, { disks, claims, snapshot }) {
    if (disks.length > 0)
      for (const { pod } of node.pods.values()) if (conflict(disks, pod.spec.volumes)) return NO_DISK
    return claims.some((claim) => snapshot.counts.podsWithClaim(claim) > 0) ? CLAIM_IN_USE : undefined
  },
  hints: {
    'pod-removed': ({ pod, claims, namespace }, { pod: gone }) =>
      gone.metadata.namespace === namespace &&
      (podInfo(gone).claims.some((claim) => claims.includes(claim)) ||
        conflict(pod.spec.volumes?.filter(isDisk) ?? [], gone.spec.volumes)),
    'node-added': () => true,
    'object-changed': (pod, event) =>
      event.kind === persistentVolumeClaim && event.change !== 'deleted' && isOwnClaim(pod, event),
  },
}

function isDisk(volume: V1Volume): boolean {
  return Boolean(volume.gcePersistentDisk ?? volume.awsElasticBlockStore ?? volume.rbd ?? volume.iscsi)
}

function conflict(wanted: readonly V1Volume[], used: readonly V1Volume[] = []): boolean {
  return wanted.some((a) => used.some((b) => isSameDisk(a, b)))
}

function isSameDisk(a: V1Volume, b: V1Volume): boolean {
  const isWritten = (x: { readonly readOnly?: boolean | undefined }, y: typeof x) =>
    !(x.readOnly && y.readOnly)
  if (a.gcePersistentDisk && b.gcePersistentDisk)
    return (
      a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName &&
      isWritten(a.gcePersistentDisk, b.gcePersistentDisk)
    )
  if (a.awsElasticBlockStore && b.awsElasticBlockStore)
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID
  if (a.iscsi && b.iscsi) return a.iscsi.iqn === b.iscsi.iqn && isWritten(a.iscsi, b.iscsi)
  if (!a.rbd || !b.rbd) return false
  const { monitors, pool = 'rbd', image } = a.rbd
  return (
    monitors.some((monitor) => b.rbd?.monitors.includes(monitor)) &&
    pool === (b.rbd.pool ?? 'rbd') &&
    image === b.rbd.image &&
    isWritten(a.rbd, b.rbd)
  )
}
