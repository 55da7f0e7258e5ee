/** The subsets of an Endpoints object: addresses grouped by the very same ports, ready and not ready apart. Pure. */
import type { CoreV1EndpointPort, V1EndpointAddress, V1EndpointSubset } from '../api/generated/types.ts'
import { isHeadless, type Service } from '../api/kinds/service.ts'
import { canonicalJson } from '../base/json.ts'
import { hostnameOf, type ServicePod, targetPortOf, targetRefOf } from './service-pods.ts'

/** More addresses than this are cut off, ready ones first kept. */
const ADDRESSES_MAX = 1000

interface Subset {
  readonly ports: CoreV1EndpointPort[]
  readonly ready: V1EndpointAddress[]
  readonly notReady: V1EndpointAddress[]
}

export function endpointSubsets(
  service: Service,
  pods: readonly ServicePod[],
): { readonly subsets: readonly V1EndpointSubset[]; readonly isTruncated: boolean } {
  const publishesAll = service.spec.publishNotReadyAddresses === true
  const subsets = new Map<string, Subset>()
  const counted = pods.filter(({ isTerminating }) => publishesAll || !isTerminating)
  const ordered = counted.toSorted(
    (a, b) => Number(b.isServing) - Number(a.isServing) || compareText(a.ip, b.ip),
  )
  for (const each of ordered.slice(0, ADDRESSES_MAX)) {
    const ports = portsOf(service, each)
    if (ports.length === 0 && !(isHeadless(service) && !service.spec.ports?.length)) continue
    const key = canonicalJson(ports)
    const subset = subsets.get(key) ?? { ports, ready: [], notReady: [] }
    const list = publishesAll || each.isServing ? subset.ready : subset.notReady
    list.push(addressOf(service, each))
    subsets.set(key, subset)
  }
  return {
    isTruncated: ordered.length > ADDRESSES_MAX,
    subsets: [...subsets.entries()]
      .toSorted(([a], [b]) => compareText(a, b))
      .map(([, { ports, ready, notReady }]) => ({
        ...(ready.length > 0 ? { addresses: ready } : {}),
        ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
        ...(ports.length > 0 ? { ports } : {}),
      })),
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function portsOf(service: Service, { pod }: ServicePod): CoreV1EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const target = targetPortOf(pod, port)
    if (target === undefined) return []
    const { name, protocol = 'TCP', appProtocol } = port
    return [
      {
        ...(name ? { name } : {}),
        port: target,
        protocol,
        ...(appProtocol === undefined ? {} : { appProtocol }),
      },
    ]
  })
}

function addressOf(service: Service, { pod, ip }: ServicePod): V1EndpointAddress {
  const { nodeName } = pod.spec
  return {
    ip,
    ...hostnameOf(pod, service),
    ...(nodeName ? { nodeName } : {}),
    targetRef: targetRefOf(pod),
  }
}
