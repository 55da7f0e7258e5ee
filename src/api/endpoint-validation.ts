/** What Endpoints and EndpointSlices may say, in kube-apiserver's words. Pure. */
import { follows, oneOf } from './field-rules.ts'
import type {
  CoreV1EndpointPort,
  DiscoveryV1EndpointPort,
  V1Endpoint,
  V1EndpointAddress,
  V1EndpointSlice,
  V1EndpointSubset,
} from './generated/types.ts'
import { IP_MESSAGE, isIp, isIpv6, specialIp } from './ip-networks.ts'
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from './names.ts'
import { portNumberFaults } from './ports.ts'
import { fault, type StatusCause } from './status.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const TYPES = ['FQDN', 'IPv4', 'IPv6']
const ENDPOINTS_MAX = 1000
const ADDRESSES_MAX = 100
const PORTS_MAX = 20_000
const HINTS_MAX = 8

export function subsetFaults(subsets: readonly V1EndpointSubset[]): StatusCause[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
    const at = `subsets[${i}]`
    return [
      ...(addresses.length + notReadyAddresses.length === 0
        ? [fault.required(at, 'must specify `addresses` or `notReadyAddresses`')]
        : []),
      ...addresses.flatMap((each, j) => addressFaults(each, `${at}.addresses[${j}]`)),
      ...notReadyAddresses.flatMap((each, j) => addressFaults(each, `${at}.notReadyAddresses[${j}]`)),
      ...ports.flatMap((port, j) => portFaults(port, ports.length > 1, `${at}.ports[${j}]`)),
    ]
  })
}

function addressFaults({ ip, hostname, nodeName }: V1EndpointAddress, at: string): StatusCause[] {
  return [
    ...ipFaults(ip, `${at}.ip`),
    ...follows(hostname, dns1123Label, `${at}.hostname`),
    ...follows(nodeName, dns1123Subdomain, `${at}.nodeName`),
  ]
}

function ipFaults(ip: string, at: string): StatusCause[] {
  const why = isIp(ip) ? specialIp(ip) : IP_MESSAGE
  return why ? [fault.invalid(at, ip, why)] : []
}

function portFaults(port: CoreV1EndpointPort, needsName: boolean, at: string): StatusCause[] {
  return [
    ...(needsName && !port.name
      ? [fault.required(`${at}.name`)]
      : follows(port.name, dns1123Label, `${at}.name`)),
    ...portNumberFaults(port.port, `${at}.port`),
    ...oneOf(port.protocol, PROTOCOLS, `${at}.protocol`),
    ...follows(port.appProtocol, qualifiedName, `${at}.appProtocol`),
  ]
}

export function sliceFaults({ addressType, endpoints = [], ports = [] }: V1EndpointSlice): StatusCause[] {
  if (!addressType) return [fault.required('addressType')]
  const wrong = oneOf(addressType, TYPES, 'addressType')
  if (endpoints.length > ENDPOINTS_MAX)
    return [...wrong, fault.tooMany('endpoints', endpoints.length, ENDPOINTS_MAX)]
  wrong.push(...endpoints.flatMap((each, i) => endpointFaults(each, addressType, `endpoints[${i}]`)))
  if (ports.length > PORTS_MAX) return [...wrong, fault.tooMany('ports', ports.length, PORTS_MAX)]
  const names = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const { name = '' } = port
    if (names.has(name)) wrong.push(fault.duplicate(`ports[${i}].name`, name))
    names.add(name)
    wrong.push(...slicePortFaults(port, `ports[${i}]`))
  }
  return wrong
}

function endpointFaults(
  { addresses = [], hints, hostname, nodeName }: V1Endpoint,
  type: string,
  at: string,
): StatusCause[] {
  const wrong =
    addresses.length === 0
      ? [fault.required(`${at}.addresses`, 'must contain at least 1 address')]
      : addresses.length > ADDRESSES_MAX
        ? [fault.tooMany(`${at}.addresses`, addresses.length, ADDRESSES_MAX)]
        : addresses.flatMap((each, i) => typedFaults(each, type, `${at}.addresses[${i}]`))
  wrong.push(
    ...follows(nodeName, dns1123Subdomain, `${at}.nodeName`),
    ...follows(hostname, dns1123Label, `${at}.hostname`),
    ...hintFaults(hints?.forZones, labelValue, `${at}.hints.forZones`),
    ...hintFaults(hints?.forNodes, dns1123Subdomain, `${at}.hints.forNodes`),
  )
  return wrong
}

function typedFaults(address: string, type: string, at: string): StatusCause[] {
  if (type === 'FQDN')
    return address.includes('.')
      ? follows(address, dns1123Subdomain, at)
      : [fault.invalid(at, address, 'should be a domain with at least two segments separated by dots')]
  if (!isIp(address)) return [fault.invalid(at, address, IP_MESSAGE)]
  const special = specialIp(address)
  return [
    ...(isIpv6(address) === (type === 'IPv6')
      ? []
      : [fault.invalid(at, address, `must be an ${type} address`)]),
    ...(special ? [fault.invalid(at, address, special)] : []),
  ]
}

function hintFaults(
  hints: readonly { readonly name: string }[] = [],
  rule: (text: string) => string | undefined,
  at: string,
): StatusCause[] {
  if (hints.length > HINTS_MAX) return [fault.tooMany(at, hints.length, HINTS_MAX)]
  return hints.flatMap(({ name }, i) =>
    hints.findIndex((other) => other.name === name) < i
      ? [fault.duplicate(`${at}[${i}].name`, name)]
      : follows(name, rule, `${at}[${i}].name`),
  )
}

function slicePortFaults(
  { name, protocol, port, appProtocol }: DiscoveryV1EndpointPort,
  at: string,
): StatusCause[] {
  return [
    ...follows(name, dns1123Label, `${at}.name`),
    ...(port === undefined ? [] : portNumberFaults(port, `${at}.port`)),
    ...oneOf(protocol, PROTOCOLS, `${at}.protocol`),
    ...follows(appProtocol, qualifiedName, `${at}.appProtocol`),
  ]
}
