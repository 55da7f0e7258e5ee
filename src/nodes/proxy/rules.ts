import type { EndpointSlice } from '../../api/kinds/endpoint-slice.ts'
import { isHeadless, type Service } from '../../api/kinds/service.ts'

/** Where traffic for one port of a Service goes. */
export interface Rule {
  /** "namespace/name:port" */
  readonly name: string
  readonly protocol: string
  readonly clusterIP: string
  readonly port: number
  readonly nodePort?: number
  /** "ip:port", sorted. Each gets the same share: 1/(n−i) in turn, as the iptables proxy. */
  readonly endpoints: readonly string[]
  /** Endpoints on the proxy's own node, where a policy is Local. */
  readonly localOnly: boolean
  readonly sessionAffinitySeconds?: number
}

/**
 * The rules of one node's proxy (kube-proxy's topology.go, without hints). Ready endpoints are used; when a port has
 * none, those that terminate and still serve. Pure; headless and ExternalName Services have no rules.
 */
export function proxyRules(
  services: readonly Service[],
  slicesOf: (key: string) => readonly EndpointSlice[],
  node: string,
): readonly Rule[] {
  return services.flatMap((service) => {
    const { spec, metadata } = service
    if (isHeadless(service) || spec.type === 'ExternalName' || !spec.clusterIP) return []
    const key = `${metadata.namespace}/${metadata.name}`
    const slices = slicesOf(key)
    const localOnly = spec.internalTrafficPolicy === 'Local'
    return (spec.ports ?? []).map((port) => ({
      name: `${key}${port.name ? `:${port.name}` : ''}`,
      protocol: port.protocol ?? 'TCP',
      clusterIP: spec.clusterIP ?? '',
      port: port.port,
      ...(port.nodePort ? { nodePort: port.nodePort } : {}),
      endpoints: endpointsOf(slices, port.name ?? '', localOnly ? node : undefined),
      localOnly,
      ...(spec.sessionAffinity === 'ClientIP'
        ? { sessionAffinitySeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800 }
        : {}),
    }))
  })
}

function endpointsOf(
  slices: readonly EndpointSlice[],
  portName: string,
  onlyNode: string | undefined,
): readonly string[] {
  const ready: string[] = []
  const terminating: string[] = []
  for (const { endpoints = [], ports = [] } of slices) {
    const port = ports.find(({ name }) => (name ?? '') === portName)?.port
    if (port === undefined) continue
    for (const { addresses, conditions, nodeName } of endpoints) {
      const [address] = addresses
      if (address === undefined || (onlyNode !== undefined && nodeName !== onlyNode)) continue
      if (conditions?.ready !== false) ready.push(`${address}:${port}`)
      else if (conditions.serving && conditions.terminating) terminating.push(`${address}:${port}`)
    }
  }
  return [...new Set(ready.length > 0 ? ready : terminating)].sort()
}
