/** The pods and claims of a StatefulSet: names, labels and volumes that stay the same for an ordinal. Pure. */
import type { V1PersistentVolumeClaim, V1PodTemplateSpec, V1Volume } from '../api/generated/types.ts'
import type { PersistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { StatefulSet } from '../api/kinds/stateful-set.ts'
import { controllerReference, type OwnerReference, type Resource } from '../api/resource.ts'
import { REVISION_LABEL } from './controller-revisions.ts'
import { podFromTemplate } from './pod-from-template.ts'

const POD_NAME = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX = 'apps.kubernetes.io/pod-index'

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
 * being scaled away. Other owners stay as they are. Undefined when nothing changes.
 */
export function claimOwners(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod | undefined,
  isCondemned: boolean,
): readonly OwnerReference[] | undefined {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  const before = claim.metadata.ownerReferences ?? []
  const isOurs = (owner: OwnerReference) =>
    owner.uid === set.metadata.uid || (owner.kind === 'Pod' && owner.name === pod?.metadata.name)
  const dies = whenScaled === 'Delete' && isCondemned
  const wanted = [
    ...before.filter((owner) => !isOurs(owner)),
    ...(whenDeleted === 'Delete' && !dies ? [referenceTo(set)] : []),
    ...(dies && pod ? [referenceTo(pod)] : []),
  ]
  const uids = (owners: readonly OwnerReference[]) => owners.map(({ uid }) => uid).join()
  return uids(wanted) === uids(before) ? undefined : wanted
}

function referenceTo(owner: Resource): OwnerReference {
  return { ...controllerReference(owner), controller: true, blockOwnerDeletion: true }
}
