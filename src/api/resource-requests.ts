import type { V1Container, V1PodSpec } from './generated/types.ts'
import { addQuantities, compareQuantities } from './quantity.ts'

/** Quantities by resource name. */
export type ResourceList = Readonly<Record<string, string>>

/**
 * What a pod asks for in all (resourcehelper.PodRequests): the sum over containers and sidecars, or what an init
 * container needs beside the sidecars started before it, whichever is more; a pod-level request replaces the sum;
 * overhead is added. `missing` is counted for containers that do not say (the scheduler's 100m and 200Mi).
 */
export function requestsOf(spec: V1PodSpec, missing: ResourceList = {}): ResourceList {
  const total = withPodLevel(containerRequestsOf(spec, missing), spec.resources?.requests)
  return spec.overhead ? add(total, spec.overhead) : total
}

/** The same without pod-level requests and overhead (AggregateContainerRequests). */
export function containerRequestsOf(spec: V1PodSpec, missing: ResourceList = {}): ResourceList {
  return totalOf(spec, ({ resources }) => ({ ...missing, ...resources?.requests }))
}

/** What a pod may use in all. A resource that is not limited is not in the list, whatever the overhead. */
export function limitsOf(spec: V1PodSpec): ResourceList {
  const total = withPodLevel(
    totalOf(spec, ({ resources }) => resources?.limits ?? {}),
    spec.resources?.limits,
  )
  const overhead = Object.entries(spec.overhead ?? {}).filter(([name]) => total[name] !== undefined)
  return overhead.length === 0 ? total : add(total, Object.fromEntries(overhead))
}

/** The resources that may be asked for by a pod as a whole. */
export function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')
}

function withPodLevel(total: ResourceList, podLevel: ResourceList | undefined): ResourceList {
  if (!podLevel) return total
  const replaced = Object.entries(podLevel).filter(([name]) => isPodLevelResource(name))
  return { ...total, ...Object.fromEntries(replaced) }
}

function totalOf(spec: V1PodSpec, of: (container: V1Container) => ResourceList): ResourceList {
  let total: ResourceList = {}
  for (const container of spec.containers) total = add(total, of(container))
  let sidecars: ResourceList = {}
  let initMost: ResourceList = {}
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      sidecars = add(sidecars, of(container))
      initMost = most(initMost, sidecars)
    } else initMost = most(initMost, add(sidecars, of(container)))
  }
  return most(add(total, sidecars), initMost)
}

function add(a: ResourceList, b: ResourceList): ResourceList {
  const sum: Record<string, string> = { ...a }
  for (const [name, value] of Object.entries(b))
    sum[name] = sum[name] === undefined ? value : addQuantities(sum[name], value)
  return sum
}

/** Of each resource the greater amount. */
export function most(a: ResourceList, b: ResourceList): ResourceList {
  const result: Record<string, string> = { ...a }
  for (const [name, value] of Object.entries(b)) {
    const other = result[name]
    if (other === undefined || compareQuantities(value, other) > 0) result[name] = value
  }
  return result
}

type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

/**
 * Guaranteed when all of it has limits of cpu and memory that its requests equal, BestEffort when nothing has any
 * (qos.ComputePodQOS). Pod-level resources, where there are some, speak for all containers. Zero counts as nothing.
 */
export function qosClassOf(spec: V1PodSpec): QosClass {
  const { resources } = spec
  const isPodLevel = [resources?.requests, resources?.limits].some(
    (list) => list && Object.keys(list).some(isPodLevelResource),
  )
  const parts = isPodLevel
    ? [resources ?? {}]
    : [...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.resources ?? {})
  const counts = (list: ResourceList | undefined) => COMPUTE.filter((name) => isPositive(list?.[name]))
  if (parts.every(({ requests, limits }) => counts(requests).length + counts(limits).length === 0))
    return 'BestEffort'
  const isGuaranteed = parts.every(
    ({ requests, limits = {} }) =>
      counts(limits).length === COMPUTE.length &&
      COMPUTE.every((name) => {
        const limit = limits[name] ?? '0'
        return compareQuantities(requests?.[name] ?? limit, limit) === 0
      }),
  )
  return isGuaranteed ? 'Guaranteed' : 'Burstable'
}

const COMPUTE = ['cpu', 'memory'] as const

function isPositive(value: string | undefined): boolean {
  return value !== undefined && compareQuantities(value, '0') > 0
}
