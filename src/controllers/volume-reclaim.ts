/** What becomes of a volume whose claim is gone, by its reclaim policy. Pure. */
import type { PersistentVolume } from '../api/kinds/persistent-volume.ts'
import { PROVISIONED_BY } from './volume-claim-plan.ts'

export type Reclaim =
  | { readonly type: 'keep' | 'delete' | 'recycle' }
  /** The volume is Failed, and stays until a human looks after it. */
  | { readonly type: 'fail'; readonly reason: string; readonly message: string }

export function reclaim({ metadata, spec }: PersistentVolume): Reclaim {
  const { persistentVolumeReclaimPolicy: policy, hostPath, nfs } = spec
  if (policy === 'Delete') {
    if (metadata.annotations?.[PROVISIONED_BY] !== undefined) return { type: 'delete' }
    if (hostPath?.path.match(/^\/tmp\/.+/)) return { type: 'delete' }
    return {
      type: 'fail',
      reason: 'VolumeFailedDelete',
      message: hostPath
        ? `host_path deleter only supports /tmp/.+ but received provided ${hostPath.path}`
        : `error getting deleter volume plugin for volume ${JSON.stringify(metadata.name)}: no volume plugin matched`,
    }
  }
  if (policy !== 'Recycle') return { type: 'keep' }
  return hostPath || nfs
    ? { type: 'recycle' }
    : { type: 'fail', reason: 'VolumeFailedRecycle', message: 'No recycler plugin found for the volume!' }
}
