import type { V1Container, V1PodSpec } from './generated/types.ts'
import { addQuantities, compareQuantities } from './quantity.ts'

export type ResourceList = Readonly<Record<string, string>>

/**
 * What a pod asks for in all (resourcehelper.PodRequests): the sum over containers and sidecars, or what an init
 * container needs beside the sidecars started before it, whichever is more; a pod-level request replaces the sum;
 * overhead is added. `missing` is counted for containers that do not say (the scheduler's 100m and 200Mi).
 */
export function requestsOf(spec: V1PodSpec, missing: ResourceList = {}): ResourceList {
  return totalOf(
    spec,
    (container) => ({ ...missing, ...container.resources?.requests }),
    spec.resources?.requests,
  )
}

/** The same of limits; a container without one adds nothing. */
export function limitsOf(spec: V1PodSpec): ResourceList {
  return totalOf(spec, (container) => container.resources?.limits ?? {}, spec.resources?.limits)
}

function totalOf(
  spec: V1PodSpec,
  of: (container: V1Container) => ResourceList,
  podLevel: ResourceList | undefined,
): ResourceList {
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
  total = most(add(total, sidecars), initMost)
  if (podLevel) total = { ...total, ...podLevel }
  return spec.overhead ? add(total, spec.overhead) : total
}

function add(a: ResourceList, b: ResourceList): ResourceList {
  const sum: Record<string, string> = { ...a }
  for (const [name, value] of Object.entries(b))
    sum[name] = sum[name] === undefined ? value : addQuantities(sum[name], value)
  return sum
}

function most(a: ResourceList, b: ResourceList): ResourceList {
  const result: Record<string, string> = { ...a }
  for (const [name, value] of Object.entries(b)) {
    const other = result[name]
    if (other === undefined || compareQuantities(value, other) > 0) result[name] = value
  }
  return result
}

/** Guaranteed, Burstable or BestEffort (qos.ComputePodQOS). */
export function qosClassOf(spec: V1PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const resources = spec.resources
    ? [spec.resources]
    : [...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.resources ?? {})
  const counts = (list: ResourceList | undefined) =>
    ['cpu', 'memory'].filter((name) => list?.[name] !== undefined && compareQuantities(list[name], '0') > 0)
  if (resources.every(({ requests, limits }) => counts(requests).length === 0 && counts(limits).length === 0))
    return 'BestEffort'
  const isGuaranteed = resources.every(
    ({ requests, limits }) =>
      counts(limits).length === 2 &&
      ['cpu', 'memory'].every(
        (name) => compareQuantities(requests?.[name] ?? limits?.[name] ?? '0', limits?.[name] ?? '0') === 0,
      ),
  )
  return isGuaranteed ? 'Guaranteed' : 'Burstable'
}
