import type {
  V1Container,
  V1LimitRangeItem,
  V1PersistentVolumeClaimSpec,
  V1PodSpec,
} from './generated/types.ts'
import type { Pod } from './kinds/pod.ts'
import { compareQuantities, readQuantity } from './quantity.ts'
import { limitsOf, type ResourceList, requestsOf } from './resource-requests.ts'

/**
 * What LimitRanges say about pods and claims: defaults they give and bounds they set, in the words of kube-apiserver's
 * LimitRanger.
 */
const ANNOTATION = 'kubernetes.io/limit-ranger'

/** The pod with the defaults of the ranges' Container item; an annotation tells what was set. */
export function withDefaultResources(pod: Pod, items: readonly V1LimitRangeItem[]): Pod {
  const item = items.find(({ type }) => type === 'Container')
  if (!item) return pod
  const told: string[] = []
  const fill = (word: string) => (container: V1Container) => {
    const requests = missing(container.resources?.requests, item.defaultRequest)
    const limits = missing(container.resources?.limits, item.default)
    if (requests.names.length > 0)
      told.push(`${requests.names.join(', ')} request for ${word} ${container.name}`)
    if (limits.names.length > 0) told.push(`${limits.names.join(', ')} limit for ${word} ${container.name}`)
    if (requests.names.length + limits.names.length === 0) return container
    return {
      ...container,
      resources: {
        ...container.resources,
        ...present('requests', requests.all),
        ...present('limits', limits.all),
      },
    }
  }
  const { spec } = pod
  const containers = spec.containers.map(fill('container'))
  const initContainers = spec.initContainers?.map(fill('init container'))
  if (told.length === 0) return pod
  const annotations = {
    ...pod.metadata.annotations,
    [ANNOTATION]: `LimitRanger plugin set: ${told.join('; ')}`,
  }
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    spec: { ...spec, containers, ...(initContainers ? { initContainers } : {}) },
  }
}

function present(name: 'requests' | 'limits', list: ResourceList): object {
  return Object.keys(list).length > 0 ? { [name]: list } : {}
}

function missing(own: ResourceList = {}, defaults: ResourceList = {}) {
  const names = Object.keys(defaults)
    .filter((name) => own[name] === undefined)
    .sort()
  return { names, all: { ...defaults, ...own } }
}

/** What a pod asks for beyond what the items allow, one sentence each. */
export function limitFaults(spec: V1PodSpec, items: readonly V1LimitRangeItem[]): string[] {
  return items.flatMap((item) => {
    if (item.type === 'Container')
      return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources = {} }) =>
        boundFaults(item, resources.requests ?? {}, resources.limits ?? {}),
      )
    return item.type === 'Pod' ? boundFaults(item, requestsOf(spec), limitsOf(spec)) : []
  })
}

export function claimLimitFaults(
  { resources }: V1PersistentVolumeClaimSpec,
  items: readonly V1LimitRangeItem[],
): string[] {
  const requests = resources?.requests ?? {}
  return items
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap((item) => [
      ...each(item.min, (name, min) => minimumFault(item.type, name, min, requests[name], undefined)),
      ...each(item.max, (name, max) => {
        const asked = requests[name]
        if (asked === undefined)
          return `maximum ${name} usage per ${item.type} is ${max}.  No request is specified`
        return compareQuantities(asked, max) > 0
          ? `maximum ${name} usage per ${item.type} is ${max}, but request is ${asked}`
          : undefined
      }),
    ])
}

function boundFaults(item: V1LimitRangeItem, requests: ResourceList, limits: ResourceList): string[] {
  const { type } = item
  return [
    ...each(item.min, (name, min) => minimumFault(type, name, min, requests[name], limits[name])),
    ...each(item.max, (name, max) => maximumFault(type, name, max, requests[name], limits[name])),
    ...each(item.maxLimitRequestRatio, (name, ratio) =>
      ratioFault(type, name, ratio, requests[name], limits[name]),
    ),
  ]
}

function each(
  list: ResourceList | undefined,
  faultOf: (name: string, bound: string) => string | undefined,
): string[] {
  return Object.entries(list ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, bound]) => faultOf(name, bound) ?? [])
}

function minimumFault(
  type: string,
  name: string,
  min: string,
  request: string | undefined,
  limit: string | undefined,
): string | undefined {
  const head = `minimum ${name} usage per ${type} is ${min}`
  if (request === undefined) return `${head}.  No request is specified`
  if (compareQuantities(request, min) < 0) return `${head}, but request is ${request}`
  if (limit !== undefined && compareQuantities(limit, min) < 0) return `${head}, but limit is ${limit}`
  return undefined
}

function maximumFault(
  type: string,
  name: string,
  max: string,
  request: string | undefined,
  limit: string | undefined,
): string | undefined {
  const head = `maximum ${name} usage per ${type} is ${max}`
  if (limit === undefined) return `${head}.  No limit is specified`
  if (compareQuantities(limit, max) > 0) return `${head}, but limit is ${limit}`
  if (request !== undefined && compareQuantities(request, max) > 0)
    return `${head}, but request is ${request}`
  return undefined
}

function ratioFault(
  type: string,
  name: string,
  ratio: string,
  request: string | undefined,
  limit: string | undefined,
): string | undefined {
  const head = `${name} max limit to request ratio per ${type} is ${ratio}, but`
  if (amount(request) === 0) return `${head} no request is specified or request is 0`
  if (amount(limit) === 0) return `${head} no limit is specified or limit is 0`
  const given = amount(limit) / amount(request)
  return given > amount(ratio) ? `${head} provided ratio is ${given.toFixed(6)}` : undefined
}

function amount(quantity: string | undefined): number {
  return quantity === undefined ? 0 : Number(readQuantity(quantity)?.nano ?? 0n) / 1e9
}
