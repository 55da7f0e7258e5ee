/** The subsets of an Endpoints object: addresses grouped by the very same ports, ready and not ready apart. Pure. */
import type { CoreV1EndpointPort, V1EndpointAddress, V1EndpointSubset } from '../api/generated/types.ts'
import { isIpv6 } from '../api/ip-networks.ts'
import { isHeadless, type Service } from '../api/kinds/service.ts'
import { canonicalJson } from '../base/json.ts'
import { familiesOf, hostnameOf, type ServicePod, targetPortOf, targetRefOf } from './service-pods.ts'

/** More addresses than this are cut off. */
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
  const [family] = familiesOf(service)
  const counted = pods.flatMap((each) => {
    const ip = each.ips.find((address) => isIpv6(address) === (family === 'IPv6'))
    return ip !== undefined && (publishesAll || !each.isTerminating) ? [{ ...each, ip }] : []
  })
  const ordered = counted.toSorted((a, b) => compareText(a.ip, b.ip))
  for (const each of ordered) {
    const ports = portsOf(service, each)
    if (ports.length === 0 && !(isHeadless(service) && !service.spec.ports?.length)) continue
    const key = canonicalJson(ports)
    const subset = subsets.get(key) ?? { ports, ready: [], notReady: [] }
    const list = publishesAll || each.isServing ? subset.ready : subset.notReady
    list.push(addressOf(service, each))
    subsets.set(key, subset)
  }
  const sorted = [...subsets.entries()].toSorted(([a], [b]) => compareText(a, b)).map(([, subset]) => subset)
  const kept = truncated(sorted)
  return {
    isTruncated: kept !== sorted,
    subsets: kept.map(({ ports, ready, notReady }) => ({
      ...(ready.length > 0 ? { addresses: ready } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
      ...(ports.length > 0 ? { ports } : {}),
    })),
  }
}

/** Ready addresses first; where not all of a sort fit, each subset keeps its part of them, rounded up. */
function truncated(subsets: readonly Subset[]): readonly Subset[] {
  const count = (of: 'ready' | 'notReady') => subsets.reduce((sum, each) => sum + each[of].length, 0)
  const ready = count('ready')
  const notReady = count('notReady')
  if (ready + notReady <= ADDRESSES_MAX) return subsets
  const [cut, total, room] =
    ready > ADDRESSES_MAX
      ? (['ready', ready, ADDRESSES_MAX] as const)
      : (['notReady', notReady, ADDRESSES_MAX - ready] as const)
  let left: number = room
  const kept = subsets.map((subset) => {
    const part = Math.min(left, Math.ceil((subset[cut].length / total) * room))
    left -= part
    const some = subset[cut].slice(0, part)
    return cut === 'ready' ? { ...subset, ready: some, notReady: [] } : { ...subset, notReady: some }
  })
  return kept.filter((each) => each.ready.length + each.notReady.length > 0)
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

function addressOf(service: Service, { pod, ip }: ServicePod & { readonly ip: string }): V1EndpointAddress {
  const { nodeName } = pod.spec
  return {
    ip,
    ...hostnameOf(pod, service),
    ...(nodeName ? { nodeName } : {}),
    targetRef: targetRefOf(pod),
  }
}
