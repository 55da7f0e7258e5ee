/**
 * Keeps a service's EndpointSlices: its pods become endpoints here, slice-plan.ts spreads them. Slices that somebody
 * changes or deletes are put right again, since they are watched like everything else.
 */
import type { DiscoveryV1EndpointPort, V1Endpoint } from '../api/generated/types.ts'
import { type EndpointSlice, endpointSlice } from '../api/kinds/endpoint-slice.ts'
import { type Node, node } from '../api/kinds/node.ts'
import { pod } from '../api/kinds/pod.ts'
import { isHeadless, type Service, service } from '../api/kinds/service.ts'
import { zoneOf } from '../api/placement.ts'
import { controllerReference, isBeingDeleted } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { canonicalJson, deepEqual } from '../base/json.ts'
import { type Controller, watched } from './controller.ts'
import {
  HEADLESS_LABEL,
  hasSelectedPods,
  hostnameOf,
  podsNear,
  type ServicePod,
  servicePods,
  servicesConcerned,
  targetPortOf,
  targetRefOf,
} from './service-pods.ts'
import { type PortGroup, planSlices } from './slice-plan.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
const MANAGER = 'endpointslice-controller.k8s.io'

export const endpointSliceController: Controller<Service> = {
  name: 'endpointslice',
  kind: service,
  owns: [endpointSlice],
  watches: [
    watched({
      kind: pod,
      keys: servicesConcerned,
    }),
    // The zone of a node is written on its endpoints.
    watched({
      kind: node,
      keys: ({ resource, previous }, informers) => {
        if (previous && zoneOf(previous) === zoneOf(resource)) return []
        const there = informers.of(pod).byIndex('node', resource.metadata.name)
        return there.flatMap((each) => servicesConcerned({ resource: each }, informers))
      },
    }),
  ],
  async reconcile({ client, informers }, found) {
    if (!hasSelectedPods(found) || isBeingDeleted(found)) return undefined
    const pods = servicePods(found, podsNear(found, informers))
    const groups = portGroups(found, pods, (name) => informers.of(node).get(name))
    const existing = informers
      .of(endpointSlice)
      .byIndex('owner', found.metadata.uid ?? '')
      .filter((slice) => slice.metadata.labels?.[MANAGED_BY] === MANAGER && !isBeingDeleted(slice))
    const labels = labelsOf(found)
    const plan = planSlices(groups, existing, (slice) => !deepEqual(slice.metadata.labels, labels))
    for (const group of plan.create) await client.create(endpointSlice, sliceOf(found, labels, group))
    for (const { slice, ports, endpoints } of plan.update) {
      const metadata = { ...slice.metadata, labels }
      await client.update(endpointSlice, { ...slice, metadata, ports, endpoints })
    }
    for (const { metadata } of plan.remove) {
      const { namespace, name, uid } = metadata
      try {
        await client.delete(endpointSlice, { namespace, name }, { preconditions: { uid } })
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    }
    return undefined
  },
}

function labelsOf(found: Service): Record<string, string> {
  const { [HEADLESS_LABEL]: _, ...own } = found.metadata.labels ?? {}
  return {
    ...own,
    [SERVICE_NAME]: found.metadata.name,
    [MANAGED_BY]: MANAGER,
    ...(isHeadless(found) ? { [HEADLESS_LABEL]: '' } : {}),
  }
}

function sliceOf(found: Service, labels: Record<string, string>, group: PortGroup): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: '',
      generateName: `${found.metadata.name}-`,
      namespace: found.metadata.namespace,
      labels,
      ownerReferences: [controllerReference(found)],
    },
    addressType: 'IPv4',
    ports: group.ports,
    endpoints: group.endpoints,
  }
}

/** Endpoints by the ports they serve: named target ports may lead to different numbers in different pods. */
export function portGroups(
  found: Service,
  pods: readonly ServicePod[],
  nodeOf: (name: string) => Node | undefined,
): PortGroup[] {
  const groups = new Map<string, { ports: DiscoveryV1EndpointPort[]; endpoints: V1Endpoint[] }>()
  for (const each of pods) {
    const ports = endpointPorts(found, each)
    const key = canonicalJson(ports)
    const group = groups.get(key) ?? { ports, endpoints: [] }
    group.endpoints.push(endpointOf(found, each, nodeOf))
    groups.set(key, group)
  }
  return groups.size > 0 ? [...groups.values()] : [{ ports: [], endpoints: [] }]
}

function endpointPorts(found: Service, { pod }: ServicePod): DiscoveryV1EndpointPort[] {
  return (found.spec.ports ?? []).flatMap((port) => {
    const target = targetPortOf(pod, port)
    if (target === undefined) return []
    const { name = '', protocol = 'TCP', appProtocol } = port
    return [{ name, protocol, port: target, ...(appProtocol === undefined ? {} : { appProtocol }) }]
  })
}

/** `ready` is what a plain client should use; `serving` is the pod's own word, also while it terminates. */
export function endpointOf(
  found: Service,
  { pod, ip, isServing, isTerminating }: ServicePod,
  nodeOf: (name: string) => Node | undefined,
): V1Endpoint {
  const { nodeName } = pod.spec
  const home = nodeName ? nodeOf(nodeName) : undefined
  const zone = home ? zoneOf(home) : ''
  return {
    addresses: [ip],
    conditions: {
      ready: found.spec.publishNotReadyAddresses === true || (isServing && !isTerminating),
      serving: isServing,
      terminating: isTerminating,
    },
    ...hostnameOf(pod, found),
    ...(nodeName ? { nodeName } : {}),
    targetRef: targetRefOf(pod),
    ...(zone ? { zone } : {}),
  }
}
