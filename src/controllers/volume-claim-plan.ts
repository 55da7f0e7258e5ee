/**
 * What becomes of a claim: the volume it names, the one that is reserved for it, a declared one that fits, or one that
 * is made for it. There is no CSI driver here, so volumes are made for classes of every provisioner. Delayed claims
 * (WaitForFirstConsumer) wait for the scheduler.
 */
import type { PersistentVolume } from '../api/kinds/persistent-volume.ts'
import type { PersistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import type { StorageClass } from '../api/kinds/storage-class.ts'
import { compareQuantities } from '../api/quantity.ts'
import { storageClassOf } from '../api/volume-access.ts'
import { findVolume, SELECTED_NODE } from '../api/volume-matching.ts'
import { OWN_PROVISIONER } from './default-storage-class.ts'

const NO_PROVISIONER = 'kubernetes.io/no-provisioner'
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'

/** An event about the claim, in the words of Kubernetes' binder. */
interface Remark {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export type ClaimStep =
  | { readonly type: 'wait'; readonly remark?: Remark }
  /** It asks for the default class, and that came after it. */
  | { readonly type: 'classify'; readonly className: string }
  | { readonly type: 'provision'; readonly volume: PersistentVolume }
  /** The claim names its volume. */
  | { readonly type: 'bind'; readonly volume: PersistentVolume }
  /** The volume names its claim. */
  | { readonly type: 'reserve'; readonly volume: PersistentVolume }
  | { readonly type: 'confirm'; readonly volume: PersistentVolume }
  | { readonly type: 'lose'; readonly remark: Remark }

/** The classes that matter to a claim: its own, and the default one. */
export interface ClaimClasses {
  readonly own: StorageClass | undefined
  readonly byDefault?: StorageClass | undefined
  /** Names of the pods that mount the claim and have no node yet. */
  readonly waiting?: readonly string[] | undefined
}

/** The next thing to do for a claim. Pure. */
export function nextClaimStep(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  { own, byDefault, waiting = [] }: ClaimClasses,
): ClaimStep {
  if (claim.spec.volumeName) return stepTo(claim.spec.volumeName, claim, volumes)
  const { uid, namespace, name, annotations = {} } = claim.metadata
  const reserved = volumes.find(
    ({ spec }) =>
      spec.claimRef?.namespace === namespace &&
      spec.claimRef?.name === name &&
      (spec.claimRef.uid ?? uid) === uid,
  )
  if (reserved) return { type: 'bind', volume: reserved }
  const isDelayed = own?.volumeBindingMode === 'WaitForFirstConsumer'
  const node = annotations[SELECTED_NODE]
  if (isDelayed && node === undefined)
    return waiting.length === 0
      ? waits('Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
      : waits(
          'Normal',
          'WaitForPodScheduled',
          `waiting for pod${waiting.length > 1 ? 's' : ''} ${waiting.join(',')} to be scheduled`,
        )
  const found = isDelayed ? undefined : findVolume(volumes, claim, undefined, new Set())
  if (found) return { type: 'reserve', volume: found }
  const className = storageClassOf(claim)
  if (className === undefined && byDefault) return { type: 'classify', className: byDefault.metadata.name }
  if (!className)
    return waits(
      'Normal',
      'FailedBinding',
      'no persistent volumes available for this claim and no storage class is set',
    )
  if (own?.provisioner === NO_PROVISIONER)
    return waits('Warning', 'ProvisioningFailed', `no volume plugin matched name: ${NO_PROVISIONER}`)
  return { type: 'provision', volume: provisioned(claim, own, isDelayed ? node : undefined) }
}

/** Of a claim that names its volume. */
function stepTo(name: string, claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[]): ClaimStep {
  const volume = volumes.find(({ metadata }) => metadata.name === name)
  const isBound = claim.status?.phase === 'Bound'
  if (!volume)
    return isBound
      ? loses('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
      : { type: 'wait' }
  const { claimRef } = volume.spec
  const { uid, namespace, name: claimName } = claim.metadata
  if (claimRef?.uid === uid) return isBound ? { type: 'wait' } : { type: 'confirm', volume }
  const isOurs = claimRef?.namespace === namespace && claimRef?.name === claimName && !claimRef?.uid
  if (claimRef && !isOurs)
    return isBound
      ? loses('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
      : waits(
          'Warning',
          'FailedBinding',
          `volume ${JSON.stringify(name)} already bound to a different claim.`,
        )
  const why = isBound ? undefined : mismatch(claim, volume)
  return why
    ? waits('Warning', 'VolumeMismatch', `Cannot bind to requested volume ${JSON.stringify(name)}: ${why}`)
    : { type: 'reserve', volume }
}

/** Why a claim cannot have the volume it names. */
function mismatch(claim: PersistentVolumeClaim, volume: PersistentVolume): string | undefined {
  const { spec } = volume
  const asked = claim.spec.resources?.requests?.['storage'] ?? '0'
  if (compareQuantities(spec.capacity?.['storage'] ?? '0', asked) < 0) return 'requested PV is too small'
  if ((storageClassOf(volume) ?? '') !== (storageClassOf(claim) ?? ''))
    return 'storageClassName does not match'
  if ((spec.volumeAttributesClassName ?? '') !== (claim.spec.volumeAttributesClassName ?? ''))
    return 'volumeAttributesClassName does not match'
  if ((spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem'))
    return 'incompatible volumeMode'
  return (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode))
    ? undefined
    : 'incompatible accessMode'
}

function waits(type: Remark['type'], reason: string, message: string): ClaimStep {
  return { type: 'wait', remark: { type, reason, message } }
}

function loses(reason: string, message: string): ClaimStep {
  return { type: 'lose', remark: { type: 'Warning', reason, message } }
}

function provisioned(
  claim: PersistentVolumeClaim,
  own: StorageClass | undefined,
  node: string | undefined,
): PersistentVolume {
  const { uid, namespace, name: claimName } = claim.metadata
  const name = `pvc-${uid}`
  const hostname = { key: 'kubernetes.io/hostname', operator: 'In', values: [node ?? ''] }
  const storageClassName = storageClassOf(claim)
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { [PROVISIONED_BY]: own?.provisioner ?? OWN_PROVISIONER } },
    spec: {
      capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' },
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: own?.reclaimPolicy ?? 'Delete',
      ...(storageClassName ? { storageClassName } : {}),
      ...(claim.spec.volumeMode ? { volumeMode: claim.spec.volumeMode } : {}),
      ...(claim.spec.volumeAttributesClassName
        ? { volumeAttributesClassName: claim.spec.volumeAttributesClassName }
        : {}),
      hostPath: { path: `/var/lib/seamark/volumes/${name}`, type: 'DirectoryOrCreate' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claimName, uid },
      ...(node
        ? { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } } }
        : {}),
    },
  } as PersistentVolume
}
