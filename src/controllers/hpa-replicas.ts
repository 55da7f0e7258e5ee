/**
 * How many pods a resource metric calls for (podautoscaler's replica_calculator.go): ceil(ratio x ready pods), where the
 * ratio is use to target. Pods whose use is not known, or not telling yet, only ever make the change smaller. Pure.
 */
import { findCondition } from '../api/conditions.ts'
import type { V1Container, V2MetricTarget } from '../api/generated/types.ts'
import type { PodMetrics, Usage } from '../api/metrics-kinds.ts'
import { isSidecar, type Pod } from '../api/pods.ts'
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

export interface ResourceQuestion {
  readonly resource: string
  /** Only this container of each pod. */
  readonly container?: string | undefined
  readonly target: V2MetricTarget
  /** Of the target now. */
  readonly current: number
  readonly pods: readonly Pod[]
  readonly metrics: readonly PodMetrics[]
  readonly tolerances: Tolerances
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
type Amounts = ReadonlyMap<string, number>

interface Use {
  /** Of the target. */
  readonly ratio: number
  readonly average: number
  readonly utilization?: number
}

/** An Error says why there is no answer. */
export function proposeReplicas(question: ResourceQuestion): Proposal | Error {
  const { resource, target, current, pods, tolerances } = question
  const samples = samplesOf(question)
  if (samples instanceof Error)
    return new Error(`unable to get metrics for resource ${resource}: ${samples.message}`)
  if (pods.length === 0) return new Error('no pods returned by selector while calculating replica count')
  const { ready, unready, missing } = groupPods(question, samples)
  const requests = target.averageUtilization === undefined ? undefined : requestsOf(question)
  if (requests instanceof Error) return requests
  const counted = new Map([...samples].filter(([name]) => ready.has(name)))
  if (counted.size === 0) return new Error('did not receive metrics for any ready pods')
  const use = useOf(target, counted, requests)
  if (use === undefined) return new Error('no metrics returned matched known pods')
  const answer = (replicas: number): Proposal => {
    const { average, utilization } = use
    return { replicas, average, ...(utilization === undefined ? {} : { utilization }) }
  }
  const isNear = ({ ratio }: Use) => ratio >= 1 - tolerances.down && ratio <= 1 + tolerances.up
  const withUnready = unready.size > 0 && use.ratio > 1
  if (!withUnready && missing.size === 0)
    return answer(isNear(use) ? current : Math.ceil(use.ratio * ready.size))
  const assumed = new Map(counted)
  for (const name of missing) assumed.set(name, use.ratio < 1 ? fullUse(target, requests, name) : 0)
  if (withUnready) for (const name of unready) assumed.set(name, 0)
  const again = useOf(target, assumed, requests)
  const isTurned = !again || (use.ratio < 1 && again.ratio > 1) || (use.ratio > 1 && again.ratio < 1)
  if (isTurned || isNear(again)) return answer(current)
  const replicas = Math.ceil(again.ratio * assumed.size)
  const isBackwards = (again.ratio < 1 && replicas > current) || (again.ratio > 1 && replicas < current)
  return answer(isBackwards ? current : replicas)
}

function amountOf({ cpu, memory }: Usage, resource: string): string | undefined {
  return resource === 'cpu' ? cpu : resource === 'memory' ? memory : undefined
}

function samplesOf({ resource, container, metrics }: ResourceQuestion): Amounts | Error {
  if (metrics.length === 0) return new Error('no metrics returned from resource metrics API')
  const samples = new Map<string, number>()
  for (const { metadata, containers } of metrics) {
    const own = containers.filter(({ name }) => container === undefined || name === container)
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

function groupPods(question: ResourceQuestion, samples: Amounts) {
  const [ready, unready, missing] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const sampledAt = new Map(
    question.metrics.map(({ metadata, timestamp }) => [metadata.name, parseTime(timestamp) ?? 0]),
  )
  for (const pod of question.pods) {
    const { name } = pod.metadata
    if (isBeingDeleted(pod) || pod.status?.phase === 'Failed') continue
    if (pod.status?.phase === 'Pending' || pod.status?.phase === undefined) unready.add(name)
    else if (!samples.has(name)) missing.add(name)
    else if (question.resource === 'cpu' && isStarting(pod, sampledAt.get(name) ?? 0, question.now))
      unready.add(name)
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
