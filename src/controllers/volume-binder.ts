/**
 * Storage of a simulated cluster: performs what volume-claim-plan.ts decides for claims, and keeps the phase of volumes.
 * Those whose claim is gone are released, then kept, deleted or given back as volume-reclaim.ts says.
 */
import { findCondition } from '../api/conditions.ts'
import { type PersistentVolume, persistentVolume } from '../api/kinds/persistent-volume.ts'
import { type PersistentVolumeClaim, persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { isDefaultClass, type StorageClass, storageClass } from '../api/kinds/storage-class.ts'
import { isBeingDeleted, keyOf, newestOf, parseKey } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { storageClassOf } from '../api/volume-access.ts'
import { formatTime } from '../base/date.ts'
import type { Client } from '../client/client.ts'
import { type Controller, type ReconcileContext, watched } from './controller.ts'
import { type ClaimStep, nextClaimStep, PROVISIONED_BY } from './volume-claim-plan.ts'
import { reclaim } from './volume-reclaim.ts'

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
const STORAGE_PROVISIONER = [
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
]
const STATUS = { subresource: 'status' } as const

export function claimBinderController(): Controller<PersistentVolumeClaim> {
  /** What each waiting claim was last told, so that other objects' changes do not say it again. */
  const told = new Map<string, string>()
  return {
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
      // Only what finds no node: the claim says for whom it waits.
      watched<Pod>({
        kind: podKind,
        keys: ({ type, resource: { metadata, spec, status } }) =>
          type === 'deleted' || findCondition(status?.conditions, 'PodScheduled')?.status !== 'False'
            ? []
            : (spec.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
                claim ? [`${metadata.namespace}/${claim.claimName}`] : [],
              ),
      }),
      watched<StorageClass>({
        kind: storageClass,
        keys: (_, informers) => informers.of(persistentVolumeClaim).list().map(keyOf),
      }),
    ],
    async reconcile(context, claim) {
      if (isBeingDeleted(claim)) return undefined
      const { informers, events } = context
      const classes = informers.of(storageClass)
      const own = classes.get(storageClassOf(claim) ?? '')
      const byDefault = newestOf(classes.list().filter(isDefaultClass))
      const waiting = () =>
        waitingFor(claim, informers.of(podKind).byIndex('namespace', claim.metadata.namespace ?? ''))
      const isDelayed = own?.volumeBindingMode === 'WaitForFirstConsumer' && !claim.spec.volumeName
      const step = nextClaimStep(claim, informers.of(persistentVolume).list(), {
        own,
        byDefault,
        waiting: isDelayed ? waiting() : [],
      })
      await perform(context, claim, step)
      const remark = 'remark' in step ? step.remark : undefined
      const key = keyOf(claim)
      if (!remark) told.delete(key)
      else if (told.get(key) !== remark.message) {
        told.set(key, remark.message)
        events.event(claim, remark.type, remark.reason, remark.message)
      }
      return undefined
    },
    async deleted(_, key) {
      told.delete(key)
      return undefined
    },
  }
}

function waitingFor({ metadata: { name } }: PersistentVolumeClaim, pods: readonly Pod[]): readonly string[] {
  return pods
    .filter(
      ({ spec, metadata }) =>
        !spec.nodeName &&
        !metadata.deletionTimestamp &&
        spec.volumes?.some(({ persistentVolumeClaim: claim }) => claim?.claimName === name),
    )
    .map(({ metadata }) => metadata.name)
    .sort()
}

async function perform(context: ReconcileContext, claim: PersistentVolumeClaim, step: ClaimStep) {
  const { client } = context
  switch (step.type) {
    case 'wait':
      return
    case 'classify':
      await client.update(persistentVolumeClaim, {
        ...claim,
        spec: { ...claim.spec, storageClassName: step.className },
      })
      return
    case 'provision':
      return provision(context, claim, step.volume)
    case 'reserve':
      return reserve(context, claim, step.volume)
    case 'bind': {
      const annotations = { ...claim.metadata.annotations, ...bindingNotes(step.volume) }
      await client.update(persistentVolumeClaim, {
        ...claim,
        metadata: { ...claim.metadata, annotations },
        spec: { ...claim.spec, volumeName: step.volume.metadata.name },
      })
      return
    }
    case 'confirm':
    case 'lose': {
      const status = step.type === 'lose' ? { phase: 'Lost' } : { phase: 'Bound', ...shownOf(step.volume) }
      await client.update(persistentVolumeClaim, { ...claim, status: { ...claim.status, ...status } }, STATUS)
    }
  }
}

function shownOf({ spec }: PersistentVolume) {
  const { capacity, accessModes, volumeAttributesClassName } = spec
  return {
    capacity,
    accessModes,
    ...(volumeAttributesClassName ? { currentVolumeAttributesClassName: volumeAttributesClassName } : {}),
  }
}

function bindingNotes({ metadata }: PersistentVolume): Readonly<Record<string, string>> {
  const maker = metadata.annotations?.[PROVISIONED_BY]
  return {
    [BIND_COMPLETED]: 'yes',
    [BOUND_BY_CONTROLLER]: 'yes',
    ...(maker ? Object.fromEntries(STORAGE_PROVISIONER.map((name) => [name, maker])) : {}),
  }
}

