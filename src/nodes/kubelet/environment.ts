import type {
  V1Container,
  V1ObjectFieldSelector,
  V1ResourceFieldSelector,
} from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { parseQuantity } from '../../api/quantity.ts'
import type { ResourceList } from '../../api/resource-requests.ts'
import type { PodSources } from './sources.ts'
import { hostnameOf } from './system-files.ts'

export interface PodPlace {
  readonly node: string
  readonly hostIP: string
  readonly podIP: string
  /** What pods can have of the node. */
  readonly allocatable: ResourceList
}

/**
 * The environment of a container (kubelet_pods.go makeEnvironmentVariables): envFrom first, then env in order, $(NAME)
 * standing for what came before it, or for where a service is. What is optional and missing is left out. Pure.
 */
export function environmentOf(
  pod: Pod,
  container: V1Container,
  place: PodPlace,
  { data: find, services }: PodSources,
): Readonly<Record<string, string>> {
  const result: Record<string, string> = { HOSTNAME: hostnameOf(pod) }
  const known = (name: string) => (Object.hasOwn(result, name) ? result[name] : services()[name])
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const data = configMapRef?.name
      ? find('ConfigMap', configMapRef.name)
      : secretRef?.name
        ? find('Secret', secretRef.name)
        : undefined
    for (const [key, bytes] of Object.entries(data ?? {})) result[`${prefix}${key}`] = textOf(bytes)
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (!valueFrom) {
      result[name] = expand(value ?? '', known)
      continue
    }
    const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom
    const found = configMapKeyRef?.name
      ? find('ConfigMap', configMapKeyRef.name)?.[configMapKeyRef.key]
      : secretKeyRef?.name
        ? find('Secret', secretKeyRef.name)?.[secretKeyRef.key]
        : undefined
    if (found) result[name] = textOf(found)
    else if (fieldRef) result[name] = fieldOf(pod, fieldRef, place) ?? ''
    else if (resourceFieldRef) result[name] = resourceOf(pod, resourceFieldRef, place, container)
  }
  return result
}

/** The container as its environment makes it: where `subPathExpr` names variables it has a `subPath`. */
export function withSubPaths(
  container: V1Container,
  known: (name: string) => string | undefined,
): V1Container {
  if (!container.volumeMounts?.some(({ subPathExpr }) => subPathExpr)) return container
  const volumeMounts = container.volumeMounts.map((mount) =>
    mount.subPathExpr ? { ...mount, subPath: expand(mount.subPathExpr, known) } : mount,
  )
  return { ...container, volumeMounts }
}

/** Why a `subPathExpr` names no folder of its volume (kubelet_pods.go makeMounts); undefined: all do. */
export function subPathFault(
  { volumeMounts = [] }: V1Container,
  env: Readonly<Record<string, string>>,
): string | undefined {
  for (const { subPathExpr } of volumeMounts) {
    if (!subPathExpr) continue
    const subPath = expand(subPathExpr, (name) => env[name])
    const [, unknown] = /\$\(([A-Za-z_][\w.-]*)\)/.exec(subPath) ?? []
    if (unknown !== undefined) return `missing value for "${unknown}"`
    if (subPath.startsWith('/')) return `error SubPath \`${subPath}\` must not be an absolute path`
    if (subPath.split('/').includes('..'))
      return `unable to provision SubPath \`${subPath}\`: must not contain '..'`
  }
  return undefined
}

/** `$(NAME)` with a known name is its value, `$$` a dollar; anything else stays as it is. */
function expand(text: string, known: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([A-Za-z_][\w.-]*)\)/g, (whole, name = '') =>
    whole === '$$' ? '$' : (known(name) ?? whole),
  )
}

/** The downward API: a field of the pod as text; undefined for a path it does not have. */
export function fieldOf(
  pod: Pod,
  { fieldPath }: V1ObjectFieldSelector,
  { node, hostIP, podIP }: PodPlace,
): string | undefined {
  const { metadata, spec } = pod
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath)
  if (keyed) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] ?? ''] ?? ''
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name
    case 'metadata.namespace':
      return metadata.namespace ?? ''
    case 'metadata.uid':
      return metadata.uid ?? ''
    case 'metadata.labels':
      return pairs(metadata.labels)
    case 'metadata.annotations':
      return pairs(metadata.annotations)
    case 'spec.nodeName':
      return spec.nodeName ?? node
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? ''
    case 'status.hostIP':
    case 'status.hostIPs':
      return hostIP
    case 'status.podIP':
    case 'status.podIPs':
      return podIP
    default:
      return undefined
  }
}

function pairs(map: Readonly<Record<string, string>> = {}): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n')
}

/**
 * `limits.cpu` and the like, divided and rounded up (resource.ExtractContainerResourceValue). Where a container has no
 * limit it is what the node has for pods.
 */
export function resourceOf(
  pod: Pod,
  { resource, containerName, divisor }: V1ResourceFieldSelector,
  { allocatable }: Pick<PodPlace, 'allocatable'>,
  self?: V1Container,
): string {
  const container = containerName
    ? [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === containerName)
    : self
  const [list = '', ...rest] = resource.split('.')
  const { limits, requests } = container?.resources ?? {}
  const name = rest.join('.')
  const amount = list === 'limits' ? (limits?.[name] ?? allocatable[name]) : requests?.[name]
  const by = parseQuantity(divisor && divisor !== '0' ? divisor : '1')
  // Binary fractions: 0.1 / 0.001 is not quite 100.
  return String(Math.ceil(Number((parseQuantity(amount ?? '0') / by).toFixed(6))))
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}
