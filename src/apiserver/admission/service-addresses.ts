import type { V1ServicePort } from '../../api/generated/types.ts'
import { type Service, service as serviceKind } from '../../api/kinds/service.ts'
import { type AnyResource, keyOf, parseKey } from '../../api/resource.ts'
import { fault, invalid } from '../../api/status.ts'
import type { Random } from '../../base/random.ts'
import type { Admission, Reader } from './admission.ts'

/**
 * Gives Services their cluster IPs and node ports. Who has what is remembered, read from the Services that exist once;
 * a memory that says "taken" is checked against the Service it names, so nothing can leak; what a write under way has
 * been given is held until it has happened. Addresses: 10.96.0.0/16; dynamic ones come from above the static band of
 * min(max(16, size/16), 256), node ports 30000–32767 from above 86 (KEP-3070).
 */
export function serviceAddresses(): Admission {
  const ips = new Owners<string>(({ spec }) => spec.clusterIPs ?? [])
  const ports = new Owners<number>(({ spec }) => (spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []))
  let known: Promise<void> | undefined
  const learn = async (reader: Reader) => {
    for (const service of await reader.all(serviceKind)) {
      ips.learn(service)
      ports.learn(service)
    }
  }
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
      const ready = known ?? learn(reader)
      known = ready
      try {
        await ready
      } catch (error) {
        known = undefined
        throw error
      }
      const claim = { service, reader, onSettled }
      if (wantsIp !== undefined) await claimIp(ips, claim, wantsIp)
      const ip = wantsIp ?? (needsIp ? await freeIp(ips, claim, env.random) : undefined)
      const given = takesPorts ? await withNodePorts(ports, claim, env.random) : service.spec.ports
      const spec = {
        ...service.spec,
        ...(ip === undefined ? {} : { clusterIP: ip, clusterIPs: [ip] }),
        ...(given ? { ports: given } : {}),
      }
      return { ...service, spec } as unknown as AnyResource
    },
  }
}

interface Claim {
  readonly service: Service
  readonly reader: Reader
  onSettled(release: () => void): void
}

/** Which Service has which address or port. */
class Owners<T> {
  readonly #of: (service: Service) => readonly T[]
  readonly #owners = new Map<T, string>()
  readonly #held = new Map<T, string>()

  constructor(of: (service: Service) => readonly T[]) {
    this.#of = of
  }

  learn(service: Service): void {
    for (const each of this.#of(service)) this.#owners.set(each, keyOf(service))
  }

  /** Takes it for the Service and returns true, unless another one has it or is about to have it. */
  async take(wanted: T, { service, reader, onSettled }: Claim): Promise<boolean> {
    const key = keyOf(service)
    const owner = this.#owners.get(wanted)
    if (owner !== undefined && owner !== key) {
      const found = await reader.find<Service>(serviceKind, parseKey(owner))
      if (found && this.#of(found).includes(wanted)) return false
    }
    const holder = this.#held.get(wanted)
    if (holder !== undefined && holder !== key) return false
    this.#owners.set(wanted, key)
    this.#held.set(wanted, key)
    onSettled(() => {
      if (this.#held.get(wanted) === key) this.#held.delete(wanted)
    })
    return true
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

async function freeIp(ips: Owners<string>, claim: Claim, random: Random): Promise<string> {
  const start = STATIC_BAND + random.int(SIZE - STATIC_BAND)
  for (let i = 0; i < SIZE; i += 1) {
    const ip = ipAt((start + i) % SIZE)
    if (!RESERVED.has(ip) && (await ips.take(ip, claim))) return ip
  }
  throw invalid(serviceKind, '', [
    fault.invalid('spec.clusterIPs', [], 'failed to allocate IP: range is full'),
  ])
}

async function claimIp(ips: Owners<string>, claim: Claim, ip: string): Promise<void> {
  const { service } = claim
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
    : !(await ips.take(ip, claim))
      ? `failed to allocate IP ${ip}: provided IP is already allocated`
      : undefined
  if (why) throw invalid(serviceKind, service.metadata.name, [fault.invalid('spec.clusterIPs', [ip], why)])
}

async function withNodePorts(owners: Owners<number>, claim: Claim, random: Random): Promise<V1ServicePort[]> {
  const { service } = claim
  const ports: V1ServicePort[] = []
  const taken = new Set<number>()
  // Those that are asked for first: a drawn one must not be one of them.
  for (const [i, { nodePort }] of (service.spec.ports ?? []).entries()) {
    if (!nodePort) continue
    const at = `spec.ports[${i}].nodePort`
    const isInRange = nodePort >= PORT_MIN && nodePort <= PORT_MAX
    const why = !isInRange
      ? 'provided port is not in the valid range. The range of valid ports is 30000-32767'
      : taken.has(nodePort) || !(await owners.take(nodePort, claim))
        ? 'provided port is already allocated'
        : undefined
    if (why) throw invalid(serviceKind, service.metadata.name, [fault.invalid(at, nodePort, why)])
    taken.add(nodePort)
  }
  for (const port of service.spec.ports ?? [])
    ports.push(port.nodePort ? port : { ...port, nodePort: await freePort(owners, claim, random, taken) })
  return ports
}

async function freePort(
  owners: Owners<number>,
  claim: Claim,
  random: Random,
  taken: Set<number>,
): Promise<number> {
  const dynamic = PORT_MAX - PORT_MIN + 1 - PORT_STATIC_BAND
  const start = random.int(dynamic)
  for (let i = 0; i < dynamic; i += 1) {
    const port = PORT_MIN + PORT_STATIC_BAND + ((start + i) % dynamic)
    if (taken.has(port) || !(await owners.take(port, claim))) continue
    taken.add(port)
    return port
  }
  throw invalid(serviceKind, '', [
    fault.invalid('spec.ports', [], 'failed to allocate a nodePort: range is full'),
  ])
}