async function provision(
  { client, events }: ReconcileContext,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): Promise<void> {
  const about = JSON.stringify(keyOf(claim))
  events.event(
    claim,
    'Normal',
    'Provisioning',
    `External provisioner is provisioning volume for claim ${about}`,
  )
  try {
    await client.create(persistentVolume, volume)
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
  }
  events.event(
    claim,
    'Normal',
    'ProvisioningSucceeded',
    `Successfully provisioned volume ${volume.metadata.name}`,
  )
}

async function reserve({ client }: ReconcileContext, claim: PersistentVolumeClaim, volume: PersistentVolume) {
  const { namespace, name, uid } = claim.metadata
  const annotations = { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' }
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid }
  await client.update(persistentVolume, {
    ...volume,
    // A volume that its maker reserved stays reserved; only what was added here may be taken back.
    ...(volume.spec.claimRef ? {} : { metadata: { ...volume.metadata, annotations } }),
    spec: { ...volume.spec, claimRef },
  } as PersistentVolume)
}

/** Available, Bound, Released or Failed, as the claim it names is. */
export const volumeBinderController: Controller<PersistentVolume> = {
  name: 'persistentvolume-phase',
  kind: persistentVolume,
  watches: [
    watched<PersistentVolumeClaim>({
      kind: persistentVolumeClaim,
      keys: ({ resource: { metadata, spec }, previous }, informers) => {
        if (!spec.volumeName) return []
        if (previous?.spec.volumeName === spec.volumeName) return [spec.volumeName]
        // Others that were kept for it are free now.
        const kept = informers
          .of(persistentVolume)
          .list()
          .filter(
            (each) =>
              each.spec.claimRef?.name === metadata.name &&
              each.spec.claimRef.namespace === metadata.namespace,
          )
        return [spec.volumeName, ...kept.map((each) => each.metadata.name)]
      },
    }),
  ],
  async reconcile({ env, client, informers, events }, volume) {
    if (isBeingDeleted(volume)) return undefined
    const { claimRef } = volume.spec
    const key = `${claimRef?.namespace}/${claimRef?.name}`
    const claim = claimRef && informers.of(persistentVolumeClaim).get(key)
    const isOurs = claim !== undefined && (claimRef?.uid ?? claim.metadata.uid) === claim.metadata.uid
    const isBound = isOurs && claim.spec.volumeName === volume.metadata.name
    if (isOurs && !isBound && claimRef?.uid && claim.spec.volumeName) return await letGo(client, volume)
    if (isOurs && !isBound && claimRef?.uid && volume.status?.phase) return undefined
    const isReleased = claimRef?.uid !== undefined && !isOurs
    // Asked of the API itself: a volume is not given up because an informer is behind.
    if (isReleased && !(await isGone(client, key, claimRef.uid))) return undefined
    const fate = isReleased ? reclaim(volume) : undefined
    const failure = fate?.type === 'fail' ? fate : undefined
    const phase = isBound ? 'Bound' : failure ? 'Failed' : isReleased ? 'Released' : 'Available'
    if (volume.status?.phase !== phase) {
      if (failure) events.event(volume, 'Warning', failure.reason, failure.message)
      const status = {
        phase,
        lastPhaseTransitionTime: formatTime(env.clock.now()),
        ...(failure ? { message: failure.message } : {}),
      }
      await client.update(persistentVolume, { ...volume, status }, STATUS)
    } else if (fate?.type === 'delete') await client.delete(persistentVolume, volume.metadata)
    else if (fate?.type === 'recycle') {
      const { claimRef: _, ...spec } = volume.spec
      await client.update(persistentVolume, { ...volume, spec } as PersistentVolume)
      events.event(volume, 'Normal', 'VolumeRecycled', 'Volume recycled')
    }
    return undefined
  },
}

/** Its claim has another volume: one that was made for it goes, one that was found for it is free again. */
async function letGo(client: Client, volume: PersistentVolume): Promise<undefined> {
  const { claimRef, persistentVolumeReclaimPolicy, ...spec } = volume.spec
  const { [BOUND_BY_CONTROLLER]: isFound, ...annotations } = volume.metadata.annotations ?? {}
  if (annotations[PROVISIONED_BY] && persistentVolumeReclaimPolicy === 'Delete') {
    const { name, uid } = volume.metadata
    await client.delete(persistentVolume, { name }, { preconditions: { uid } }).catch((error: unknown) => {
      if (!isReason(error, 'NotFound')) throw error
    })
    return undefined
  }
  // What a human reserved stays so, for whichever claim of that name comes.
  const { uid: _, resourceVersion: __, ...reserved } = claimRef ?? {}
  await client.update(persistentVolume, {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: { ...spec, persistentVolumeReclaimPolicy, ...(isFound ? {} : { claimRef: reserved }) },
  } as PersistentVolume)
  return undefined
}

async function isGone(client: Client, key: string, uid: string | undefined): Promise<boolean> {
  try {
    return (await client.get(persistentVolumeClaim, parseKey(key))).metadata.uid !== uid
  } catch (error) {
    if (isReason(error, 'NotFound')) return true
    throw error
  }
}
