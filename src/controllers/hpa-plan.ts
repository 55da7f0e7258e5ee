/**
 * What a HorizontalPodAutoscaler makes of its target now, and how it says so: podautoscaler's reconcileAutoscaler. Use of
 * pods is judged in hpa-replicas.ts, speed in hpa-rate.ts. Pure.
 */
import { setCondition } from '../api/conditions.ts'
import type {
  V2HorizontalPodAutoscalerCondition,
  V2HorizontalPodAutoscalerStatus,
  V2MetricSpec,
  V2MetricStatus,
} from '../api/generated/types.ts'
import type { HorizontalPodAutoscaler } from '../api/kinds/horizontal-pod-autoscaler.ts'
import type { PodMetrics } from '../api/metrics-kinds.ts'
import type { Pod } from '../api/pods.ts'
import { formatQuantity, parseQuantity } from '../api/quantity.ts'
import { formatLabelSelector } from '../api/selectors.ts'
import { formatTime } from '../base/date.ts'
import { allowReplicas, type HpaMemory, remember } from './hpa-rate.ts'
import { type Proposal, proposeReplicas } from './hpa-replicas.ts'

const TOLERANCE = 0.1

export interface HpaView {
  readonly found: HorizontalPodAutoscaler
  readonly target: { readonly replicas: number; readonly selector: string }
  /** Those the target's selector selects. */
  readonly pods: readonly Pod[]
  /** Of these pods, or why there are none. */
  readonly metrics: readonly PodMetrics[] | Error
  readonly memory: HpaMemory
  /** Epoch ms. */
  readonly now: number
}

export interface HpaEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export interface HpaPlan {
  readonly rescale?: { readonly to: number; readonly reason: string } | undefined
  readonly events: readonly HpaEvent[]
  /** As it is without the rescale, if there is one. */
  readonly status: V2HorizontalPodAutoscalerStatus
  readonly memory: HpaMemory
}

type Conditions = readonly V2HorizontalPodAutoscalerCondition[]

export function planAutoscaler(view: HpaView): HpaPlan {
  const { found, target, now } = view
  const { spec, status } = found
  const { minReplicas = 1, maxReplicas } = spec
  const current = target.replicas
  // What it has at first is its first recommendation: nothing is taken away before the window has passed.
  const first = [{ replicas: current, at: now }]
  const memory =
    view.memory.recommendations.length > 0 ? view.memory : { ...view.memory, recommendations: first }
  const able = said(
    status?.conditions ?? [],
    'AbleToScale',
    true,
    "SucceededGetScale: the HPA controller was able to get the target's current scale",
    now,
  )
  const at = (conditions: Conditions, metrics: readonly V2MetricStatus[] = []) =>
    statusWith(found, { currentReplicas: current, desiredReplicas: current, conditions, metrics })
  if (current === 0 && minReplicas !== 0) {
    const why = 'ScalingDisabled: scaling is disabled since the replica count of the target is zero'
    return { status: at(said(able, 'ScalingActive', false, why, now)), events: [], memory }
  }
  const bound = current > maxReplicas ? maxReplicas : current < minReplicas ? minReplicas : undefined
  if (bound !== undefined) {
    const [side, limit] = bound === maxReplicas ? ['above', 'Max'] : ['below', 'Min']
    const reason = `Current number of replicas ${side} Spec.${limit}Replicas`
    return { rescale: { to: bound, reason }, status: at(able), events: [], memory }
  }
  const measured = measure(view)
  const failed = measured.failure
    ? said(able, 'ScalingActive', false, `${measured.failure.reason}: ${measured.failure.message}`, now)
    : able
  const { best, events } = measured
  if (!best || (measured.failure && best.replicas < current)) {
    const desiredReplicas = status?.desiredReplicas ?? 0
    const { metrics } = measured
    return {
      status: statusWith(found, { currentReplicas: current, desiredReplicas, conditions: failed, metrics }),
      events,
      memory,
    }
  }
  const valid = `ValidMetricFound: the HPA was able to successfully calculate a replica count from ${best.name}`
  const active = said(able, 'ScalingActive', true, valid, now)
  const question = { spec, current, wanted: best.replicas, memory, now }
  const allowed = allowReplicas(question)
  const ready = said(active, 'AbleToScale', true, `${allowed.able.reason}: ${allowed.able.message}`, now)
  const { limited } = allowed
  const limits = `${limited.reason}: ${limited.message}`
  const conditions = said(ready, 'ScalingLimited', limited.isLimited, limits, now)
  const reason = best.replicas > current ? `${best.name} above target` : 'All metrics below target'
  return {
    ...(allowed.replicas === current ? {} : { rescale: { to: allowed.replicas, reason } }),
    events,
    status: at(conditions, measured.metrics),
    memory: remember(question),
  }
}

