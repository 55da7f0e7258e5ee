/**
 * How many pods a metric calls for (podautoscaler's replica_calculator.go): ceil(ratio x ready pods), where the ratio is
 * use to target. Pods whose use is not known, or not telling yet, only ever make the change smaller. Pure.
 */
import { findCondition } from '../api/conditions.ts'
import type { V1Container, V2MetricTarget } from '../api/generated/types.ts'
import type { PodMetrics, Usage } from '../api/metrics-kinds.ts'
import { isPodReady, isSidecar, type Pod } from '../api/pods.ts'
import { milliValue } from '../api/quantity.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { parseTime } from '../base/date.ts'

const CPU_INITIALIZATION_MS = 5 * 60_000
const INITIAL_READINESS_MS = 30_000
const WINDOW_MS = 15_000

export interface Tolerances {
  /** Fractions: 0.1 is ten percent. */
  readonly up: number
  readonly down: number
}

export interface PodsQuestion {
  readonly target: V2MetricTarget
  /** Of the target now. */
  readonly current: number
  readonly pods: readonly Pod[]
  readonly tolerances: Tolerances
}

export interface AmountQuestion extends PodsQuestion {
  /** As the status of the target counts them. */
  readonly statusReplicas: number
}

export interface ResourceQuestion extends PodsQuestion {
  readonly resource: string
  /** Only this container of each pod. */
  readonly container?: string | undefined
  readonly metrics: readonly PodMetrics[]
  /** Epoch ms. */
  readonly now: number
}

/** `average` in thousandths; `utilization` in percent of what is requested. */
export interface Proposal {
  readonly replicas: number
  readonly average: number
  readonly utilization?: number
}

/** Thousandths by pod name. */
export type Amounts = ReadonlyMap<string, number>

interface Use {
  /** Of the target. */
  readonly ratio: number
  readonly average: number
  readonly utilization?: number
}

/** An Error says why there is no answer. */
export function proposeReplicas(question: ResourceQuestion): Proposal | Error {
  const { resource, target, pods, now } = question
  const samples = samplesOf(question)
  if (samples instanceof Error)
    return new Error(`unable to get metrics for resource ${resource}: ${samples.message}`)
  if (pods.length === 0) return NO_PODS
  const requests = target.averageUtilization === undefined ? undefined : requestsOf(question)
  if (requests instanceof Error) return requests
  const sampledAt = new Map(
    question.metrics.map(({ metadata, timestamp }) => [metadata.name, parseTime(timestamp) ?? 0]),
  )
  return proposeBySamples(samples, {
    ...question,
    isUnready: (pod) => resource === 'cpu' && isStarting(pod, sampledAt.get(pod.metadata.name) ?? 0, now),
    useOf: (assumed) => useOf(target, assumed, requests),
    fullUse: (name) => fullUse(target, requests, name),
  })
}

/** By a metric of each pod, in thousandths by pod name: like a resource, but no pod is unready for having just started. */
export function proposeByPods(samples: Amounts, question: PodsQuestion): Proposal | Error {
  const { target, pods } = question
  if (pods.length === 0) return NO_PODS
  return proposeBySamples(samples, {
    ...question,
    isUnready: () => false,
    useOf: (assumed) => useOf(target, assumed, undefined),
    fullUse: (name) => fullUse(target, undefined, name),
  })
}

/**
 * By one amount (in thousandths) that is not a pod's. A target value is the amount that as many pods as are ready now
 * should bring it to; a target average is what each pod takes on. `reported` is what the status shows, in thousandths.
 */
export function proposeByAmount(
  amount: number,
  { target, current, statusReplicas, pods, tolerances }: AmountQuestion,
): { readonly replicas: number; readonly reported: number } | Error {
  if (target.averageValue !== undefined) {
    const each = milliValue(target.averageValue)
    const isEnough = isWithin(amount / (each * statusReplicas), tolerances)
    const reported = statusReplicas === 0 ? 0 : Math.ceil(amount / statusReplicas)
    return { replicas: isEnough ? statusReplicas : Math.ceil(amount / each), reported }
  }
  const ratio = amount / milliValue(target.value ?? '0')
  if (current === 0) return { replicas: Math.ceil(ratio), reported: amount }
  if (isWithin(ratio, tolerances)) return { replicas: current, reported: amount }
  if (pods.length === 0) return new Error(`unable to calculate ready pods: ${NO_PODS.message}`)
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod)).length
  return { replicas: Math.ceil(ratio * ready), reported: amount }
}

const NO_PODS = new Error('no pods returned by selector while calculating replica count')

interface SamplesQuestion {
  readonly current: number
  readonly pods: readonly Pod[]
  readonly tolerances: Tolerances
  /** Of a pod that is sampled. */
  isUnready(pod: Pod): boolean
  useOf(samples: Amounts): Use | undefined
  fullUse(name: string): number
}

