/**
 * What an update of a Service keeps although it does not mention it, because it was allocated, and what it drops
 * although it is still there, because its type has no use for it any more (kube-apiserver's patchAllocatedValues,
 * NormalizeClusterIPs and dropTypeDependentFields). Pure.
 */
import { deepEqual } from '../base/json.ts'
import type { V1Service, V1ServicePort } from './generated/types.ts'
import type { Stored } from './resource.ts'

type Service = Stored<V1Service>
type Spec = Service['spec']

export const takesNodePorts = ({ type }: Spec): boolean => type === 'NodePort' || type === 'LoadBalancer'
export const takesHealthCheckPort = ({ type, externalTrafficPolicy }: Spec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'
const hasAddress = ({ type }: Spec): boolean => type !== 'ExternalName'

/** The class of load balancers that are made here. */
const BALANCER_CLASS = 'seamark.dev/simulated'

/** One whose load balancer is made here: it names no class, or ours. */
export function isBalancedHere({ type, loadBalancerClass = BALANCER_CLASS }: Spec): boolean {
  return type === 'LoadBalancer' && loadBalancerClass === BALANCER_CLASS
}

/** One that takes traffic from outside the cluster, so that externalTrafficPolicy means something. */
export function isExternallyAccessible(spec: Spec): boolean {
  return takesNodePorts(spec) || (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0)
}

export function updatedService(sent: Service, { spec: old }: Service): Service {
  const spec = dropped(kept(sent.spec, old), old)
  return spec.type === 'LoadBalancer' ? { ...sent, spec } : { ...sent, spec, status: { loadBalancer: {} } }
}

function kept(sent: Spec, old: Spec): Spec {
  let spec = withAddresses(sent, old)
  if (takesNodePorts(old) && takesNodePorts(spec) && spec.ports)
    spec = { ...spec, ports: keepNodePorts(spec.ports, old.ports ?? []) }
  if (takesHealthCheckPort(old) && takesHealthCheckPort(spec) && !spec.healthCheckNodePort)
    spec = { ...spec, healthCheckNodePort: old.healthCheckNodePort }
  return spec
}

/** clusterIP is the older name of the first of clusterIPs: a client may know only that one. */
function withAddresses(sent: Spec, old: Spec): Spec {
  if (!hasAddress(old) || !hasAddress(sent)) return sent
  const clusterIP = sent.clusterIP || old.clusterIP
  const isSame = clusterIP === old.clusterIP
  const wasSent = sent.clusterIPs !== undefined && sent.clusterIPs.length > 0
  const isReplaced = !isSame && deepEqual(sent.clusterIPs, old.clusterIPs)
  const clusterIPs = isReplaced || !wasSent ? (isSame ? old.clusterIPs : [clusterIP ?? '']) : sent.clusterIPs
  if (!clusterIP) return sent
  return { ...sent, clusterIP, ...(clusterIPs?.length ? { clusterIPs } : {}) }
}

/** By the name of a port, but never one that another port of it has by now. */
function keepNodePorts(ports: readonly V1ServicePort[], old: readonly V1ServicePort[]): V1ServicePort[] {
  const taken = new Set(ports.flatMap(({ nodePort }) => nodePort || []))
  const known = new Map(old.map(({ name = '', nodePort }) => [name, nodePort]))
  return ports.map((port) => {
    const before = known.get(port.name ?? '')
    if (port.nodePort || !before || taken.has(before)) return port
    taken.add(before)
    return { ...port, nodePort: before }
  })
}

function dropped(spec: Spec, old: Spec): Spec {
  const out: { -readonly [K in keyof Spec]: Spec[K] } = { ...spec }
  const isSame = (field: keyof Spec) => deepEqual(spec[field], old[field])
  if (hasAddress(old) && !hasAddress(spec)) {
    if (isSame('clusterIP') && isSame('clusterIPs')) {
      delete out.clusterIP
      delete out.clusterIPs
    }
    if (isSame('ipFamilies')) delete out.ipFamilies
    if (isSame('ipFamilyPolicy')) delete out.ipFamilyPolicy
  }
  if (takesNodePorts(old) && !takesNodePorts(spec)) {
    const before = new Set((old.ports ?? []).flatMap(({ nodePort }) => nodePort || []))
    const hasNew = (spec.ports ?? []).some(({ nodePort }) => nodePort && !before.has(nodePort))
    if (!hasNew && spec.ports) out.ports = spec.ports.map(({ nodePort: _, ...port }) => port)
  }
  if (takesHealthCheckPort(old) && !takesHealthCheckPort(spec) && isSame('healthCheckNodePort'))
    delete out.healthCheckNodePort
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer')
    for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const)
      if (isSame(field)) delete out[field]
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec) && isSame('externalTrafficPolicy'))
    delete out.externalTrafficPolicy
  return out
}
