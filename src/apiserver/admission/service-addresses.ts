import type { V1ServicePort } from '../../api/generated/types.ts'
import { type Service, service as serviceKind } from '../../api/kinds/service.ts'
import { type AnyResource, keyOf } from '../../api/resource.ts'
import { fault, invalid } from '../../api/status.ts'
import type { Random } from '../../base/random.ts'
import type { Admission } from './admission.ts'

/**
 * Gives Services their cluster IPs and node ports. What is taken is read from the Services that exist, so nothing can
 * leak; what a write under way has been given is held until it has happened. Addresses: 10.96.0.0/16; dynamic ones come
 * from above the static band of min(max(16, size/16), 256), node ports 30000–32767 from above 86 (KEP-3070).
 */
export function serviceAddresses(): Admission {
  const heldIps = new Set<string>()
  const heldPorts = new Set<number>()
  return {
    name: 'ServiceAddresses',
    async mutate({ operation, kind, subresource, object, reader, env, onSettled }) {
      if (kind !== serviceKind || operation === 'DELETE' || subresource !== '') return object
      const service = object as unknown as Service
      if (service.spec.type === 'ExternalName') return object
      const needsIp = !service.spec.clusterIP
      const wantsIp =
        service.spec.clusterIP && service.spec.clusterIP !== 'None' ? service.spec.clusterIP : undefined
      const takesPorts = service.spec.type === 'NodePort' || service.spec.type === 'LoadBalancer'
      if (!needsIp && wantsIp === undefined && !takesPorts) return object
      const others = (await reader.all(serviceKind)).filter((other) => keyOf(other) !== keyOf(service))
      const usedIps = new Set([...others.flatMap(({ spec }) => spec.clusterIPs ?? []), ...heldIps])
      const usedPorts = new Set([
        ...others.flatMap(({ spec }) => (spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? [])),
        ...heldPorts,
      ])
      if (wantsIp !== undefined) checkIp(service, wantsIp, usedIps)
      const ip = wantsIp ?? (needsIp ? freeIp(usedIps, env.random) : undefined)
      const ports = takesPorts ? withNodePorts(service, usedPorts, env.random) : service.spec.ports
      if (ip !== undefined) {
        heldIps.add(ip)
        onSettled(() => heldIps.delete(ip))
      }
      for (const { nodePort } of ports ?? []) {
        if (nodePort === undefined) continue
        heldPorts.add(nodePort)
        onSettled(() => heldPorts.delete(nodePort))
      }
      const spec = {
        ...service.spec,
        ...(ip === undefined ? {} : { clusterIP: ip, clusterIPs: [ip] }),
        ...(ports ? { ports } : {}),
      }
      return { ...service, spec } as unknown as AnyResource
    },
  }
}

const SIZE = 65_536
const STATIC_BAND = 256
/** 10.96.0.1 is the API server's own ("kubernetes"). */
const RESERVED = new Set(['10.96.0.0', '10.96.0.1', '10.96.255.255'])
const PORT_MIN = 30_000
const PORT_MAX = 32_767
const PORT_STATIC_BAND = 86

function ipAt(offset: number): string {
  return `10.96.${offset >> 8}.${offset & 255}`
}

function freeIp(used: ReadonlySet<string>, random: Random): string {
  const start = STATIC_BAND + random.int(SIZE - STATIC_BAND)
  for (let i = 0; i < SIZE; i += 1) {
    const ip = ipAt((start + i) % SIZE)
    if (!used.has(ip) && !RESERVED.has(ip)) return ip
  }
  throw invalid(serviceKind, '', [
    fault.invalid('spec.clusterIPs', [], 'failed to allocate IP: range is full'),
  ])
}

function checkIp(service: Service, ip: string, used: ReadonlySet<string>): void {
  const parts = ip.split('.')
  const isInRange =
    parts.length === 4 &&
    parts[0] === '10' &&
    parts[1] === '96' &&
    parts.slice(2).every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  const why = !isInRange
    ? 'failed to allocate IP ' +
      ip +
      ': the provided IP (' +
      ip +
      ') is not in the valid range. The range of valid IPs is 10.96.0.0/16'
    : used.has(ip)
      ? `failed to allocate IP ${ip}: provided IP is already allocated`
      : undefined
  if (why) throw invalid(serviceKind, service.metadata.name, [fault.invalid('spec.clusterIPs', [ip], why)])
}

function withNodePorts(service: Service, used: Set<number>, random: Random): V1ServicePort[] {
  return (service.spec.ports ?? []).map((port, i) => {
    if (!port.nodePort) return { ...port, nodePort: freePort(used, random) }
    const at = `spec.ports[${i}].nodePort`
    if (port.nodePort < PORT_MIN || port.nodePort > PORT_MAX) {
      throw invalid(serviceKind, service.metadata.name, [
        fault.invalid(
          at,
          port.nodePort,
          'provided port is not in the valid range. The range of valid ports is 30000-32767',
        ),
      ])
    }
    if (used.has(port.nodePort))
      throw invalid(serviceKind, service.metadata.name, [
        fault.invalid(at, port.nodePort, 'provided port is already allocated'),
      ])
    used.add(port.nodePort)
    return port
  })
}

function freePort(used: Set<number>, random: Random): number {
  const dynamic = PORT_MAX - PORT_MIN + 1 - PORT_STATIC_BAND
  const start = random.int(dynamic)
  for (let i = 0; i < dynamic; i += 1) {
    const port = PORT_MIN + PORT_STATIC_BAND + ((start + i) % dynamic)
    if (used.has(port)) continue
    used.add(port)
    return port
  }
  throw invalid(serviceKind, '', [
    fault.invalid('spec.ports', [], 'failed to allocate a nodePort: range is full'),
  ])
}
