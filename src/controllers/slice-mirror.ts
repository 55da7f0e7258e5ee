/**
 * What the EndpointSlices of an Endpoints object by hand have to be: one slice for each address family of each set of
 * ports, with at most 1000 addresses of a subset, labels and annotations copied. Pure.
 */
import type { CoreV1EndpointPort, V1Endpoint, V1EndpointAddress } from '../api/generated/types.ts'
import { isIp, isIpv6 } from '../api/ip-networks.ts'
import type { EndpointSlice } from '../api/kinds/endpoint-slice.ts'
import type { Endpoints } from '../api/kinds/endpoints.ts'
import { canonicalJson, deepEqual } from '../base/json.ts'
import { SERVICE_NAME, SLICE_MANAGED_BY } from './service-pods.ts'
import type { PortGroup } from './slice-plan.ts'
import { TRIGGER_TIME } from './trigger-times.ts'

export const MIRROR_MANAGER = 'endpointslicemirroring-controller.k8s.io'
const ADDRESSES_MAX = 1000
const NOT_COPIED = [TRIGGER_TIME, 'kubectl.kubernetes.io/last-applied-configuration']

type Group = PortGroup & { readonly addressType: string }

export interface MirrorPlan {
  readonly create: readonly Group[]
  readonly update: readonly (Group & { readonly slice: EndpointSlice })[]
  readonly remove: readonly EndpointSlice[]
  /** Addresses that are none, and those beyond the thousandth of a subset. */
  readonly invalid: number
  readonly tooMany: number
}

/** Whether its author, or its use as a lock, asks for no mirror. */
export function isMirrored({ metadata: { labels, annotations } }: Endpoints): boolean {
  return (
    labels?.['endpointslice.kubernetes.io/skip-mirror'] !== 'true' &&
    annotations?.['control-plane.alpha.kubernetes.io/leader'] === undefined
  )
}

export function mirroredLabels({ metadata }: Endpoints): Record<string, string> {
  return { ...metadata.labels, [SERVICE_NAME]: metadata.name, [SLICE_MANAGED_BY]: MIRROR_MANAGER }
}

export function mirroredAnnotations({ metadata }: Endpoints): Record<string, string> {
  const copied = Object.entries(metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.includes(key))
  return Object.fromEntries(copied)
}

export function planMirror(source: Endpoints, existing: readonly EndpointSlice[]): MirrorPlan {
  const { groups, invalid, tooMany } = wantedGroups(source)
  const left = [...existing]
  const create: Group[] = []
  const update: (Group & { readonly slice: EndpointSlice })[] = []
  for (const group of groups) {
    const at = left.findIndex((slice) => keyOfSlice(slice) === keyOfSlice(group))
    const slice = at < 0 ? undefined : left.splice(at, 1)[0]
    if (!slice) create.push(group)
    else if (!isSame(source, slice, group)) update.push({ ...group, slice })
  }
  // A slice that would go carries what would be made, where the address type, which is immutable, allows it.
  const fresh = create.filter((group) => {
    const at = left.findIndex(({ addressType }) => addressType === group.addressType)
    const slice = at < 0 ? undefined : left.splice(at, 1)[0]
    if (slice) update.push({ ...group, slice })
    return !slice
  })
  return { create: fresh, update, remove: left, invalid, tooMany }
}

function keyOfSlice({ addressType, ports }: Pick<EndpointSlice, 'addressType' | 'ports'>): string {
  return `${addressType}/${(ports ?? []).map(canonicalJson).sort().join()}`
}

function isSame(source: Endpoints, { metadata, endpoints }: EndpointSlice, group: Group): boolean {
  return (
    deepEqual(endpoints ?? [], group.endpoints) &&
    deepEqual(metadata.labels ?? {}, mirroredLabels(source)) &&
    deepEqual(metadata.annotations ?? {}, mirroredAnnotations(source))
  )
}

function wantedGroups({ subsets = [] }: Endpoints) {
  const groups = new Map<string, Group & { readonly endpoints: V1Endpoint[] }>()
  let invalid = 0
  let tooMany = 0
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ]
    const valid = all.filter(({ address }) => isIp(address.ip))
    invalid += all.length - valid.length
    tooMany += Math.max(0, valid.length - ADDRESSES_MAX)
    const slicePorts = ports.map(slicePort)
    for (const { address, ready } of valid.slice(0, ADDRESSES_MAX)) {
      const addressType = isIpv6(address.ip) ? 'IPv6' : 'IPv4'
      const key = keyOfSlice({ addressType, ports: slicePorts })
      const group = groups.get(key) ?? { addressType, ports: slicePorts, endpoints: [] }
      if (group.endpoints.length < ADDRESSES_MAX) group.endpoints.push(endpointOf(address, ready))
      groups.set(key, group)
    }
  }
  return { groups: [...groups.values()], invalid, tooMany }
}

function slicePort({ name = '', port, protocol = 'TCP', appProtocol }: CoreV1EndpointPort) {
  return { name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }
}

function endpointOf({ ip, hostname, nodeName, targetRef }: V1EndpointAddress, ready: boolean): V1Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  }
}
