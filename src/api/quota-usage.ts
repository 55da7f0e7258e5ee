import { parseTime } from '../base/date.ts'
import type { V1PodAffinityTerm, V1ScopedResourceSelectorRequirement } from './generated/types.ts'
import type { KindRef } from './kind.ts'
import type { PersistentVolumeClaim } from './kinds/persistent-volume-claim.ts'
import type { Pod } from './kinds/pod.ts'
import type { ResourceClaim } from './kinds/resource-claim.ts'
import type { ResourceQuota } from './kinds/resource-quota.ts'
import type { Service } from './kinds/service.ts'
import { heldSpec } from './pod-resize.ts'
import { isPodTerminal } from './pods.ts'
import { addQuantities, compareQuantities } from './quantity.ts'
import type { Resource } from './resource.ts'
import { limitsOf, qosClassOf, type ResourceList, requestsOf } from './resource-requests.ts'
import { qualified } from './status.ts'
import { storageClassOf } from './volume-access.ts'

/**
 * What an object uses of a quota, and whether a quota is about it (kube-apiserver's quota evaluators). Admission
 * charges with this, the controller recounts with it, so they cannot disagree.
 */
const COMPUTE = new Set(['cpu', 'memory', 'ephemeral-storage'])
const CLAIM_DEVICES_MAX = 32

type Requirement = V1ScopedResourceSelectorRequirement

/**
 * By quota name: "pods", "requests.cpu", "count/jobs.batch" … Only what is more than nothing or counts as used.
 * @param now epoch ms: pods that should be gone by then but are stuck count as objects only
 */
export function usageOf(kind: KindRef, resource: Resource, now?: number): ResourceList {
  const one = { [`count/${qualified(kind)}`]: '1' }
  switch (qualified(kind)) {
    case 'pods':
      return podUsage(resource as Pod, one, now)
    case 'services':
      return { ...one, ...serviceUsage(resource as Service) }
    case 'persistentvolumeclaims':
      return { ...one, ...claimUsage(resource as PersistentVolumeClaim) }
    case 'resourceclaims.resource.k8s.io':
      return { ...one, ...deviceUsage(resource as ResourceClaim) }
    case 'configmaps':
    case 'secrets':
    case 'replicationcontrollers':
    case 'resourcequotas':
      return { ...one, [kind.plural]: '1' }
    default:
      return one
  }
}

function podUsage(pod: Pod, one: ResourceList, now = 0): ResourceList {
  if (isPodTerminal(pod) || isStuck(pod, now)) return one
  const usage: Record<string, string> = { ...one, pods: '1' }
  const spec = heldSpec(pod)
  for (const [name, value] of Object.entries(requestsOf(spec))) {
    if (COMPUTE.has(name) || name.startsWith('hugepages-')) usage[name] = value
    usage[`requests.${name}`] = value
  }
  for (const [name, value] of Object.entries(limitsOf(spec)))
    if (COMPUTE.has(name)) usage[`limits.${name}`] = value
  return usage
}

/** Its node is lost, it may be: whoever owns it should be able to make another. */
function isStuck({ metadata }: Pod, now: number): boolean {
  const goneAt = parseTime(metadata.deletionTimestamp)
  const grace = metadata.deletionGracePeriodSeconds
  return goneAt !== undefined && grace !== undefined && now > goneAt + grace * 1000
}

function serviceUsage({ spec }: Service): ResourceList {
  const many = String(spec.ports?.length ?? 0)
  const isBalanced = spec.type === 'LoadBalancer'
  const hasNodePorts =
    spec.type === 'NodePort' || (isBalanced && spec.allocateLoadBalancerNodePorts !== false)
  return {
    services: '1',
    'services.nodeports': hasNodePorts ? many : '0',
    'services.loadbalancers': isBalanced ? '1' : '0',
  }
}

function claimUsage(claim: PersistentVolumeClaim): ResourceList {
  const asked = claim.spec.resources?.requests?.['storage'] ?? '0'
  const given = claim.status?.allocatedResources?.['storage'] ?? '0'
  const storage = compareQuantities(given, asked) > 0 ? given : asked
  const name = storageClassOf(claim)
  const ofClass = `${name ?? ''}.storageclass.storage.k8s.io`
  return {
    persistentvolumeclaims: '1',
    'requests.storage': storage,
    ...(name ? { [`${ofClass}/persistentvolumeclaims`]: '1', [`${ofClass}/requests.storage`]: storage } : {}),
  }
}

/** The most devices of each class that the claim can be given. */
function deviceUsage({ spec }: ResourceClaim): ResourceList {
  const usage = new Map<string, number>()
  const many = (ask: {
    readonly allocationMode?: string | undefined
    readonly count?: number | undefined
  }) => (ask.allocationMode === 'All' ? CLAIM_DEVICES_MAX : (ask.count ?? 1))
  for (const { exactly, firstAvailable = [] } of spec.devices?.requests ?? []) {
    const most = new Map<string, number>()
    for (const ask of exactly ? [exactly] : firstAvailable)
      most.set(ask.deviceClassName, Math.max(most.get(ask.deviceClassName) ?? 0, many(ask)))
    for (const [name, count] of most) usage.set(name, (usage.get(name) ?? 0) + count)
  }
  return Object.fromEntries(
    [...usage].map(([name, count]) => [`${name}.deviceclass.resource.k8s.io/devices`, String(count)]),
  )
}

