/** The endpoints of a service's pods as EndpointSlices have them: by address family and by ports. Pure. */
import type { DiscoveryV1EndpointPort, V1Endpoint, V1EndpointHints } from '../api/generated/types.ts'
import { isIpv6 } from '../api/ip-networks.ts'
import type { Node } from '../api/kinds/node.ts'
import type { Service } from '../api/kinds/service.ts'
import { zoneOf } from '../api/placement.ts'
import { type AddressType, hostnameOf, type ServicePod, targetPortOf, targetRefOf } from './service-pods.ts'
import type { PortGroup } from './slice-plan.ts'

/**
 * Endpoints by the ports they serve: named target ports may lead to different numbers in different pods. A pod of a
 * node that is not there is left out, unless what is not ready is published too.
 */
export function portGroups(
  found: Service,
  pods: readonly ServicePod[],
  type: AddressType,
  nodeOf: (name: string) => Node | undefined,
): PortGroup[] {
  const groups = new Map<string, { ports: DiscoveryV1EndpointPort[]; endpoints: V1Endpoint[] }>()
  for (const each of pods) {
    const endpoint = endpointOf(found, each, type, nodeOf)
    if (!endpoint) continue
    const ports = endpointPorts(found, each)
    const key = ports.map((port) => Object.values(port).join('/')).join()
    const group = groups.get(key) ?? { ports, endpoints: [] }
    group.endpoints.push(endpoint)
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
  { pod, ips, isServing, isTerminating }: ServicePod,
  type: AddressType,
  nodeOf: (name: string) => Node | undefined,
): V1Endpoint | undefined {
  const addresses = ips.filter((ip) => isIpv6(ip) === (type === 'IPv6'))
  const { nodeName } = pod.spec
  const home = nodeName ? nodeOf(nodeName) : undefined
  const publishesAll = found.spec.publishNotReadyAddresses === true
  if (addresses.length === 0 || (!home && !publishesAll)) return undefined
  const zone = home ? zoneOf(home) : ''
  return {
    addresses,
    conditions: {
      ready: publishesAll || (isServing && !isTerminating),
      serving: isServing,
      terminating: isTerminating,
    },
    ...hostnameOf(pod, found),
    ...(nodeName ? { nodeName } : {}),
    targetRef: targetRefOf(pod),
    ...(zone ? { zone } : {}),
  }
}

/**
 * Where spec.trafficDistribution wants an endpoint to be used: in its own zone, with PreferSameNode on its own node too.
 * Undefined where it says nothing, or nothing that is known.
 */
export function nearHints({
  spec,
}: Service): ((endpoint: V1Endpoint) => V1EndpointHints | undefined) | undefined {
  const { trafficDistribution = '' } = spec
  if (!['PreferClose', 'PreferSameZone', 'PreferSameNode'].includes(trafficDistribution)) return undefined
  return ({ conditions, zone, nodeName }) => {
    if (conditions?.ready !== true) return undefined
    const hints = {
      ...(zone ? { forZones: [{ name: zone }] } : {}),
      ...(nodeName && trafficDistribution === 'PreferSameNode' ? { forNodes: [{ name: nodeName }] } : {}),
    }
    return Object.keys(hints).length > 0 ? hints : undefined
  }
}

/** Whether an annotation asks for hints by the CPUs of zones; the older one counts first. */
export function wantsZoneHints({ metadata: { annotations = {} } }: Service): boolean {
  const mode =
    annotations['service.kubernetes.io/topology-aware-hints'] ??
    annotations['service.kubernetes.io/topology-mode']
  return mode === 'Auto' || mode === 'auto'
}
