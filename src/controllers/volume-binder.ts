/**
 * Storage of a simulated cluster. Claims get the volume that is reserved for them, a declared one that fits, or one that is
 * made for them: there is no CSI driver here, so this stands in for all of them. Delayed claims (WaitForFirstConsumer)
 * wait for the scheduler. Volumes whose claim is gone are released, and deleted if they were made here.
 */
import { type PersistentVolume, persistentVolume } from '../api/kinds/persistent-volume.ts'
import { type PersistentVolumeClaim, persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { type StorageClass, storageClass } from '../api/kinds/storage-class.ts'
import { isBeingDeleted, keyOf, parseKey } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { storageClassOf } from '../api/volume-access.ts'
import { findVolume, SELECTED_NODE } from '../api/volume-matching.ts'
import type { Client } from '../client/client.ts'
import { type Controller, type ReconcileContext, watched } from './controller.ts'

const NO_PROVISIONER = 'kubernetes.io/no-provisioner'
const OWN_PROVISIONER = 'seamark.dev/hostpath'
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'

export type ClaimStep =
  | { readonly type: 'wait' }
  | { readonly type: 'provision'; readonly volume: PersistentVolume }
  /** The claim names its volume. */
  | { readonly type: 'bind'; readonly volume: PersistentVolume }
  /** The volume names its claim. */
  | { readonly type: 'reserve'; readonly volume: PersistentVolume }
  | { readonly type: 'confirm'; readonly volume: PersistentVolume }
  | { readonly type: 'lose' }

/** The next thing to do for a claim. Pure. */
export function nextClaimStep(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  from: StorageClass | undefined,
): ClaimStep {
  const { uid, namespace, name, annotations = {} } = claim.metadata
  const named = claim.spec.volumeName
  if (named) {
    const volume = volumes.find(({ metadata }) => metadata.name === named)
    if (!volume) return claim.status?.phase === 'Bound' ? { type: 'lose' } : { type: 'wait' }
    if (volume.spec.claimRef?.uid !== uid) {
      const isOurs = volume.spec.claimRef?.namespace === namespace && volume.spec.claimRef?.name === name
      const isFree = volume.spec.claimRef === undefined
      return isFree || (isOurs && !volume.spec.claimRef?.uid) ? { type: 'reserve', volume } : { type: 'wait' }
    }
    return claim.status?.phase === 'Bound' ? { type: 'wait' } : { type: 'confirm', volume }
  }
  const reserved = volumes.find(
    ({ spec }) =>
      spec.claimRef?.namespace === namespace &&
      spec.claimRef?.name === name &&
      (spec.claimRef.uid ?? uid) === uid,
  )
  if (reserved) return { type: 'bind', volume: reserved }
  const isDelayed = from?.volumeBindingMode === 'WaitForFirstConsumer'
  const node = annotations[SELECTED_NODE]
  if (isDelayed && node === undefined) return { type: 'wait' }
  const found = isDelayed ? undefined : findVolume(volumes, claim, undefined, new Set())
  if (found) return { type: 'reserve', volume: found }
  if (storageClassOf(claim) === '' || from?.provisioner === NO_PROVISIONER) return { type: 'wait' }
  return { type: 'provision', volume: provisioned(claim, from, isDelayed ? node : undefined) }
}

function provisioned(
  claim: PersistentVolumeClaim,
  from: StorageClass | undefined,
  node: string | undefined,
): PersistentVolume {
  const { uid, namespace, name: claimName } = claim.metadata
  const name = `pvc-${uid}`
  const hostname = { key: 'kubernetes.io/hostname', operator: 'In', values: [node ?? ''] }
  const storageClassName = storageClassOf(claim)
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { [PROVISIONED_BY]: from?.provisioner ?? OWN_PROVISIONER } },
    spec: {
      capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' },
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: from?.reclaimPolicy ?? 'Delete',
      ...(storageClassName ? { storageClassName } : {}),
      ...(claim.spec.volumeMode ? { volumeMode: claim.spec.volumeMode } : {}),
      hostPath: { path: `/var/lib/seamark/volumes/${name}`, type: 'DirectoryOrCreate' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claimName, uid },
      ...(node
        ? { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } } }
        : {}),
    },
  } as PersistentVolume
}

