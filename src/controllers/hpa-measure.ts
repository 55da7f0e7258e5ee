/**
 * What the metrics of a HorizontalPodAutoscaler call for, each by the numbers in hpa-replicas.ts, in the words of
 * podautoscaler's computeReplicasForMetrics: conditions, events, and the status of each metric in its place. Pure.
 */
import type {
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
  V2MetricValueStatus,
} from '../api/generated/types.ts'
import type { HorizontalPodAutoscaler } from '../api/kinds/horizontal-pod-autoscaler.ts'
import { CUSTOM_METRICS } from '../api/metric-values.ts'
import type { PodMetrics } from '../api/metrics-kinds.ts'
import type { Pod } from '../api/pods.ts'
import { formatQuantity, parseQuantity } from '../api/quantity.ts'
import { goSelector } from '../api/selectors.ts'
import { proposeByAmount, proposeByPods, proposeReplicas, type Tolerances } from './hpa-replicas.ts'

const TOLERANCE = 0.1

export interface MetricsView {
  readonly found: HorizontalPodAutoscaler
  readonly target: {
    readonly replicas: number
    /** As its status counts them. */
    readonly statusReplicas: number
    readonly selector: string
  }
  /** Those the target's selector selects. */
  readonly pods: readonly Pod[]
  /** "namespace/name" of every autoscaler that selects one of these pods. */
  readonly selectedBy: readonly string[]
  /** Of these pods, or why there are none. */
  readonly metrics: readonly PodMetrics[] | Error
  /** Of each metric of the spec that is not a resource of pods. */
  readonly figures: ReadonlyMap<V2MetricSpec, Figures>
  /** Epoch ms. */
  readonly now: number
}

/** In thousandths, by the name of whose they are; an Error says why there are none. */
export type Figures = readonly { readonly name: string; readonly milli: number }[] | Error

export interface HpaEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export interface Measured {
  readonly best?: { readonly replicas: number; readonly name: string } | undefined
  readonly metrics: readonly V2MetricStatus[]
  /** Of the first metric that could not be had; `error` sums up all of them. */
  readonly failure?: { readonly reason: string; readonly message: string; readonly error: string }
  readonly events: readonly HpaEvent[]
}

/** Of all metrics, the one that calls for most pods decides. */
export function measure(view: MetricsView): Measured {
  const refusal = refuseSelector(view)
  if (refusal) return refusal
  const metrics = view.found.spec.metrics ?? []
  const events: HpaEvent[] = []
  const statuses: V2MetricStatus[] = []
  const errors: Failed[] = []
  let best: Measured['best']
  for (const metric of metrics) {
    const result = judge(view, metric)
    if ('error' in result) {
      events.push({ type: 'Warning', reason: result.reason, message: result.error })
      errors.push(result)
      statuses.push({ type: '' })
      continue
    }
    const { replicas, name, status } = result
    statuses.push({ type: metric.type, ...status })
    if (!best || best.replicas === 0 || replicas > best.replicas) best = { replicas, name }
  }
  const [first] = errors
  if (!first) return { best, metrics: statuses, events }
  const count = `invalid metrics (${errors.length} invalid out of ${metrics.length})`
  const failure = {
    reason: first.reason,
    message: `the HPA was unable to compute the replica count: ${first.error}`,
    error: `${count}, first error is: ${first.where ?? ''}${first.inner ?? first.error}`,
  }
  return { best, metrics: statuses, failure, events }
}

/** Whose pods these are must be plain. */
function refuseSelector({ target: { selector }, selectedBy }: MetricsView): Measured | undefined {
  const refused = (event: string, error: string, reason = event, message = error): Measured => ({
    metrics: [],
    failure: { reason, message, error },
    events: [{ type: 'Warning', reason: event, message: error }],
  })
  if (selector === '')
    return refused(
      'SelectorRequired',
      'selector is required',
      'InvalidSelector',
      "the HPA target's scale is missing a selector",
    )
  if (selectedBy.length <= 1) return undefined
  const all = selectedBy.toSorted().join(' ')
  return refused(
    'AmbiguousSelector',
    `pods by selector ${selector} are controlled by multiple HPAs: [${all}]`,
  )
}

interface Judged {
  readonly replicas: number
  readonly name: string
  readonly status: Omit<V2MetricStatus, 'type'>
}

