import { isIpv6 } from '../../api/ip-networks.ts'
import type { EndpointSlice } from '../../api/kinds/endpoint-slice.ts'
import { isHeadless, type Service } from '../../api/kinds/service.ts'

/** One address behind a Service. */
interface Backend {
  /** "ip:port" */
  readonly address: string
  readonly node: string | undefined
  readonly isReady: boolean
  /** Terminates, and still serves: used when nothing is ready. */
  readonly isLeaving: boolean
  /** Nodes and zones it should be used from; empty: it says nothing. */
  readonly forNodes: readonly string[]
  readonly forZones: readonly string[]
}

/** Where a connection begins. */
export interface Place {
  readonly node: string
  /** Empty: not known. */
  readonly zone: string
}

/** Where traffic for one port and address family of a Service goes. The same for all nodes: `targetsOf` says what one node makes of it. */
export interface Rule {
  /** "namespace/name:port" */
  readonly name: string
  readonly protocol: string
  /** Cluster IPs, external IPs and load balancer addresses, each with `port`. */
  readonly clusterIPs: readonly string[]
  readonly externalIPs: readonly string[]
  readonly port: number
  readonly nodePort: number | undefined
  /** Sorted by address. */
  readonly backends: readonly Backend[]
  /** Traffic from pods stays on its node. */
  readonly isInternalLocal: boolean
  /** Traffic from outside (node port, external IP) stays on the node it comes to, and keeps its source. */
  readonly isExternalLocal: boolean
  /** A client keeps its backend for so long; undefined: no affinity. */
  readonly affinitySeconds: number | undefined
}

/** The rules of the cluster's Services; headless and ExternalName ones have none. Pure. */
export function proxyRules(
  services: readonly Service[],
  slicesOf: (key: string) => readonly EndpointSlice[],
): readonly Rule[] {
  return services.flatMap((service) => {
    const { spec, metadata, status } = service
    if (isHeadless(service) || spec.type === 'ExternalName' || !spec.clusterIP) return []
    const key = `${metadata.namespace}/${metadata.name}`
    const slices = slicesOf(key)
    const ingressIPs = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []))
    const families = spec.ipFamilies?.length ? spec.ipFamilies : [familyOf(spec.clusterIP)]
    const affinitySeconds =
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
        : undefined
    return families.flatMap((family) => {
      const isSpoken = (ip: string) => familyOf(ip) === family
      const own = slices.filter(({ addressType }) => addressType === family)
      return (spec.ports ?? []).map((port) => ({
        name: `${key}${port.name ? `:${port.name}` : ''}`,
        protocol: port.protocol ?? 'TCP',
        clusterIPs: (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter(isSpoken),
        externalIPs: [...(spec.externalIPs ?? []), ...ingressIPs].filter(isSpoken),
        port: port.port,
        nodePort: port.nodePort || undefined,
        backends: backendsOf(own, port.name ?? ''),
        isInternalLocal: spec.internalTrafficPolicy === 'Local',
        isExternalLocal: spec.externalTrafficPolicy === 'Local',
        affinitySeconds,
      }))
    })
  })
}

const familyOf = (ip: string) => (isIpv6(ip) ? 'IPv6' : 'IPv4')

/**
 * The addresses that this place sends the traffic to, each with the same share (kube-proxy's topology.go): the ready
 * ones that hints mean for it; where there is none, all those that leave and still serve. None: the traffic is refused;
 * where a policy is Local, which minds no hints, and only other nodes have some, dropped.
 */
export function targetsOf(
  { backends, isInternalLocal, isExternalLocal }: Rule,
  place: Place,
  from: 'inside' | 'outside',
): readonly string[] {
  const isLocal = from === 'inside' ? isInternalLocal : isExternalLocal
  const near = isLocal ? backends.filter(({ node }) => node === place.node) : backends
  const ready = near.filter(({ isReady }) => isReady)
  const meant = isLocal ? ready : hintedFor(ready, place)
  const used = meant.length > 0 ? meant : near.filter(({ isLeaving }) => isLeaving)
  return used.map(({ address }) => address)
}

/** Hints count when all ready endpoints have some and one of them is for this place: of its node first, then its zone. */
function hintedFor(ready: readonly Backend[], { node, zone }: Place): readonly Backend[] {
  const chosen = (hintsOf: (backend: Backend) => readonly string[], own: string) =>
    ready.every((each) => hintsOf(each).length > 0) ? ready.filter((each) => hintsOf(each).includes(own)) : []
  const onNode = chosen(({ forNodes }) => forNodes, node)
  if (onNode.length > 0) return onNode
  const inZone = chosen(({ forZones }) => forZones, zone)
  return inZone.length > 0 ? inZone : ready
}

function backendsOf(slices: readonly EndpointSlice[], portName: string): readonly Backend[] {
  const backends = new Map<string, Backend>()
  for (const { endpoints, ports } of slices) {
    const port = ports?.find(({ name }) => (name ?? '') === portName)?.port
    if (port === undefined) continue
    for (const { addresses, conditions, nodeName, hints } of endpoints ?? []) {
      const [ip = ''] = addresses
      const address = isIpv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`
      // An unknown readiness counts as ready. In two slices at once (while it moves): ready in one is ready.
      const isReady = conditions?.ready !== false
      const isLeaving = !isReady && conditions.serving === true && conditions.terminating === true
      if (addresses.length === 0 || backends.get(address)?.isReady) continue
      const forNodes = hints?.forNodes?.map(({ name }) => name) ?? []
      const forZones = hints?.forZones?.map(({ name }) => name) ?? []
      backends.set(address, { address, node: nodeName, isReady, isLeaving, forNodes, forZones })
    }
  }
  return [...backends.values()].toSorted((a, b) => (a.address < b.address ? -1 : 1))
}
