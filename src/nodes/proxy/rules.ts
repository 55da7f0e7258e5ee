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
}

/** Where traffic for one port of a Service goes. The same for all nodes: `targetsOf` says what one node makes of it. */
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
    return (spec.ports ?? []).map((port) => ({
      name: `${key}${port.name ? `:${port.name}` : ''}`,
      protocol: port.protocol ?? 'TCP',
      clusterIPs: spec.clusterIPs ?? [spec.clusterIP ?? ''],
      externalIPs: [...(spec.externalIPs ?? []), ...ingressIPs],
      port: port.port,
      nodePort: port.nodePort || undefined,
      backends: backendsOf(slices, port.name ?? ''),
      isInternalLocal: spec.internalTrafficPolicy === 'Local',
      isExternalLocal: spec.externalTrafficPolicy === 'Local',
      affinitySeconds:
        spec.sessionAffinity === 'ClientIP'
          ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
          : undefined,
    }))
  })
}

/**
 * The addresses that `node` sends this traffic to, each with the same share (kube-proxy's topology.go, without hints):
 * the ready ones; where there is none, those that leave and still serve. None: the traffic is refused; where a policy
 * is Local and only other nodes have some, dropped.
 */
export function targetsOf(
  { backends, isInternalLocal, isExternalLocal }: Rule,
  node: string,
  from: 'inside' | 'outside',
): readonly string[] {
  const isLocal = from === 'inside' ? isInternalLocal : isExternalLocal
  const near = isLocal ? backends.filter((backend) => backend.node === node) : backends
  const ready = near.filter(({ isReady }) => isReady)
  const used = ready.length > 0 ? ready : near.filter(({ isLeaving }) => isLeaving)
  return used.map(({ address }) => address)
}

function backendsOf(slices: readonly EndpointSlice[], portName: string): readonly Backend[] {
  const backends = new Map<string, Backend>()
  for (const { endpoints, ports } of slices) {
    const port = ports?.find(({ name }) => (name ?? '') === portName)?.port
    if (port === undefined) continue
    for (const { addresses, conditions, nodeName } of endpoints ?? []) {
      const address = `${addresses[0]}:${port}`
      // An unknown readiness counts as ready. In two slices at once (while it moves): ready in one is ready.
      const isReady = conditions?.ready !== false
      const isLeaving = !isReady && conditions.serving === true && conditions.terminating === true
      if (addresses.length === 0 || backends.get(address)?.isReady) continue
      backends.set(address, { address, node: nodeName, isReady, isLeaving })
    }
  }
  return [...backends.values()].toSorted((a, b) => (a.address < b.address ? -1 : 1))
}