interface Failed {
  readonly reason: string
  /** As the event says it. */
  readonly error: string
  /** Before it where all errors are summed up: which metric it is of. */
  readonly where?: string
  /** What is said there instead of `error`. */
  readonly inner?: string
}

function judge(view: MetricsView, metric: V2MetricSpec): Judged | Failed {
  switch (metric.type) {
    case 'Pods':
      return judgePods(view, metric)
    case 'Object':
      return judgeObject(view, metric)
    case 'External':
      return judgeExternal(view, metric)
    case 'Resource':
    case 'ContainerResource':
      return judgeResource(view, metric)
    default:
      return {
        reason: 'InvalidMetricSourceType',
        error: `unknown metric source type ${JSON.stringify(metric.type)}`,
      }
  }
}

function judgePods(view: MetricsView, metric: V2MetricSpec): Judged | Failed {
  const { pods: source } = metric
  const { name = '' } = source?.metric ?? {}
  const fail = (error: string): Failed => ({
    reason: 'FailedGetPodsMetric',
    error,
    where: 'failed to get pods metric value: ',
  })
  const figures = custom(view, metric)
  if (!source || figures instanceof Error) return fail(`unable to get metric ${name}: ${messageOf(figures)}`)
  if (figures.length === 0)
    return fail(`unable to get metric ${name}: no metrics returned from custom metrics API`)
  const samples = new Map(figures.map((figure) => [figure.name, figure.milli]))
  const proposal = proposeByPods(samples, questionOf(view, source.target))
  if (proposal instanceof Error) return fail(proposal.message)
  return {
    replicas: proposal.replicas,
    name: `pods metric ${name}`,
    status: {
      pods: { metric: source.metric, current: { averageValue: quantityOf(proposal.average) } },
    },
  }
}

function judgeObject(view: MetricsView, metric: V2MetricSpec): Judged | Failed {
  const { object: source } = metric
  const { name = '', selector } = source?.metric ?? {}
  const { kind = '', name: of = '' } = source?.describedObject ?? {}
  const target = source && targetOf(source.target)
  const where = 'failed to get object metric value: '
  const fail = (error: string): Failed => ({ reason: 'FailedGetObjectMetric', error, where })
  if (!source || !target)
    return fail('invalid object metric source: neither a value target nor an average value target was set')
  const isAverage = target.averageValue !== undefined
  const refuse = (error: string): Failed => ({
    ...fail(error),
    ...(isAverage ? { inner: `failed to get ${name} object metric: ${error}` } : {}),
  })
  const figures = custom(view, metric)
  const [only] = figures instanceof Error ? [] : figures
  const count = figures instanceof Error ? 0 : figures.length
  if (figures instanceof Error || !only || count > 1) {
    const why =
      figures instanceof Error
        ? figures.message
        : `${NO_CUSTOM}the custom metrics API server returned ${count} results when we asked for exactly one`
    const namespace = view.found.metadata.namespace ?? ''
    return refuse(`unable to get metric ${name}: ${kind} on ${namespace} ${of}/${why}`)
  }
  const proposal = proposeByAmount(only.milli, questionOf(view, target))
  if (proposal instanceof Error) return refuse(proposal.message)
  const { describedObject } = source
  return {
    replicas: proposal.replicas,
    name: isAverage ? `external metric ${name}(${goSelector(selector)})` : `${kind} metric ${name}`,
    status: {
      object: { describedObject, metric: source.metric, current: amountStatus(isAverage, proposal.reported) },
    },
  }
}

function judgeExternal(view: MetricsView, metric: V2MetricSpec): Judged | Failed {
  const { external: source } = metric
  const { name = '', selector } = source?.metric ?? {}
  const where = `failed to get ${name} external metric value: `
  const fail = (error: string): Failed => ({ reason: 'FailedGetExternalMetric', error, where })
  const { value, averageValue } = source?.target ?? {}
  if (!source || (value === undefined && averageValue === undefined))
    return fail('invalid external metric source: neither a value target nor an average value target was set')
  const isAverage = averageValue !== undefined
  const refuse = (error: string): Failed => ({
    ...fail(error),
    inner: isAverage
      ? `failed to get ${name} external metric: ${error}`
      : `failed to get external metric ${name}: ${error}`,
  })
  const namespace = view.found.metadata.namespace ?? ''
  const figures = view.figures.get(metric) ?? []
  if (figures instanceof Error || figures.length === 0) {
    const why =
      figures instanceof Error
        ? `unable to fetch metrics from external metrics API: ${figures.message}${NO_ADAPTER.test(figures.message) ? ` (get ${name}.external.metrics.k8s.io)` : ''}`
        : 'no metrics returned from external metrics API'
    return refuse(`unable to get external metric ${namespace}/${name}/${goSelector(selector)}: ${why}`)
  }
  const total = figures.reduce((sum, { milli }) => sum + milli, 0)
  const proposal = proposeByAmount(total, questionOf(view, source.target))
  if (proposal instanceof Error) return refuse(proposal.message)
  return {
    replicas: proposal.replicas,
    name: `external metric ${name}(${goSelector(selector)})`,
    status: { external: { metric: source.metric, current: amountStatus(isAverage, proposal.reported) } },
  }
}

