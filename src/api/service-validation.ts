/** What a Service may say, and what of it may change, in kube-apiserver's words. Pure. */
import { deepEqual } from '../base/json.ts'
import { oneOf } from './field-rules.ts'
import type { V1Service, V1ServicePort } from './generated/types.ts'
import { cidr, IP_MESSAGE, isIp, specialIp } from './ip-networks.ts'
import { dns1123Label, dns1123Subdomain, qualifiedName, validateLabels } from './names.ts'
import { portNumberFaults } from './ports.ts'
import type { Stored } from './resource.ts'
import { isExternallyAccessible, takesHealthCheckPort } from './service-changes.ts'
import { familyOf } from './service-families.ts'
import { fault, type StatusCause } from './status.ts'

type Service = Stored<V1Service>
type Spec = Service['spec']

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const FAMILIES = ['IPv4', 'IPv6']
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
const TRAFFIC_POLICIES = ['Cluster', 'Local']
const DISTRIBUTIONS = ['PreferClose', 'PreferSameNode', 'PreferSameZone']
const PORT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'"
const AFFINITY_SECONDS_MAX = 86_400

export function serviceFaults({ spec }: Service): StatusCause[] {
  return [
    ...typeFaults(spec),
    ...affinityFaults(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...portFaults(spec),
    ...addressFaults(spec),
    ...outsideFaults(spec),
    ...balancerFaults(spec),
    ...oneOf(spec.internalTrafficPolicy, TRAFFIC_POLICIES, 'spec.internalTrafficPolicy'),
    ...oneOf(spec.trafficDistribution, DISTRIBUTIONS, 'spec.trafficDistribution'),
  ]
}

function typeFaults({ type = 'ClusterIP', ports = [], clusterIP, externalName }: Spec): StatusCause[] {
  const wrong: StatusCause[] = []
  if (!TYPES.includes(type)) wrong.push(fault.notSupported('spec.type', type, TYPES))
  if (ports.length === 0 && type !== 'ExternalName' && clusterIP !== 'None')
    wrong.push(fault.required('spec.ports'))
  if (type === 'ExternalName') {
    const name = externalName?.endsWith('.') ? externalName.slice(0, -1) : externalName
    const why = name ? dns1123Subdomain(name) : undefined
    if (!name) wrong.push(fault.required('spec.externalName'))
    else if (why) wrong.push(fault.invalid('spec.externalName', externalName, why))
    if (clusterIP)
      wrong.push(fault.forbidden('spec.clusterIPs[0]', 'may not be set for ExternalName services'))
  } else if ((type === 'LoadBalancer' || type === 'NodePort') && clusterIP === 'None')
    wrong.push(fault.invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`))
  return wrong
}

function affinityFaults({ sessionAffinity = 'None', sessionAffinityConfig }: Spec): StatusCause[] {
  const wrong = oneOf(sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity')
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (
    sessionAffinity === 'ClientIP' &&
    seconds !== undefined &&
    (seconds < 1 || seconds > AFFINITY_SECONDS_MAX)
  )
    wrong.push(
      fault.invalid(
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
        seconds,
        `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`,
      ),
    )
  return wrong
}

function portFaults({ type, ports = [] }: Spec): StatusCause[] {
  const wrong: StatusCause[] = []
  const names = new Set<string>()
  const numbers = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const at = `spec.ports[${i}]`
    wrong.push(...onePort(port, at, ports.length > 1))
    if (port.name && names.has(port.name)) wrong.push(fault.duplicate(`${at}.name`, port.name))
    const id = `${port.protocol ?? 'TCP'}/${port.port}`
    if (numbers.has(id))
      wrong.push(fault.duplicate(at, { protocol: port.protocol ?? 'TCP', port: port.port }))
    names.add(port.name ?? '')
    numbers.add(id)
    if ((type ?? 'ClusterIP') === 'ClusterIP' && port.nodePort)
      wrong.push(fault.forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"))
  }
  return wrong
}

function onePort(port: V1ServicePort, at: string, needsName: boolean): StatusCause[] {
  const wrong: StatusCause[] = []
  if (needsName && !port.name) wrong.push(fault.required(`${at}.name`))
  else if (port.name) {
    const why = dns1123Label(port.name)
    if (why) wrong.push(fault.invalid(`${at}.name`, port.name, why))
  }
  wrong.push(...portNumberFaults(port.port ?? 0, `${at}.port`))
  wrong.push(...oneOf(port.protocol, PROTOCOLS, `${at}.protocol`))
  const { targetPort } = port
  if (typeof targetPort === 'number') wrong.push(...portNumberFaults(targetPort, `${at}.targetPort`))
  if (
    typeof targetPort === 'string' &&
    (targetPort.length > 15 || !PORT_NAME.test(targetPort) || !/[a-z]/.test(targetPort))
  )
    wrong.push(
      fault.invalid(
        `${at}.targetPort`,
        targetPort,
        'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), at least one letter, and be no more than 15 characters',
      ),
    )
  return wrong
}

function addressFaults({
  type,
  clusterIP,
  clusterIPs = [],
  ipFamilies = [],
  ipFamilyPolicy,
}: Spec): StatusCause[] {
  if (type === 'ExternalName') {
    const why = 'may not be set for ExternalName services'
    return [
      ...(ipFamilies.length > 0 ? [fault.forbidden('spec.ipFamilies', why)] : []),
      ...(ipFamilyPolicy !== undefined ? [fault.forbidden('spec.ipFamilyPolicy', why)] : []),
    ]
  }
  const wrong: StatusCause[] = []
  const all = (why: string) => fault.invalid('spec.clusterIPs', clusterIPs, why)
  if (!clusterIP && clusterIPs.length > 0) wrong.push(all('must be empty when `clusterIP` is not specified'))
  else if (clusterIPs.length > 0 && clusterIPs[0] !== clusterIP)
    wrong.push(all('first value must match `clusterIP`'))
  for (const [i, family] of ipFamilies.entries()) {
    wrong.push(...oneOf(family, FAMILIES, `spec.ipFamilies[${i}]`))
    if (ipFamilies.indexOf(family) !== i) wrong.push(fault.duplicate(`spec.ipFamilies[${i}]`, family))
  }
  wrong.push(...oneOf(ipFamilyPolicy, POLICIES, 'spec.ipFamilyPolicy'))
  const bad = clusterIPs.flatMap((ip, i) => {
    if (ip === 'None' && i === 0)
      return clusterIPs.length > 1 ? [all("'None' must be the first and only value")] : []
    return isIp(ip) ? [] : [fault.invalid(`spec.clusterIPs[${i}]`, ip, IP_MESSAGE)]
  })
  wrong.push(...bad)
  if (clusterIPs.length > 2) wrong.push(all('may only hold up to 2 values'))
  if (bad.length > 0) return wrong
  const [first = '', second] = clusterIPs
  if (second !== undefined && familyOf(first) === familyOf(second))
    wrong.push(all('may specify no more than one IP for each IP family'))
  if (first === 'None') return wrong
  for (const [i, ip] of clusterIPs.entries()) {
    const expected = ipFamilies[i]
    if (expected !== undefined && FAMILIES.includes(expected) && familyOf(ip) !== expected)
      wrong.push(
        fault.invalid(
          `spec.clusterIPs[${i}]`,
          ip,
          `expected an ${expected} value as indicated by \`ipFamilies[${i}]\``,
        ),
      )
  }
  return wrong
}