function proposeBySamples(samples: Amounts, question: SamplesQuestion): Proposal | Error {
  const { current, tolerances } = question
  const { ready, unready, missing } = groupPods(question, samples)
  const counted = new Map([...samples].filter(([name]) => ready.has(name)))
  if (counted.size === 0)
    return new Error('did not receive metrics for targeted pods (pods might be unready)')
  const use = question.useOf(counted)
  if (use === undefined) return new Error('no metrics returned matched known pods')
  const answer = (replicas: number): Proposal => {
    const { average, utilization } = use
    return { replicas, average, ...(utilization === undefined ? {} : { utilization }) }
  }
  const withUnready = unready.size > 0 && use.ratio > 1
  if (!withUnready && missing.size === 0)
    return answer(isWithin(use.ratio, tolerances) ? current : Math.ceil(use.ratio * ready.size))
  const assumed = new Map(counted)
  for (const name of missing) assumed.set(name, use.ratio < 1 ? question.fullUse(name) : 0)
  if (withUnready) for (const name of unready) assumed.set(name, 0)
  const again = question.useOf(assumed)
  const isTurned = !again || (use.ratio < 1 && again.ratio > 1) || (use.ratio > 1 && again.ratio < 1)
  if (isTurned || isWithin(again.ratio, tolerances)) return answer(current)
  const replicas = Math.ceil(again.ratio * assumed.size)
  const isBackwards = (again.ratio < 1 && replicas > current) || (again.ratio > 1 && replicas < current)
  return answer(isBackwards ? current : replicas)
}

function isWithin(ratio: number, { up, down }: Tolerances): boolean {
  return ratio >= 1 - down && ratio <= 1 + up
}

function amountOf({ cpu, memory }: Usage, resource: string): string | undefined {
  return resource === 'cpu' ? cpu : resource === 'memory' ? memory : undefined
}

function samplesOf({ resource, container, metrics }: ResourceQuestion): Amounts | Error {
  if (metrics.length === 0) return new Error('no metrics returned from resource metrics API')
  const samples = new Map<string, number>()
  for (const { metadata, containers } of metrics) {
    const own = containers.filter(({ name }) => container === undefined || name === container)
    if (container !== undefined && own.length === 0) {
      const { namespace = '', name } = metadata
      return new Error(
        `failed to get container metrics: container ${container} not present in metrics for pod ${namespace}/${name}`,
      )
    }
    const amounts = own.map(({ usage }) => amountOf(usage, resource))
    // Half of a pod tells nothing about it.
    if (own.length === 0 || amounts.includes(undefined)) continue
    samples.set(
      metadata.name,
      amounts.reduce((sum, amount) => sum + milliValue(amount ?? '0'), 0),
    )
  }
  return samples
}

function groupPods({ pods, isUnready }: SamplesQuestion, samples: Amounts) {
  const [ready, unready, missing] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const pod of pods) {
    const { name } = pod.metadata
    if (isBeingDeleted(pod) || pod.status?.phase === 'Failed') continue
    if (pod.status?.phase === 'Pending' || pod.status?.phase === undefined) unready.add(name)
    else if (!samples.has(name)) missing.add(name)
    else if (isUnready(pod)) unready.add(name)
    else ready.add(name)
  }
  return { ready, unready, missing }
}

/** What a pod uses to start says nothing about its load. */
function isStarting({ status }: Pod, sampledAt: number, now: number): boolean {
  const condition = findCondition(status?.conditions, 'Ready')
  const startedAt = parseTime(status?.startTime)
  const changedAt = parseTime(condition?.lastTransitionTime) ?? 0
  if (!condition || startedAt === undefined) return true
  const isUnready = condition.status === 'False'
  if (startedAt + CPU_INITIALIZATION_MS > now) return isUnready || sampledAt < changedAt + WINDOW_MS
  return isUnready && startedAt + INITIAL_READINESS_MS > changedAt
}

function requestsOf({ pods, resource, container }: ResourceQuestion): Amounts | Error {
  const requests = new Map<string, number>()
  for (const { metadata, spec } of pods) {
    const sum = (containers: readonly V1Container[]): number | Error => {
      let total = 0
      for (const { name, resources } of containers) {
        if (container !== undefined && name !== container) continue
        const request = resources?.requests?.[resource]
        if (request === undefined)
          return new Error(`missing request for ${resource} in container ${name} of Pod ${metadata.name}`)
        total += milliValue(request)
      }
      return total
    }
    const podLevel = container === undefined ? spec.resources?.requests?.[resource] : undefined
    const total =
      podLevel === undefined
        ? sum([...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)])
        : milliValue(podLevel)
    if (total instanceof Error) return total
    requests.set(metadata.name, total)
  }
  return requests
}

function useOf(target: V2MetricTarget, samples: Amounts, requests: Amounts | undefined): Use | undefined {
  let [total, requested] = [0, 0]
  for (const [name, milli] of samples) {
    total += milli
    requested += requests?.get(name) ?? 0
  }
  const average = Math.trunc(total / samples.size)
  if (!requests) return { ratio: average / milliValue(target.averageValue ?? '0'), average }
  if (requested === 0) return undefined
  const utilization = Math.trunc((total * 100) / requested)
  return { ratio: utilization / (target.averageUtilization ?? 100), average, utilization }
}

/** What a pod that says nothing is taken to use, where less would mean to take pods away. */
function fullUse(target: V2MetricTarget, requests: Amounts | undefined, name: string): number {
  if (!requests) return milliValue(target.averageValue ?? '0')
  return ((requests.get(name) ?? 0) * Math.max(100, target.averageUtilization ?? 100)) / 100
}