function judgeResource(view: MetricsView, metric: V2MetricSpec): Judged | Failed {
  const { containerResource } = metric
  const source = containerResource ?? metric.resource
  const resource = source?.name ?? ''
  const reason = containerResource ? 'FailedGetContainerResourceMetric' : 'FailedGetResourceMetric'
  const where = containerResource
    ? `failed to get ${containerResource.container} container metric value: `
    : `failed to get ${resource} resource metric value: `
  const { averageValue, averageUtilization } = source?.target ?? {}
  if (!source || (averageValue === undefined && averageUtilization === undefined))
    return {
      reason,
      where,
      error:
        'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    }
  const measureName = averageValue === undefined ? 'utilization' : 'usage'
  const fail = (why: string): Failed => ({
    reason,
    where,
    error: `failed to get ${resource} ${measureName}: ${why}`,
  })
  const { metrics } = view
  if (metrics instanceof Error)
    return fail(
      `unable to get metrics for resource ${resource}: unable to fetch metrics from resource metrics API: ${metrics.message}`,
    )
  const container = containerResource?.container
  const proposal = proposeReplicas({
    ...questionOf(view, source.target),
    resource,
    container,
    metrics,
    now: view.now,
  })
  if (proposal instanceof Error) return fail(proposal.message)
  const { replicas, average, utilization } = proposal
  const current = {
    ...(utilization === undefined ? {} : { averageUtilization: utilization }),
    averageValue: quantityOf(average),
  }
  const share = `${container === undefined ? '' : 'container '}resource utilization (percentage of request)`
  return {
    replicas,
    name: utilization === undefined ? `${resource} resource` : `${resource} ${share}`,
    status:
      container === undefined
        ? { resource: { name: resource, current } }
        : { containerResource: { name: resource, container, current } },
  }
}

function questionOf({ target, pods, found }: MetricsView, goal: V2MetricTarget) {
  const { scaleUp, scaleDown } = found.spec.behavior ?? {}
  const tolerances: Tolerances = { up: toleranceOf(scaleUp), down: toleranceOf(scaleDown) }
  return { target: goal, current: target.replicas, statusReplicas: target.statusReplicas, pods, tolerances }
}

/** The target that its type names, if it is set. */
function targetOf({ type, value, averageValue }: V2MetricTarget): V2MetricTarget | undefined {
  if (type === 'Value' && value !== undefined) return { type, value }
  return type === 'AverageValue' && averageValue !== undefined ? { type, averageValue } : undefined
}

function toleranceOf(rules: { readonly tolerance?: string | undefined } | undefined): number {
  return rules?.tolerance === undefined ? TOLERANCE : parseQuantity(rules.tolerance)
}

const NO_CUSTOM = 'unable to fetch metrics from custom metrics API: '
/** Whoever has no adapter is told that, not that a path is not found. */
const NO_ADAPTER = /^the server could not find the requested resource$/

function custom(view: MetricsView, metric: V2MetricSpec): Figures {
  const figures = view.figures.get(metric) ?? []
  if (!(figures instanceof Error)) return figures
  const why = NO_ADAPTER.test(figures.message)
    ? `no custom metrics API (${CUSTOM_METRICS}) registered`
    : figures.message
  return new Error(`${NO_CUSTOM}${why}`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}

function quantityOf(milli: number): string {
  return formatQuantity(milli / 1000)
}

function amountStatus(isAverage: boolean, milli: number): V2MetricValueStatus {
  return isAverage ? { averageValue: quantityOf(milli) } : { value: quantityOf(milli) }
}
