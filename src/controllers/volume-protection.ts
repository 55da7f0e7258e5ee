/**
 * Takes the protection finalizers away: from a claim that is being deleted once no pod that has a node uses it, and
 * from a volume once it is bound to no claim.
 */
import { type PersistentVolume, persistentVolume } from '../api/kinds/persistent-volume.ts'
import { type PersistentVolumeClaim, persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { controllerOf, isBeingDeleted, type Resource } from '../api/resource.ts'
import { PV_PROTECTION, PVC_PROTECTION } from '../api/volume-access.ts'
import { type Controller, watched } from './controller.ts'

export const claimProtectionController: Controller<PersistentVolumeClaim> = {
  name: 'pvc-protection',
  kind: persistentVolumeClaim,
  watches: [
    watched({
      kind: podKind,
      keys: ({ resource }) =>
        [...claimsOf(resource)].map((name) => `${resource.metadata.namespace ?? ''}/${name}`),
    }),
  ],
  async reconcile({ client, informers }, claim) {
    if (!isHeld(claim, PVC_PROTECTION)) return undefined
    const { namespace } = claim.metadata
    const isUsed = informers
      .of(podKind)
      .byIndex('namespace', namespace ?? '')
      .some((pod) => uses(pod, claim))
    if (!isUsed) await client.update(persistentVolumeClaim, without(claim, PVC_PROTECTION))
    return undefined
  },
}

export const volumeProtectionController: Controller<PersistentVolume> = {
  name: 'pv-protection',
  kind: persistentVolume,
  async reconcile({ client }, volume) {
    if (isHeld(volume, PV_PROTECTION) && volume.status?.phase !== 'Bound')
      await client.update(persistentVolume, without(volume, PV_PROTECTION))
    return undefined
  },
}

/**
 * A pod that has a node may have the claim mounted, also when it has ended, until it is deleted. Where the claim was made
 * for the pod it is enough that nothing of it runs any more: the pod may itself be waiting for its claim to go.
 */
export function uses(pod: Pod, claim: PersistentVolumeClaim): boolean {
  const { name } = claim.metadata
  const { metadata, spec } = pod
  if (!spec.nodeName) return false
  const isShutDown = isBeingDeleted(pod) && metadata.deletionGracePeriodSeconds === 0
  return (spec.volumes ?? []).some(
    (volume) =>
      volume.persistentVolumeClaim?.claimName === name ||
      (!isShutDown &&
        volume.ephemeral !== undefined &&
        `${metadata.name}-${volume.name}` === name &&
        controllerOf(claim)?.uid === metadata.uid),
  )
}

/** Names of the claims a pod mounts, also of those that are made for it. */
function claimsOf({ metadata, spec }: Pod): ReadonlySet<string> {
  return new Set(
    (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim: claim, ephemeral }) =>
      claim ? [claim.claimName] : ephemeral ? [`${metadata.name}-${name}`] : [],
    ),
  )
}

function isHeld(resource: Resource, finalizer: string): boolean {
  return isBeingDeleted(resource) && resource.metadata.finalizers?.includes(finalizer) === true
}

function without<R extends Resource>(resource: R, finalizer: string): R {
  const finalizers = resource.metadata.finalizers?.filter((each) => each !== finalizer)
  return { ...resource, metadata: { ...resource.metadata, finalizers } }
}
