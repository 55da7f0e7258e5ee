import type { V1ServicePort } from '../../api/generated/types.ts'
import { type IpRange, isInNetwork, isInRange } from '../../api/ip-range.ts'
import { type IPAddress, ipAddress } from '../../api/kinds/ip-address.ts'
import { type Service, service as serviceKind } from '../../api/kinds/service.ts'
import { API_SERVER_IP, serviceCidr } from '../../api/kinds/service-cidr.ts'
import { type AnyResource, keyOf, parseKey } from '../../api/resource.ts'
import { takesHealthCheckPort, takesNodePorts } from '../../api/service-changes.ts'
import { withFamilies } from '../../api/service-families.ts'
import { ApiError, fault, invalid } from '../../api/status.ts'
import type { Random } from '../../base/random.ts'
import type { Admission, Reader } from './admission.ts'
import { drawn, familiesOf, serviceRanges } from './service-ranges.ts'

/**
 * Gives Services their address families, cluster IPs and node ports. Who has what is remembered, read from the Services
 * that exist once; a memory that says "taken" is checked against the Service it names, so nothing can leak; what a write
 * under way has been given is held until it has happened. Addresses come from service-ranges.ts; node ports
 * 30000–32767 from above the static band of 86 (KEP-3668).
 */
export function serviceAddresses(): Admission {
  const ips = new Owners<string>(({ spec }) => spec.clusterIPs ?? [])
  const ports = new Owners<number>(({ spec }) => [
    ...(spec.ports ?? []).flatMap(({ nodePort }) => nodePort || []),
    ...(spec.healthCheckNodePort ? [spec.healthCheckNodePort] : []),
  ])
  let known: Promise<void> | undefined
  const learn = async (reader: Reader) => {
    for (const service of await reader.all(serviceKind)) {
      ips.learn(service)
      ports.learn(service)
    }
  }
  return {
    name: 'ServiceAddresses',
    concerns: ({ kind, operation, subresource }) =>
      kind === serviceKind && operation !== 'DELETE' && subresource === '',
    async mutate({ object, old, reader, env, onSettled }) {
      const service = normal(object as unknown as Service)
      if (service.spec.type === 'ExternalName') return object
      const ranges = serviceRanges(await reader.all(serviceCidr))
      const before = old as unknown as Service | undefined
      const filled = withFamilies(service, before?.spec, familiesOf(ranges))
      if ('faults' in filled) throw invalid(serviceKind, service.metadata.name, filled.faults)
      const ready = known ?? learn(reader)
      known = ready
      try {
        await ready
      } catch (error) {
        known = undefined
        throw error
      }
      const claim = {
        service: { ...service, spec: filled.spec },
        had: before?.spec.clusterIPs ?? [],
        reader,
        onSettled,
        ranges,
        random: env.random,
      }
      const addressed = await withClusterIps(ips, claim)
      const spec = await withHealthCheckPort(ports, claim, await withNodePorts(ports, claim, addressed))
      return { ...service, spec } as unknown as AnyResource
    },
  }
}

/** clusterIP is the older name of the first of clusterIPs; on creation one may stand for both. */
function normal(service: Service): Service {
  const { clusterIP, clusterIPs = [] } = service.spec
  if (!clusterIP || clusterIPs.length > 0) return service
  return { ...service, spec: { ...service.spec, clusterIPs: [clusterIP] } }
}

