/**
 * What a HorizontalPodAutoscaler makes of its target now, and how it says so: podautoscaler's reconcileAutoscaler. Its
 * metrics are judged in hpa-measure.ts, speed in hpa-rate.ts. Pure.
 */
import { setCondition } from '../api/conditions.ts'
import type {
  V2HorizontalPodAutoscalerCondition,
  V2HorizontalPodAutoscalerStatus,
  V2MetricStatus,
} from '../api/generated/types.ts'
import type { HorizontalPodAutoscaler } from '../api/kinds/horizontal-pod-autoscaler.ts'
import { formatTime } from '../base/date.ts'
import { type HpaEvent, type MetricsView, measure } from './hpa-measure.ts'
import { allowReplicas, type HpaMemory, remember } from './hpa-rate.ts'

export interface HpaView extends MetricsView {
  readonly memory: HpaMemory
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
    const [side, limit] = current > maxReplicas ? ['above', 'Max'] : ['below', 'Min']
    const reason = `Current number of replicas ${side} Spec.${limit}Replicas`
    return { rescale: { to: bound, reason }, status: at(able), events: [], memory }
  }
  const { best, events, metrics, failure } = measure(view)
  if (!best || (failure && best.replicas < current)) {
    const { reason = '', message = '', error = '' } = failure ?? {}
    return {
      status: statusWith(found, {
        currentReplicas: current,
        desiredReplicas: status?.desiredReplicas ?? 0,
        conditions: said(able, 'ScalingActive', false, `${reason}: ${message}`, now),
        metrics,
      }),
      events: [...events, { type: 'Warning', reason: 'FailedComputeMetricsReplicas', message: error }],
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
    status: at(conditions, metrics),
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
      status: {
        ...status,
        // What it wanted before: the size it has may lie outside its bounds.
        desiredReplicas: found.status?.desiredReplicas ?? 0,
        conditions: said(status.conditions ?? [], 'AbleToScale', false, why, now),
      },
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
export function withoutScale(
  { found, memory, now }: Pick<HpaView, 'found' | 'memory' | 'now'>,
  error: string,
): HpaPlan {
  const why = `FailedGetScale: the HPA controller was unable to get the target's current scale: ${error}`
  const { currentReplicas = 0, desiredReplicas = 0, currentMetrics: metrics = [] } = found.status ?? {}
  const conditions = said(found.status?.conditions ?? [], 'AbleToScale', false, why, now)
  return {
    status: statusWith(found, { currentReplicas, desiredReplicas, conditions, metrics }),
    events: [{ type: 'Warning', reason: 'FailedGetScale', message: error }],
    memory,
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
