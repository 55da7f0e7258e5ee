/** The pods and claims of a StatefulSet: names, labels and volumes that stay the same for an ordinal. Pure. */
import type { V1PersistentVolumeClaim, V1PodTemplateSpec, V1Volume } from '../api/generated/types.ts'
import type { PersistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { StatefulSet } from '../api/kinds/stateful-set.ts'
import { controllerReference, type OwnerReference, type Resource } from '../api/resource.ts'
import { REVISION_LABEL } from './controller-revisions.ts'
import { podFromTemplate } from './pod-from-template.ts'

export const POD_NAME = 'statefulset.kubernetes.io/pod-name'
export const POD_INDEX = 'apps.kubernetes.io/pod-index'

export function statefulPod(
  set: StatefulSet,
  template: V1PodTemplateSpec,
  revision: string,
  ordinal: number,
): Pod {
  const name = `${set.metadata.name}-${ordinal}`
  const made = podFromTemplate(template, set)
  const { generateName: _, ...metadata } = made.metadata
  const { serviceName } = set.spec
  return {
    ...made,
    metadata: {
      ...metadata,
      name,
      labels: {
        ...metadata.labels,
        [POD_NAME]: name,
        [POD_INDEX]: String(ordinal),
        [REVISION_LABEL]: revision,
      },
    },
    spec: {
      ...made.spec,
      hostname: name,
      ...(serviceName ? { subdomain: serviceName } : {}),
      ...withClaims(set, ordinal, made.spec.volumes),
    },
  }
}

/** A claim takes the place of a volume of its name. */
function withClaims(set: StatefulSet, ordinal: number, volumes: readonly V1Volume[] = []) {
  const claims = (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({
    name: metadata?.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, metadata?.name ?? '', ordinal), readOnly: false },
  }))
  if (claims.length === 0) return {}
  const names = new Set(claims.map(({ name }) => name))
  return { volumes: [...claims, ...volumes.filter(({ name }) => !names.has(name))] }
}

function claimName(set: StatefulSet, template: string, ordinal: number): string {
  return `${template}-${set.metadata.name}-${ordinal}`
}

/** Labelled so that the set's selector finds them; without an owner unless the retention policy gives them one. */
export function statefulClaims(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template: V1PersistentVolumeClaim) => {
    const { status: _, ...rest } = template
    return {
      ...rest,
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        ...template.metadata,
        name: claimName(set, template.metadata?.name ?? '', ordinal),
        namespace: set.metadata.namespace,
        labels: { ...template.metadata?.labels, ...set.spec.selector.matchLabels },
      },
      spec: template.spec ?? {},
    }
  })
}

/**
 * Who a claim is to go with (KEP-1847): the set with whenDeleted Delete, and with whenScaled Delete the pod that is
 * being scaled away. Other owners stay as they are; where one of them is its controller, or an owner of the same name
 * that went left a claim to be collected, nothing is added. Undefined when nothing changes.
 */
export function claimOwners(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod | undefined,
  isCondemned: boolean,
): readonly OwnerReference[] | undefined {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  const before = claim.metadata.ownerReferences ?? []
  if (isStaleFor(claim, set) || (pod && isStaleFor(claim, pod))) return undefined
  const isOurs = ({ uid }: OwnerReference) => uid === set.metadata.uid || uid === pod?.metadata.uid
  const others = before.filter((owner) => !isOurs(owner))
  const dies = whenScaled === 'Delete' && isCondemned
  const wanted = hasOtherController(claim, set, pod)
    ? others
    : [
        ...others,
        ...(whenDeleted === 'Delete' && !dies ? [referenceTo(set)] : []),
        ...(dies && pod ? [referenceTo(pod)] : []),
      ]
  const said = (owners: readonly OwnerReference[]) =>
    owners.map(({ uid, controller }) => `${uid}${controller}`).join()
  return said(wanted) === said(before) ? undefined : wanted
}

/** Something else manages the claim: the retention policy is not asked then. */
export function hasOtherController(
  { metadata: { ownerReferences = [] } }: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod | undefined,
): boolean {
  return ownerReferences.some(
    ({ uid, controller }) => controller === true && uid !== set.metadata.uid && uid !== pod?.metadata.uid,
  )
}

/** The claim was of one that had this name before: it goes with that one. */
export function isStaleFor({ metadata: { ownerReferences = [] } }: PersistentVolumeClaim, owner: Resource) {
  const { kind, metadata } = owner
  return ownerReferences.some(
    (each) => each.kind === kind && each.name === metadata.name && each.uid !== metadata.uid,
  )
}

function referenceTo(owner: Resource): OwnerReference {
  return { ...controllerReference(owner), controller: true, blockOwnerDeletion: true }
}