/** When the target took the new size, or `error` says why not. */
export function afterRescale(
  { found, memory, now }: Pick<HpaView, 'found' | 'memory' | 'now'>,
  status: V2HorizontalPodAutoscalerStatus,
  { to, reason }: NonNullable<HpaPlan['rescale']>,
  error: string | undefined,
): Omit<HpaPlan, 'rescale'> {
  const size = `New size: ${to}; reason: ${reason}`
  if (error !== undefined) {
    const why = `FailedUpdateScale: the HPA controller was unable to update the target scale: ${error}`
    return {
      status: { ...status, conditions: said(status.conditions ?? [], 'AbleToScale', false, why, now) },
      events: [{ type: 'Warning', reason: 'FailedRescale', message: `${size}; error: ${error}` }],
      memory,
    }
  }
  const done = `SucceededRescale: the HPA controller was able to update the target scale to ${to}`
  const change = { by: to - (status.currentReplicas ?? 0), at: now }
  return {
    status: {
      ...status,
      desiredReplicas: to,
      lastScaleTime: formatTime(now),
      conditions: said(status.conditions ?? [], 'AbleToScale', true, done, now),
    },
    events: [{ type: 'Normal', reason: 'SuccessfulRescale', message: size }],
    memory: found.spec.behavior ? { ...memory, changes: [...memory.changes, change] } : memory,
  }
}

/** When there is no target to scale. */
export function withoutScale(found: HorizontalPodAutoscaler, error: string, now: number): HpaPlan {
  const why = `FailedGetScale: the HPA controller was unable to get the target's current scale: ${error}`
  const { currentReplicas = 0, desiredReplicas = 0, currentMetrics: metrics = [] } = found.status ?? {}
  const conditions = said(found.status?.conditions ?? [], 'AbleToScale', false, why, now)
  return {
    status: statusWith(found, { currentReplicas, desiredReplicas, conditions, metrics }),
    events: [{ type: 'Warning', reason: 'FailedGetScale', message: error }],
    memory: { recommendations: [], changes: [] },
  }
}

function statusWith(
  { status }: HorizontalPodAutoscaler,
  now: {
    readonly currentReplicas: number
    readonly desiredReplicas: number
    readonly conditions: Conditions
    readonly metrics: readonly V2MetricStatus[]
  },
): V2HorizontalPodAutoscalerStatus {
  return {
    ...(now.currentReplicas === 0 ? {} : { currentReplicas: now.currentReplicas }),
    desiredReplicas: now.desiredReplicas,
    ...(status?.lastScaleTime ? { lastScaleTime: status.lastScaleTime } : {}),
    ...(now.metrics.length > 0 ? { currentMetrics: now.metrics } : {}),
    conditions: now.conditions,
  }
}

/** `why` is "Reason: message". */
function said(before: Conditions, type: string, is: boolean, why: string, now: number): Conditions {
  const at = why.indexOf(': ')
  const [reason, message] = [why.slice(0, at), why.slice(at + 2)]
  return setCondition<V2HorizontalPodAutoscalerCondition>(
    before,
    { type, status: is ? 'True' : 'False', reason, message },
    now,
  )
}

interface Measured {
  readonly best?: (Proposal & { readonly name: string }) | undefined
  readonly metrics: readonly V2MetricStatus[]
  /** Of the first metric that could not be had. */
  readonly failure?: { readonly reason: string; readonly message: string }
  readonly events: readonly HpaEvent[]
}