/** Whether the quota's scopes hold for the object; a quota with scopes is about pods and claims only. */
export function isInScope({ spec }: ResourceQuota, kind: KindRef, resource: Resource): boolean {
  const requirements: Requirement[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ]
  if (requirements.length === 0) return true
  const name = qualified(kind)
  if (name === 'pods') return requirements.every((one) => podIsIn(resource as Pod, one))
  if (name !== 'persistentvolumeclaims') return false
  const { volumeAttributesClassName = '' } = (resource as PersistentVolumeClaim).spec
  return requirements.every(
    (one) => one.scopeName === 'VolumeAttributesClass' && matches(volumeAttributesClassName, one),
  )
}

function podIsIn({ spec }: Pod, requirement: Requirement): boolean {
  const isTerminating = (spec.activeDeadlineSeconds ?? -1) >= 0
  switch (requirement.scopeName) {
    case 'Terminating':
      return isTerminating
    case 'NotTerminating':
      return !isTerminating
    case 'BestEffort':
      return qosClassOf(spec) === 'BestEffort'
    case 'NotBestEffort':
      return qosClassOf(spec) !== 'BestEffort'
    case 'PriorityClass':
      return matches(spec.priorityClassName ?? '', requirement)
    case 'CrossNamespacePodAffinity':
      return affinityTerms(spec).some((term) => term.namespaces?.length || term.namespaceSelector)
    default:
      return false
  }
}

function affinityTerms({ affinity }: Pod['spec']): readonly V1PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((terms) => [
    ...(terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm }) => podAffinityTerm,
    ),
  ])
}

function matches(value: string, { operator, values = [] }: Requirement): boolean {
  switch (operator) {
    case 'In':
      return values.includes(value)
    case 'NotIn':
      return !values.includes(value)
    case 'Exists':
      return value !== ''
    default:
      return value === ''
  }
}

const MUST_SAY = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']

/**
 * What each container must say because the quota bounds it: "limits.cpu for: app,sidecar; …". Undefined when all is
 * said; pods that ask for the resource as a whole have said it.
 */
export function unsaid(quota: ResourceQuota, { spec }: Pod): string | undefined {
  const required = Object.keys(quota.spec.hard ?? {})
    .filter((name) => MUST_SAY.includes(name))
    .sort()
  const texts = required.flatMap((name) => {
    const [list, resource = ''] = name.startsWith('limits.')
      ? (['limits', name.slice(7)] as const)
      : (['requests', name.replace('requests.', '')] as const)
    if (spec.resources?.[list]?.[resource] !== undefined) return []
    const silent = [...spec.containers, ...(spec.initContainers ?? [])]
      .filter(({ resources }) => resources?.[list]?.[resource] === undefined)
      .map((container) => container.name)
    return silent.length === 0 ? [] : `${name} for: ${[...new Set(silent)].sort().join(',')}`
  })
  return texts.length === 0 ? undefined : texts.join('; ')
}

/** Of the usage, what the quota bounds. */
export function boundBy({ spec }: ResourceQuota, usage: ResourceList): ResourceList {
  return Object.fromEntries(Object.entries(usage).filter(([name]) => spec.hard?.[name] !== undefined))
}

/** Whether any object of this kind can use something of the quota. */
export function isAbout({ spec }: ResourceQuota, kind: KindRef): boolean {
  const name = qualified(kind)
  return Object.keys(spec.hard ?? {}).some((hard) => {
    if (hard.startsWith('count/')) return hard === `count/${name}`
    if (hard.includes('.storageclass.storage.k8s.io/') || hard === 'requests.storage')
      return name === 'persistentvolumeclaims'
    if (hard.includes('.deviceclass.resource.k8s.io/')) return name === 'resourceclaims.resource.k8s.io'
    if (hard === name) return true
    if (hard.startsWith('services.')) return name === 'services'
    return name === 'pods' && !UNCOUNTED.has(hard)
  })
}

const UNCOUNTED = new Set([
  'services',
  'persistentvolumeclaims',
  'configmaps',
  'secrets',
  'replicationcontrollers',
  'resourcequotas',
])

/** All the objects together use of the quota, with a zero for what it bounds and nobody uses. */
export function totalUsage(
  quota: ResourceQuota,
  objects: Iterable<{ readonly kind: KindRef; readonly resource: Resource }>,
  now?: number,
): ResourceList {
  const used: Record<string, string> = Object.fromEntries(
    Object.keys(quota.spec.hard ?? {}).map((name) => [name, '0']),
  )
  for (const { kind, resource } of objects) {
    if (!isInScope(quota, kind, resource)) continue
    for (const [name, value] of Object.entries(boundBy(quota, usageOf(kind, resource, now))))
      used[name] = addQuantities(used[name] ?? '0', value)
  }
  return used
}