function outsideFaults(spec: Spec): StatusCause[] {
  const { externalIPs = [], externalTrafficPolicy: policy, healthCheckNodePort: healthPort } = spec
  const wrong = externalIPs.flatMap((ip, i) => {
    const why = isIp(ip) ? specialIp(ip) : IP_MESSAGE
    return why ? [fault.invalid(`spec.externalIPs[${i}]`, ip, why)] : []
  })
  if (policy !== undefined && !isExternallyAccessible(spec))
    wrong.push(
      fault.invalid(
        'spec.externalTrafficPolicy',
        policy,
        'may only be set for externally-accessible services',
      ),
    )
  else wrong.push(...oneOf(policy, TRAFFIC_POLICIES, 'spec.externalTrafficPolicy'))
  if (!healthPort) return wrong
  if (!takesHealthCheckPort(spec))
    wrong.push(
      fault.invalid(
        'spec.healthCheckNodePort',
        healthPort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    )
  else wrong.push(...portNumberFaults(healthPort, 'spec.healthCheckNodePort'))
  return wrong
}

function balancerFaults(spec: Spec): StatusCause[] {
  const { loadBalancerSourceRanges: ranges = [], loadBalancerClass, type } = spec
  const isBalanced = type === 'LoadBalancer'
  const wrong: StatusCause[] = []
  if (ranges.length > 0 && !isBalanced)
    wrong.push(fault.forbidden('spec.LoadBalancerSourceRanges', ONLY_BALANCED))
  for (const [i, range] of ranges.entries()) {
    const why = cidr(range.trim())
    if (why) wrong.push(fault.invalid(`spec.loadBalancerSourceRanges[${i}]`, range, why))
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalanced)
    wrong.push(fault.forbidden('spec.allocateLoadBalancerNodePorts', ONLY_BALANCED))
  if (loadBalancerClass === undefined) return wrong
  const why = qualifiedName(loadBalancerClass)
  if (!isBalanced) wrong.push(fault.forbidden('spec.loadBalancerClass', ONLY_BALANCED))
  else if (why) wrong.push(fault.invalid('spec.loadBalancerClass', loadBalancerClass, why))
  return wrong
}

export function serviceUpdateFaults({ spec }: Service, { spec: old }: Service): StatusCause[] {
  const wrong: StatusCause[] = []
  if (spec.type !== 'ExternalName' && old.type !== 'ExternalName') {
    const isHeadless = spec.clusterIP === 'None' && old.clusterIP === 'None'
    if (!isHeadless) wrong.push(...changed('clusterIP', spec.clusterIPs, old.clusterIPs, spec))
    wrong.push(...changed('ipFamily', spec.ipFamilies, old.ipFamilies, spec))
  }
  if (
    old.type === 'LoadBalancer' &&
    spec.type === 'LoadBalancer' &&
    spec.loadBalancerClass !== old.loadBalancerClass
  )
    wrong.push(fault.invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'))
  if (
    takesHealthCheckPort(old) &&
    takesHealthCheckPort(spec) &&
    (spec.healthCheckNodePort ?? 0) !== (old.healthCheckNodePort ?? 0)
  )
    wrong.push(fault.forbidden('spec.healthCheckNodePort', 'field is immutable'))
  return wrong
}

/** The first one stays; a second one may come, and go again where the policy says so. */
function changed(
  what: 'clusterIP' | 'ipFamily',
  now: readonly string[] = [],
  before: readonly string[] = [],
  { ipFamilyPolicy }: Spec,
): StatusCause[] {
  const field = what === 'clusterIP' ? 'spec.clusterIPs' : 'spec.ipFamilies'
  if (before.length === 0 || deepEqual(now, before)) return []
  if (now.length === 0) return [fault.invalid(`${field}[0]`, now, `primary ${what} can not be unset`)]
  const kept = Math.min(now.length, before.length)
  const wrong = before
    .slice(0, kept)
    .flatMap((value, i) =>
      now[i] === value ? [] : [fault.invalid(`${field}[${i}]`, now, 'may not change once set')],
    )
  if (now.length < before.length && ipFamilyPolicy !== 'SingleStack')
    wrong.push(
      fault.invalid(
        'spec.ipFamilyPolicy',
        ipFamilyPolicy,
        `must be set to 'SingleStack' when releasing the secondary ${what}`,
      ),
    )
  return wrong
}
