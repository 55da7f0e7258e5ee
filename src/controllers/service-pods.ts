/** What endpoints know of a pod behind a service, and which services a change of a pod concerns. */
import type { V1ServicePort } from '../api/generated/types.ts'
import { isIpv6 } from '../api/ip-networks.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { type Service, service } from '../api/kinds/service.ts'
import { isPodReady, isPodTerminal, isSidecar } from '../api/pods.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import { mapSelectorMatches } from '../api/selectors.ts'
import { deepEqual } from '../base/json.ts'
import { pairIn } from '../client/index-by.ts'
import type { InformerChange } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'

export const SERVICE_NAME = 'kubernetes.io/service-name'
export const SLICE_MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
export const HEADLESS_LABEL = 'service.kubernetes.io/headless'

export type AddressType = 'IPv4' | 'IPv6'

export interface ServicePod {
  readonly pod: Pod
  /** Of both families. */
  readonly ips: readonly string[]
  /** Its own readiness, whatever the service publishes. */
  readonly isServing: boolean
  readonly isTerminating: boolean
}

/** A service whose endpoints are made from its pods; those without a selector belong to their author. */
export function hasSelectedPods(service: Service): boolean {
  return service.spec.type !== 'ExternalName' && hasSelector(service)
}

export function hasSelector({ spec }: Service): boolean {
  return Object.keys(spec.selector ?? {}).length > 0
}

/** By name. Pods without an address and finished ones are nobody's endpoints. */
export function servicePods(service: Service, pods: readonly Pod[]): ServicePod[] {
  return pods
    .filter((pod) => mapSelectorMatches(service.spec.selector, pod.metadata.labels) && !isPodTerminal(pod))
    .flatMap((pod) => {
      const ips = ipsOf(pod)
      return ips.length > 0
        ? [{ pod, ips, isServing: isPodReady(pod), isTerminating: isBeingDeleted(pod) }]
        : []
    })
    .toSorted((a, b) => (a.pod.metadata.name < b.pod.metadata.name ? -1 : 1))
}

function ipsOf({ status }: Pod): readonly string[] {
  if (status?.podIPs?.length) return status.podIPs.map(({ ip }) => ip)
  return status?.podIP ? [status.podIP] : []
}

/** The address families of a service; of an address only, where it does not say them. */
export function familiesOf({ spec }: Service): readonly AddressType[] {
  const said = (spec.ipFamilies ?? []).filter((family) => family === 'IPv4' || family === 'IPv6')
  if (said.length > 0) return said
  return [isIpv6(spec.clusterIP ?? '') ? 'IPv6' : 'IPv4']
}

/** The number a service port leads to in this pod; undefined when it names a port the pod does not have. */
export function targetPortOf({ spec }: Pod, port: V1ServicePort): number | undefined {
  const { targetPort = port.port } = port
  if (typeof targetPort === 'number') return targetPort === 0 ? port.port : targetPort
  const containers = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)]
  return containers
    .flatMap(({ ports = [] }) => ports)
    .find(({ name, protocol = 'TCP' }) => name === targetPort && protocol === (port.protocol ?? 'TCP'))
    ?.containerPort
}

export function targetRefOf({ metadata: { namespace, name, uid } }: Pod) {
  return { kind: 'Pod', namespace, name, uid }
}

/** Set when the pod is to be found by name under its headless service. */
export function hostnameOf({ metadata, spec }: Pod, service: Service): { readonly hostname?: string } {
  const isNamed =
    spec.hostname &&
    spec.subdomain === service.metadata.name &&
    metadata.namespace === service.metadata.namespace
  return isNamed ? { hostname: spec.hostname ?? '' } : {}
}

/** Those the service selects, and perhaps more: found by one pair of its selector, of which the fewest pods are. */
export function podsNear({ spec, metadata }: Service, informers: Informers): readonly Pod[] {
  const pods = informers.of(pod)
  const found = Object.entries(spec.selector ?? {}).map((pair) =>
    pods.byIndex('label', pairIn(metadata.namespace, pair)),
  )
  return found.reduce((least, some) => (some.length < least.length ? some : least), found[0] ?? [])
}

/** The keys of the services for whose endpoints this change of a pod means something. */
export function servicesConcerned(
  { resource, previous }: Pick<InformerChange<Pod>, 'resource' | 'previous'>,
  informers: Informers,
): readonly string[] {
  if (previous && deepEqual(factsOf(previous), factsOf(resource))) return []
  const keys = new Set<string>()
  for (const { metadata } of previous ? [resource, previous] : [resource])
    for (const pair of Object.entries(metadata.labels ?? {}))
      for (const one of informers.of(service).byIndex('selector', pairIn(metadata.namespace, pair)))
        if (mapSelectorMatches(one.spec.selector, metadata.labels)) keys.add(keyOf(one))
  return [...keys]
}

function factsOf(pod: Pod): unknown {
  return [
    pod.metadata.labels,
    ipsOf(pod),
    isPodReady(pod),
    isPodTerminal(pod),
    isBeingDeleted(pod),
    pod.spec.nodeName,
  ]
}