export const claimBinderController: Controller<PersistentVolumeClaim> = {
  name: 'persistentvolume-binder',
  kind: persistentVolumeClaim,
  concurrency: 1,
  watches: [
    watched<PersistentVolume>({
      kind: persistentVolume,
      keys: ({ resource: { spec } }, informers) =>
        spec.claimRef
          ? [`${spec.claimRef.namespace}/${spec.claimRef.name}`]
          : informers
              .of(persistentVolumeClaim)
              .list()
              .filter((claim) => !claim.spec.volumeName)
              .map(keyOf),
    }),
    watched<StorageClass>({
      kind: storageClass,
      keys: (_, informers) => informers.of(persistentVolumeClaim).list().map(keyOf),
    }),
  ],
  async reconcile(context, claim) {
    if (isBeingDeleted(claim)) return undefined
    const { informers, client } = context
    const from = informers.of(storageClass).get(storageClassOf(claim) ?? '')
    const step = nextClaimStep(claim, informers.of(persistentVolume).list(), from)
    if (step.type === 'provision') {
      await createOnce(context, step.volume)
      context.events.event(
        claim,
        'Normal',
        'ProvisioningSucceeded',
        `Successfully provisioned volume ${step.volume.metadata.name}`,
      )
    } else if (step.type === 'reserve') await reserve(context, claim, step.volume)
    else if (step.type === 'bind')
      await client.update(persistentVolumeClaim, {
        ...claim,
        metadata: {
          ...claim.metadata,
          annotations: {
            ...claim.metadata.annotations,
            [BIND_COMPLETED]: 'yes',
            [BOUND_BY_CONTROLLER]: 'yes',
          },
        },
        spec: { ...claim.spec, volumeName: step.volume.metadata.name },
      })
    else if (step.type === 'confirm' || step.type === 'lose') {
      const status =
        step.type === 'lose'
          ? { phase: 'Lost' }
          : { phase: 'Bound', capacity: step.volume.spec.capacity, accessModes: step.volume.spec.accessModes }
      await client.update(persistentVolumeClaim, { ...claim, status: { ...claim.status, ...status } }, STATUS)
    }
    return undefined
  },
}

const STATUS = { subresource: 'status' } as const

async function createOnce({ client }: ReconcileContext, volume: PersistentVolume): Promise<void> {
  try {
    await client.create(persistentVolume, volume)
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
  }
}

async function reserve(
  { client }: ReconcileContext,
  { metadata }: PersistentVolumeClaim,
  volume: PersistentVolume,
) {
  const { namespace, name, uid } = metadata
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid }
  await client.update(persistentVolume, { ...volume, spec: { ...volume.spec, claimRef } } as PersistentVolume)
}

/** Available, Bound or Released, as the claim it names is. */
export const volumeBinderController: Controller<PersistentVolume> = {
  name: 'persistentvolume-phase',
  kind: persistentVolume,
  watches: [
    watched<PersistentVolumeClaim>({
      kind: persistentVolumeClaim,
      keys: ({ resource: { spec } }) => (spec.volumeName ? [spec.volumeName] : []),
    }),
  ],
  async reconcile({ client, informers }, volume) {
    if (isBeingDeleted(volume)) return undefined
    const { claimRef, persistentVolumeReclaimPolicy } = volume.spec
    const key = `${claimRef?.namespace}/${claimRef?.name}`
    const claim = claimRef && informers.of(persistentVolumeClaim).get(key)
    const isOurs = claim !== undefined && (claimRef?.uid ?? claim.metadata.uid) === claim.metadata.uid
    const isBound = isOurs && claim.spec.volumeName === volume.metadata.name
    const isReleased = claimRef?.uid !== undefined && !isOurs
    const isMadeHere = volume.metadata.annotations?.[PROVISIONED_BY] !== undefined
    const phase = isBound ? 'Bound' : isReleased ? 'Released' : 'Available'
    if (volume.status?.phase !== phase)
      await client.update(persistentVolume, { ...volume, status: { ...volume.status, phase } }, STATUS)
    else if (isReleased && isMadeHere && persistentVolumeReclaimPolicy === 'Delete')
      if (await isGone(client, key, claimRef.uid)) await client.delete(persistentVolume, volume.metadata)
    return undefined
  },
}

/** Asked of the API itself: a volume is not deleted because an informer is behind. */
async function isGone(client: Client, key: string, uid: string | undefined): Promise<boolean> {
  try {
    return (await client.get(persistentVolumeClaim, parseKey(key))).metadata.uid !== uid
  } catch (error) {
    if (isReason(error, 'NotFound')) return true
    throw error
  }
}

/** Makes the claims of a pod's ephemeral volumes; they go with it. */
export const ephemeralVolumeController: Controller<Pod> = {
  name: 'ephemeral-volume',
  kind: podKind,
  async reconcile({ client, informers }, pod) {
    if (isBeingDeleted(pod)) return undefined
    const { namespace, name: podName, uid } = pod.metadata
    for (const { name, ephemeral } of pod.spec.volumes ?? []) {
      const key = `${namespace}/${podName}-${name}`
      const template = ephemeral?.volumeClaimTemplate
      if (!template || informers.of(persistentVolumeClaim).get(key)) continue
      const owner = {
        apiVersion: 'v1',
        kind: 'Pod',
        name: podName,
        uid: uid ?? '',
        controller: true,
        blockOwnerDeletion: true,
      }
      try {
        await client.create(persistentVolumeClaim, {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { ...template.metadata, ...parseKey(key), ownerReferences: [owner] },
          spec: template.spec,
        } as PersistentVolumeClaim)
      } catch (error) {
        if (!isReason(error, 'AlreadyExists')) throw error
      }
    }
    return undefined
  },
}
