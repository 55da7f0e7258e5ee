/**
 * What a pod counts for while it is being resized: the sizes it asks for, those it was given and those it runs with may
 * be three different ones. `resourcehelper.PodRequests` with UseStatusResources (determineContainerReqs), and the
 * kubelet's allocations. A pod that is not being resized counts for its spec, which is returned as it is.
 */
import type { V1Container, V1ContainerStatus, V1PodSpec } from './generated/types.ts'
import type { Pod } from './kinds/pod.ts'
import { most, type ResourceList } from './resource-requests.ts'

type List = 'requests' | 'limits'

/** As scheduler and quota count it: the most of all, but nothing of a size that the node can never give. */
export function heldSpec(pod: Pod): V1PodSpec {
  const isInfeasible = isResizeInfeasible(pod)
  return resizedSpec(pod, (asked, { resources, allocatedResources }, list) => {
    const has = most(resources?.[list] ?? {}, list === 'requests' ? (allocatedResources ?? {}) : {})
    return isInfeasible ? has : most(asked, has)
  })
}

/** As its node counts it: what it was given. */
export function allocatedSpec(pod: Pod): V1PodSpec {
  return resizedSpec(pod, (asked, { resources, allocatedResources }, list) =>
    list === 'requests' ? (allocatedResources ?? asked) : (resources?.limits ?? asked),
  )
}

export function isResizing({ status }: Pod): boolean {
  return status?.conditions?.some(({ type }) => type === PENDING || type === 'PodResizeInProgress') === true
}

const PENDING = 'PodResizePending'

/** What the node said of an older generation is no answer to this one. */
function isResizeInfeasible({ metadata, status }: Pod): boolean {
  const condition = status?.conditions?.find(({ type }) => type === PENDING)
  if (condition?.reason !== 'Infeasible') return false
  return condition.observedGeneration === undefined || condition.observedGeneration === metadata.generation
}

function resizedSpec(
  pod: Pod,
  of: (asked: ResourceList, status: V1ContainerStatus, list: List) => ResourceList,
): V1PodSpec {
  const { spec, status } = pod
  if (!isResizing(pod)) return spec
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
  const resized = (container: V1Container): V1Container => {
    const found = statuses.find(({ name }) => name === container.name)
    if (!found) return container
    const { requests = {}, limits = {} } = container.resources ?? {}
    const resources = { requests: of(requests, found, 'requests'), limits: of(limits, found, 'limits') }
    return { ...container, resources: { ...container.resources, ...resources } }
  }
  const { initContainers } = spec
  return {
    ...spec,
    containers: spec.containers.map(resized),
    ...(initContainers ? { initContainers: initContainers.map(resized) } : {}),
  }
}
