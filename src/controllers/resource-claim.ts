/**
 * Claims of devices: those that pods ask for by template are made for them, and devices are given back when the last pod
 * that uses them has ended.
 */
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { type ResourceClaim, resourceClaim } from '../api/kinds/resource-claim.ts'
import { resourceClaimTemplate } from '../api/kinds/resource-claim-template.ts'
import { isPodTerminal } from '../api/pods.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { type Controller, watched } from './controller.ts'

const MADE_FOR = 'resource.kubernetes.io/pod-claim-name'

export const podClaimController: Controller<Pod> = {
  name: 'pod-resource-claims',
  kind: podKind,
  owns: [resourceClaim],
  async reconcile({ client, informers }, pod) {
    const wanted = (pod.spec.resourceClaims ?? []).filter((claim) => claim.resourceClaimTemplateName)
    if (wanted.length === 0 || isBeingDeleted(pod) || isPodTerminal(pod)) return undefined
    const { namespace = '', name: podName, uid = '' } = pod.metadata
    const statuses = [...(pod.status?.resourceClaimStatuses ?? [])]
    const owned = informers.of(resourceClaim).byIndex('owner', uid)
    for (const { name, resourceClaimTemplateName } of wanted) {
      if (statuses.some((status) => status.name === name)) continue
      const template = informers.of(resourceClaimTemplate).get(`${namespace}/${resourceClaimTemplateName}`)
      if (!template) throw new Error(`resource claim template "${resourceClaimTemplateName}" not found`)
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
        type === 'deleted' || isPodTerminal(resource)
          ? informers
              .of(resourceClaim)
              .byIndex('namespace', resource.metadata.namespace ?? '')
              .filter(({ status }) => status?.reservedFor?.some(({ uid }) => uid === resource.metadata.uid))
              .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
          : [],
    }),
  ],
  async reconcile({ client, informers }, claim) {
    const before = claim.status?.reservedFor ?? []
    const { namespace, name, resourceVersion } = claim.metadata
    const left = before.filter(({ resource, name: podName, uid }) => {
      if (resource !== 'pods') return true
      const pod = informers.of(podKind).get(`${namespace}/${podName}`)
      return pod !== undefined && pod.metadata.uid === uid && !isPodTerminal(pod)
    })
    if (left.length === before.length) return undefined
    const status = left.length > 0 ? { reservedFor: left } : { reservedFor: null, allocation: null }
    const patch = { metadata: { resourceVersion }, status }
    await client.patch(resourceClaim, { namespace, name }, 'merge', patch, { subresource: 'status' })
    return undefined
  },
}