/** Of all metrics, the one that calls for most pods decides. */
function measure(view: HpaView): Measured {
  const metrics = view.found.spec.metrics ?? []
  if (view.target.selector === '') {
    const message = 'selector is required'
    return {
      metrics: [],
      failure: { reason: 'InvalidSelector', message: "the HPA target's scale is missing a selector" },
      events: [
        { type: 'Warning', reason: 'SelectorRequired', message },
        { type: 'Warning', reason: 'FailedComputeMetricsReplicas', message },
      ],
    }
  }
  const events: HpaEvent[] = []
  const statuses: V2MetricStatus[] = []
  const errors: { readonly reason: string; readonly message: string; readonly what: string }[] = []
  let best: Measured['best']
  for (const metric of metrics) {
    const result = judge(view, metric)
    if ('error' in result) {
      const { reason, error, what } = result
      events.push({ type: 'Warning', reason, message: error })
      errors.push({ reason, message: error, what })
      continue
    }
    statuses.push(result.status)
    if (!best || result.proposal.replicas > best.replicas) best = { ...result.proposal, name: result.name }
  }
  const [first] = errors
  if (!first) return { best, metrics: statuses, events }
  const count = `invalid metrics (${errors.length} invalid out of ${metrics.length})`
  const message = `${count}, first error is: failed to get ${first.what} metric value: ${first.message}`
  events.push({ type: 'Warning', reason: 'FailedComputeMetricsReplicas', message })
  const why = `the HPA was unable to compute the replica count: ${first.message}`
  return { best, metrics: statuses, failure: { reason: first.reason, message: why }, events }
}

type Judged =
  | { readonly proposal: Proposal; readonly name: string; readonly status: V2MetricStatus }
  | { readonly error: string; readonly reason: string; readonly what: string }

const NO_CUSTOM = 'no custom metrics API (custom.metrics.k8s.io) registered'

function judge(view: HpaView, metric: V2MetricSpec): Judged {
  const { pods, object, external, containerResource } = metric
  const namespace = view.found.metadata.namespace ?? ''
  if (pods) {
    const error = `unable to get metric ${pods.metric.name}: ${NO_CUSTOM}`
    return { reason: 'FailedGetPodsMetric', error, what: 'pods' }
  }
  if (object) {
    const { kind, name } = object.describedObject
    const error = `unable to get metric ${object.metric.name}: ${kind} on ${namespace} ${name}/${NO_CUSTOM}`
    return { reason: 'FailedGetObjectMetric', error, what: 'object' }
  }
  if (external) {
    const { name, selector } = external.metric
    const labels = selector ? formatLabelSelector(selector) : 'nil'
    const why = `the server could not find the requested resource (get ${name}.external.metrics.k8s.io)`
    const error = `unable to get external metric ${namespace}/${name}/${labels}: unable to fetch metrics from external metrics API: ${why}`
    return { reason: 'FailedGetExternalMetric', error, what: `${name} external` }
  }
  const source = containerResource ?? metric.resource
  const isContainer = containerResource !== undefined
  const reason = isContainer ? 'FailedGetContainerResourceMetric' : 'FailedGetResourceMetric'
  const resource = source?.name ?? ''
  const fail = (why: string): Judged => ({
    reason,
    error: `failed to get ${resource} utilization: ${why}`,
    what: `${resource} ${isContainer ? 'container' : 'resource'}`,
  })
  if (!source)
    return fail('invalid resource metric source: neither a utilization target nor a value target was set')
  if (view.metrics instanceof Error)
    return fail(
      `unable to get metrics for resource ${resource}: unable to fetch metrics from resource metrics API: ${view.metrics.message}`,
    )
  const { scaleUp, scaleDown } = view.found.spec.behavior ?? {}
  const proposal = proposeReplicas({
    resource,
    container: containerResource?.container,
    target: source.target,
    current: view.target.replicas,
    pods: view.pods,
    metrics: view.metrics,
    tolerances: { up: toleranceOf(scaleUp), down: toleranceOf(scaleDown) },
    now: view.now,
  })
  if (proposal instanceof Error) return fail(proposal.message)
  const { average, utilization } = proposal
  const current = {
    ...(utilization === undefined ? {} : { averageUtilization: utilization }),
    averageValue: formatQuantity(average / 1000),
  }
  const name =
    utilization === undefined
      ? `${resource} resource`
      : `${resource} resource utilization (percentage of request)`
  const status = containerResource
    ? {
        type: metric.type,
        containerResource: { name: resource, container: containerResource.container, current },
      }
    : { type: metric.type, resource: { name: resource, current } }
  return { proposal, name, status }
}

function toleranceOf(rules: { readonly tolerance?: string | undefined } | undefined): number {
  return rules?.tolerance === undefined ? TOLERANCE : parseQuantity(rules.tolerance)
}
