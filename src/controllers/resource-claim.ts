/**
 * Claims of devices: those that pods ask for by template are made for them, and devices are given back when the last pod
 * that uses them has ended.
 */
import type { V1ResourceClaimConsumerReference } from '../api/generated/types.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { type ResourceClaim, resourceClaim } from '../api/kinds/resource-claim.ts'
import { resourceClaimTemplate } from '../api/kinds/resource-claim-template.ts'
import { isPodTerminal } from '../api/pods.ts'
import { controllerOf, isBeingDeleted, keyOf } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { type Controller, type ReconcileContext, watched } from './controller.ts'

const PROTECTION = 'resource.kubernetes.io/delete-protection'
const MADE_FOR = 'resource.kubernetes.io/pod-claim-name'

export const podClaimController: Controller<Pod> = {
  name: 'pod-resource-claims',
  kind: podKind,
  owns: [resourceClaim],
  async reconcile({ client, informers, events }, pod) {
    const wanted = (pod.spec.resourceClaims ?? []).filter((claim) => claim.resourceClaimTemplateName)
    if (wanted.length === 0 || isBeingDeleted(pod) || isPodTerminal(pod)) return undefined
    const { namespace = '', name: podName, uid = '' } = pod.metadata
    const statuses = [...(pod.status?.resourceClaimStatuses ?? [])]
    const owned = informers.of(resourceClaim).byIndex('owner', uid)
    for (const { name, resourceClaimTemplateName } of wanted) {
      if (statuses.some((status) => status.name === name)) continue
      const template = informers.of(resourceClaimTemplate).get(`${namespace}/${resourceClaimTemplateName}`)
      if (!template) {
        const missing = `resource claim template "${resourceClaimTemplateName}": resourceclaimtemplate.resource.k8s.io "${resourceClaimTemplateName}" not found`
        events.event(pod, 'Warning', 'FailedResourceClaimCreation', `PodResourceClaim ${name}: ${missing}`)
        throw new Error(missing)
      }
      const known = owned.find(({ metadata }) => metadata.annotations?.[MADE_FOR] === name)
      const { labels, annotations } = template.spec.metadata ?? {}
      const made =
        known ??
        (await client.create(resourceClaim, {
          apiVersion: 'resource.k8s.io/v1',
          kind: 'ResourceClaim',
          metadata: {
            name: '',
            generateName: `${podName}-${name}-`,
            namespace,
            labels: labels ?? {},
            annotations: { ...annotations, [MADE_FOR]: name },
            ownerReferences: [
              {
                apiVersion: 'v1',
                kind: 'Pod',
                name: podName,
                uid,
                controller: true,
                blockOwnerDeletion: true,
              },
            ],
          },
          spec: template.spec.spec,
        }))
      statuses.push({ name, resourceClaimName: made.metadata.name })
    }
    if (statuses.length === (pod.status?.resourceClaimStatuses ?? []).length) return undefined
    const patch = { metadata: { uid }, status: { resourceClaimStatuses: statuses } }
    await client.patch(podKind, { namespace, name: podName }, 'merge', patch, { subresource: 'status' })
    return undefined
  },
}

export const resourceClaimController: Controller<ResourceClaim> = {
  name: 'resource-claim',
  kind: resourceClaim,
  watches: [
    watched<Pod>({
      kind: podKind,
      keys: ({ type, resource }, informers) =>
        type === 'deleted' || isPodDone(resource)
          ? informers
              .of(resourceClaim)
              .byIndex('namespace', resource.metadata.namespace ?? '')
              .filter(
                (claim) =>
                  controllerOf(claim)?.uid === resource.metadata.uid ||
                  claim.status?.reservedFor?.some(({ uid }) => uid === resource.metadata.uid),
              )
              .map(keyOf)
          : [],
    }),
  ],
  async reconcile(context, claim) {
    const { client } = context
    const { namespace, name, uid, resourceVersion } = claim.metadata
    const before = claim.status?.reservedFor ?? []
    const left = []
    for (const user of before) if (await mayUse(context, claim, user)) left.push(user)
    const isFree = left.length === 0
    const isAllocated = claim.status?.allocation !== undefined
    const write = async (patch: object, subresource?: 'status') =>
      await client.patch(
        resourceClaim,
        { namespace, name },
        'merge',
        patch,
        subresource ? { subresource } : {},
      )
    // While devices are given to it, it stays: whoever deletes it waits for its pods.
    if (left.length < before.length || (isFree && isAllocated && isBeingDeleted(claim))) {
      const status = isFree ? { reservedFor: null, allocation: null } : { reservedFor: left }
      await write({ metadata: { resourceVersion }, status }, 'status')
    } else if (isProtected(claim) === isAllocated || (isBeingDeleted(claim) && isAllocated)) {
      if (isFree && (await isOfDonePod(context, claim)))
        await client
          .delete(resourceClaim, { namespace, name }, { preconditions: { uid } })
          .catch((error: unknown) => {
            if (!isReason(error, 'NotFound')) throw error
          })
    } else {
      const others = (claim.metadata.finalizers ?? []).filter((each) => each !== PROTECTION)
      await write({
        metadata: { resourceVersion, finalizers: isAllocated ? [...others, PROTECTION] : others },
      })
    }
    return undefined
  },
}

function isProtected({ metadata }: ResourceClaim): boolean {
  return metadata.finalizers?.includes(PROTECTION) === true
}

function isPodDone(pod: Pod): boolean {
  return isPodTerminal(pod) || (isBeingDeleted(pod) && !pod.spec.nodeName)
}

/** A pod that is not seen may be newer than the view: then the API is asked. */
async function mayUse(
  { client, informers }: ReconcileContext,
  { metadata: { namespace } }: ResourceClaim,
  { resource, name, uid }: V1ResourceClaimConsumerReference,
): Promise<boolean> {
  if (resource !== 'pods') return true
  const seen = informers.of(podKind).get(`${namespace}/${name}`)
  if (seen && seen.metadata.uid === uid) return !isPodDone(seen)
  try {
    const live = await client.get(podKind, { namespace, name })
    return live.metadata.uid === uid && !isPodDone(live)
  } catch (error) {
    if (isReason(error, 'NotFound')) return false
    throw error
  }
}

/** One that was made for a pod goes when the pod has ended; when the pod is gone the garbage collector takes it. */
async function isOfDonePod({ informers }: ReconcileContext, claim: ResourceClaim): Promise<boolean> {
  const owner = controllerOf(claim)
  if (owner?.kind !== 'Pod' || isBeingDeleted(claim)) return false
  const pod = informers.of(podKind).get(`${claim.metadata.namespace}/${owner.name}`)
  return pod !== undefined && (pod.metadata.uid !== owner.uid || isPodDone(pod))
}