interface Claim {
  readonly service: Service
  /** Its addresses before: they stay, also where their range is on its way out. */
  readonly had: readonly string[]
  readonly reader: Reader
  readonly ranges: readonly IpRange[]
  readonly random: Random
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

const PORT_MIN = 30_000
const PORT_MAX = 32_767
const PORT_STATIC_BAND = 86
/** The API server's own ("kubernetes" in "default"): nobody else may have it, also before that Service is there. */
const OWN = { ip: API_SERVER_IP, key: 'default/kubernetes' }

type Spec = Service['spec']

async function withClusterIps(ips: Owners<string>, claim: Claim): Promise<Spec> {
  const { spec } = claim.service
  const { ipFamilies = [], clusterIPs: asked = [] } = spec
  if (spec.clusterIP === 'None') return spec
  const given: string[] = []
  for (const [i, family] of ipFamilies.entries()) {
    const ip = asked[i]
    if (ip && !claim.had.includes(ip)) await claimIp(ips, claim, ip)
    given.push(ip || (await freeIp(ips, claim, family)))
  }
  // What nobody asked a family for is left to validation to name.
  const clusterIPs = [...given, ...asked.slice(given.length)]
  return { ...spec, clusterIP: spec.clusterIP || clusterIPs[0], clusterIPs }
}

async function freeIp(ips: Owners<string>, claim: Claim, family: string): Promise<string> {
  for (const range of claim.ranges.filter((each) => each.family === family))
    for (const ip of drawn(range, claim.random)) if (await takeIp(ips, claim, ip)) return ip
  throw new ApiError('InternalError', 'failed to allocate a serviceIP: range is full')
}

async function claimIp(ips: Owners<string>, claim: Claim, ip: string): Promise<void> {
  const { service, ranges } = claim
  const range = ranges.find(({ cidr }) => isInNetwork(cidr, ip))
  const why = !range
    ? `the provided network does not match the current range; the ranges are ${ranges.map(({ cidr }) => cidr).join(', ')}`
    : !isInRange(range, ip)
      ? `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${range.cidr}`
      : !(await takeIp(ips, claim, ip))
        ? 'provided IP is already allocated'
        : undefined
  if (!why) return
  const told = `failed to allocate IP ${ip}: ${why}`
  throw invalid(serviceKind, service.metadata.name, [
    fault.invalid('spec.clusterIPs', service.spec.clusterIPs, told),
  ])
}

/** An IPAddress that is somebody else's, and not a Service's, holds its address too. */
async function takeIp(ips: Owners<string>, claim: Claim, ip: string): Promise<boolean> {
  if (ip === OWN.ip && keyOf(claim.service) !== OWN.key) return false
  const held = await claim.reader.find<IPAddress>(ipAddress, { name: ip })
  if (held && held.spec.parentRef.resource !== 'services') return false
  return ips.take(ip, claim)
}

function portFault({ metadata }: Service, at: string, port: number, why: string): ApiError {
  return invalid(serviceKind, metadata.name, [fault.invalid(at, port, why)])
}

async function claimPort(owners: Owners<number>, claim: Claim, port: number, at: string): Promise<void> {
  if (port < PORT_MIN || port > PORT_MAX)
    throw portFault(
      claim.service,
      at,
      port,
      `provided port is not in the valid range. The range of valid ports is ${PORT_MIN}-${PORT_MAX}`,
    )
  if (!(await owners.take(port, claim)))
    throw portFault(claim.service, at, port, 'provided port is already allocated')
}

async function withNodePorts(owners: Owners<number>, claim: Claim, spec: Spec): Promise<Spec> {
  if (!takesNodePorts(spec)) return spec
  const taken = new Map<number, V1ServicePort>()
  // Those that are asked for first: a drawn one must not be one of them.
  for (const [i, port] of (spec.ports ?? []).entries()) {
    const { nodePort } = port
    if (!nodePort) continue
    const at = `spec.ports[${i}].nodePort`
    const other = taken.get(nodePort)
    // One number for one port of two protocols.
    if (other && other.protocol === port.protocol)
      throw portFault(claim.service, at, nodePort, 'provided port is already allocated')
    if (!other) await claimPort(owners, claim, nodePort, at)
    taken.set(nodePort, port)
  }
  const isDrawn = spec.type === 'NodePort' || spec.allocateLoadBalancerNodePorts !== false
  const ports: V1ServicePort[] = []
  for (const port of spec.ports ?? []) {
    const twin = ports.find((each) => each.port === port.port && each.protocol !== port.protocol)?.nodePort
    if (port.nodePort || !isDrawn) ports.push(port)
    else ports.push({ ...port, nodePort: twin ?? (await freePort(owners, claim, taken)) })
  }
  return { ...spec, ports }
}

async function withHealthCheckPort(owners: Owners<number>, claim: Claim, spec: Spec): Promise<Spec> {
  if (!takesHealthCheckPort(spec)) return spec
  const { healthCheckNodePort: asked } = spec
  if (asked) {
    await claimPort(owners, claim, asked, 'spec.healthCheckNodePort')
    return spec
  }
  const taken = new Map((spec.ports ?? []).map((port) => [port.nodePort ?? 0, port]))
  return { ...spec, healthCheckNodePort: await freePort(owners, claim, taken) }
}

async function freePort(
  owners: Owners<number>,
  claim: Claim,
  taken: Map<number, V1ServicePort>,
): Promise<number> {
  const dynamic = PORT_MAX - PORT_MIN + 1 - PORT_STATIC_BAND
  const start = claim.random.int(dynamic)
  for (let i = 0; i < dynamic + PORT_STATIC_BAND; i += 1) {
    const offset = i < dynamic ? PORT_STATIC_BAND + ((start + i) % dynamic) : i - dynamic
    const port = PORT_MIN + offset
    if (taken.has(port) || !(await owners.take(port, claim))) continue
    taken.set(port, { port })
    return port
  }
  throw new ApiError('InternalError', 'failed to allocate a nodePort: range is full')
}
