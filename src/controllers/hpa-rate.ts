/**
 * How far and how fast an autoscaler may go: recent recommendations keep it from following every wave, its policies and
 * limits from jumping (podautoscaler's normalizeDesiredReplicas, with and without behavior). Pure.
 */
import type { V2HPAScalingRules } from '../api/generated/types.ts'
import type { HorizontalPodAutoscaler } from '../api/kinds/horizontal-pod-autoscaler.ts'

const DOWN_WINDOW_S = 300
const UP_MIN = 4

/** What an autoscaler remembers from one look to the next. Times in epoch ms. */
export interface HpaMemory {
  readonly recommendations: readonly { readonly replicas: number; readonly at: number }[]
  /** Pods added (positive) and taken away, with behavior only. */
  readonly changes: readonly { readonly by: number; readonly at: number }[]
}

export interface Said {
  readonly reason: string
  readonly message: string
}

export interface Allowed {
  readonly replicas: number
  readonly able: Said
  readonly limited: Said & { readonly isLimited: boolean }
}

export interface RateQuestion {
  readonly spec: HorizontalPodAutoscaler['spec']
  readonly current: number
  /** By the metrics. */
  readonly wanted: number
  readonly memory: HpaMemory
  readonly now: number
}

const UP_STABILIZED: Said = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
}
const DOWN_STABILIZED: Said = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
}
const READY: Said = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
const WITHIN: Said = {
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
}
const TOO_FEW: Said = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
}
const TOO_MANY: Said = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
}
const UP_LIMIT: Said = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
}
const DOWN_LIMIT: Said = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
}

export function allowReplicas(question: RateQuestion): Allowed {
  const { spec, current, wanted } = question
  const stable = spec.behavior ? stabilized(question) : highestRecent(question, DOWN_WINDOW_S)
  const { replicas, said } = spec.behavior ? byPolicies(question, stable) : byLimits(question, stable)
  const stabilizedBy = spec.behavior && wanted >= current ? UP_STABILIZED : DOWN_STABILIZED
  return {
    replicas,
    able: stable === wanted ? READY : stabilizedBy,
    limited: { ...said, isLimited: replicas !== stable },
  }
}

/** With what was recommended now; what no window reaches any more is forgotten. */
export function remember({ spec, memory, wanted, now }: RateQuestion): HpaMemory {
  const { scaleUp, scaleDown } = spec.behavior ?? {}
  const window = Math.max(windowOf(scaleUp, 0), windowOf(scaleDown, DOWN_WINDOW_S)) * 1000
  const periods = [...(scaleUp?.policies ?? []), ...(scaleDown?.policies ?? [])]
  const period = Math.max(0, ...periods.map(({ periodSeconds }) => periodSeconds)) * 1000
  return {
    recommendations: [
      ...memory.recommendations.filter(({ at }) => at >= now - window),
      { replicas: wanted, at: now },
    ],
    changes: memory.changes.filter(({ at }) => at > now - period),
  }
}

function windowOf(rules: V2HPAScalingRules | undefined, otherwise: number): number {
  return rules?.stabilizationWindowSeconds ?? otherwise
}

function highestRecent({ memory, wanted, now }: RateQuestion, seconds: number): number {
  const recent = memory.recommendations.filter(({ at }) => at >= now - seconds * 1000)
  return Math.max(wanted, ...recent.map(({ replicas }) => replicas))
}

/** Up no further than the lowest, down no further than the highest of the recommendations of each window. */
function stabilized(question: RateQuestion): number {
  const { spec, current, memory, wanted, now } = question
  const within = (seconds: number) =>
    memory.recommendations.filter(({ at }) => at > now - seconds * 1000).map(({ replicas }) => replicas)
  const lowest = Math.min(wanted, ...within(windowOf(spec.behavior?.scaleUp, 0)))
  const highest = Math.max(wanted, ...within(windowOf(spec.behavior?.scaleDown, DOWN_WINDOW_S)))
  return Math.min(highest, Math.max(lowest, current))
}

function byLimits({ spec, current }: RateQuestion, wanted: number) {
  const { minReplicas = 1, maxReplicas } = spec
  const upLimit = Math.max(2 * current, UP_MIN)
  if (wanted < minReplicas) return { replicas: minReplicas, said: TOO_FEW }
  if (wanted > Math.min(maxReplicas, upLimit))
    return maxReplicas > upLimit
      ? { replicas: upLimit, said: UP_LIMIT }
      : { replicas: maxReplicas, said: TOO_MANY }
  return { replicas: wanted, said: WITHIN }
}

function byPolicies(question: RateQuestion, wanted: number) {
  const { spec, current } = question
  const { minReplicas = 1, maxReplicas, behavior } = spec
  if (wanted > current) {
    const limit = Math.max(current, policyLimit(question, behavior?.scaleUp, 1))
    if (wanted > Math.min(limit, maxReplicas))
      return maxReplicas > limit
        ? { replicas: limit, said: UP_LIMIT }
        : { replicas: maxReplicas, said: TOO_MANY }
  } else if (wanted < current) {
    const limit = Math.min(current, policyLimit(question, behavior?.scaleDown, -1))
    if (wanted < Math.max(limit, minReplicas))
      return minReplicas < limit
        ? { replicas: limit, said: DOWN_LIMIT }
        : { replicas: minReplicas, said: TOO_FEW }
  }
  return { replicas: wanted, said: WITHIN }
}

/** How far the policies let it go in one direction, each counted from where its period began. */
function policyLimit(
  { current, memory, now }: RateQuestion,
  rules: V2HPAScalingRules | undefined,
  sign: 1 | -1,
): number {
  if (rules?.selectPolicy === 'Disabled') return current
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const recent = memory.changes.filter(({ at }) => at > now - periodSeconds * 1000)
    const start = current - recent.reduce((sum, { by }) => sum + by, 0)
    if (type === 'Pods') return start + sign * value
    const limit = start * (1 + (sign * value) / 100)
    // Up at least by one, or one pod would stay one for ever.
    return sign > 0 ? Math.ceil(Number(limit.toFixed(6))) : Math.trunc(Number(limit.toFixed(6)))
  })
  if (limits.length === 0) return current
  const isWidest = rules?.selectPolicy !== 'Min'
  return isWidest === sign > 0 ? Math.max(...limits) : Math.min(...limits)
}
