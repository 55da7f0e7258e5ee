import type { V2MetricSpec, V2MetricStatus, V2MetricTarget, V2MetricValueStatus } from './generated/types.ts'

/**
 * Metrics of HorizontalPodAutoscalers between autoscaling/v2 and the flatter words of v1, which keeps them as JSON in
 * annotations. Also how kubectl prints them. What cannot be read is left out.
 */
interface OldMetric {
  readonly type: string
  readonly object?: OldSource
  readonly pods?: OldSource
  readonly resource?: OldSource
  readonly containerResource?: OldSource
  readonly external?: OldSource
}

interface OldSource {
  readonly name?: string
  readonly container?: string
  readonly metricName?: string
  readonly selector?: object
  readonly metricSelector?: object
  readonly target?: object
  readonly [amount: string]: unknown
}

type AnyMetric = V2MetricSpec | V2MetricStatus
type Amount = V2MetricValueStatus

export function oldMetric(metric: V2MetricSpec): OldMetric {
  return old(metric, 'target')
}

export function oldMetricStatus(metric: V2MetricStatus): OldMetric {
  return old(metric, 'current')
}

/** `word` is "target" in a spec and "current" in a status: targetAverageValue, currentAverageValue. */
function old(metric: AnyMetric, word: 'target' | 'current'): OldMetric {
  const { type, object, pods, resource, containerResource, external } = metric
  const amount = (source: object) => (source as Readonly<Record<string, Amount | undefined>>)[word] ?? {}
  const each = (source: { readonly name: string; readonly container?: string }): OldSource => {
    const { averageUtilization, averageValue } = amount(source)
    return compact({
      name: source.name,
      container: source.container,
      [`${word}AverageUtilization`]: averageUtilization,
      [`${word}AverageValue`]: averageValue,
    })
  }
  const made: Readonly<Record<string, unknown>> & { readonly type: string } = {
    type,
    ...compact({
      object:
        object &&
        compact({
          target: object.describedObject,
          metricName: object.metric.name,
          selector: object.metric.selector,
          [`${word}Value`]: amount(object).value ?? '0',
          averageValue: amount(object).averageValue,
        }),
      pods:
        pods &&
        compact({
          metricName: pods.metric.name,
          selector: pods.metric.selector,
          [`${word}AverageValue`]: amount(pods).averageValue,
        }),
      resource: resource && each(resource),
      containerResource: containerResource && each(containerResource),
      external:
        external &&
        compact({
          metricName: external.metric.name,
          metricSelector: external.metric.selector,
          [`${word}Value`]: amount(external).value,
          [`${word}AverageValue`]: amount(external).averageValue,
        }),
    }),
  }
  return made as OldMetric
}

export function newMetric(metric: OldMetric): V2MetricSpec {
  return renewed(metric, 'target') as V2MetricSpec
}

export function newMetricStatus(metric: OldMetric): V2MetricStatus {
  return renewed(metric, 'current') as V2MetricStatus
}

function renewed(
  { type, object, pods, resource, containerResource, external }: OldMetric,
  word: string,
): object {
  const amount = (source: OldSource, keys: Readonly<Record<string, string>>) => {
    const given = compact(Object.fromEntries(Object.entries(keys).map(([key, name]) => [key, source[name]])))
    return word === 'current' ? given : { type: targetType(given), ...given }
  }
  const perPod = {
    averageUtilization: `${word}AverageUtilization`,
    averageValue: `${word}AverageValue`,
  }
  return compact({
    type,
    object: object && {
      describedObject: object.target ?? {},
      metric: compact({ name: object.metricName ?? '', selector: object.selector }),
      [word]: amount(object, {
        ...(object['averageValue'] === undefined ? { value: `${word}Value` } : {}),
        averageValue: 'averageValue',
      }),
    },
    pods: pods && {
      metric: compact({ name: pods.metricName ?? '', selector: pods.selector }),
      [word]: amount(pods, { averageValue: `${word}AverageValue` }),
    },
    resource: resource && { name: resource.name ?? '', [word]: amount(resource, perPod) },
    containerResource: containerResource && {
      name: containerResource.name ?? '',
      container: containerResource.container ?? '',
      [word]: amount(containerResource, perPod),
    },
    external: external && {
      metric: compact({ name: external.metricName ?? '', selector: external.metricSelector }),
      [word]: amount(external, { value: `${word}Value`, averageValue: `${word}AverageValue` }),
    },
  })
}

function targetType(amount: Readonly<Record<string, unknown>>): string {
  if (amount['averageUtilization'] !== undefined) return 'Utilization'
  return amount['value'] === undefined ? 'AverageValue' : 'Value'
}

function compact(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

const SHOWN_MAX = 2

/** "cpu: 12%/80%", "<unknown>/500m", at most two and how many more. */
export function metricsText(
  specs: readonly V2MetricSpec[] = [],
  statuses: readonly V2MetricStatus[] = [],
): string {
  if (specs.length === 0) return '<none>'
  const all = specs.map((spec, i) => metricText(spec, statuses[i]))
  const shown = all.slice(0, SHOWN_MAX).join(', ')
  return all.length > SHOWN_MAX ? `${shown} + ${all.length - SHOWN_MAX} more...` : shown
}

function metricText(spec: V2MetricSpec, status: V2MetricStatus | undefined): string {
  const { object, pods, external } = spec
  const ofPods = spec.resource ?? spec.containerResource
  const now = status?.resource?.current ?? status?.containerResource?.current
  if (ofPods) return `${ofPods.name}: ${podMetricText(ofPods.target, now)}`
  if (pods) return `${status?.pods?.current.averageValue ?? UNKNOWN}/${pods.target.averageValue ?? ''}`
  const other = object ?? external
  if (!other) return '<unknown type>'
  const current = (object ? status?.object : status?.external)?.current
  return other.target.averageValue === undefined
    ? `${current?.value ?? UNKNOWN}/${other.target.value ?? ''}`
    : `${current?.averageValue ?? UNKNOWN}/${other.target.averageValue} (avg)`
}

const UNKNOWN = '<unknown>'

function podMetricText(
  { averageValue, averageUtilization }: V2MetricTarget,
  now: Amount | undefined,
): string {
  if (averageValue !== undefined) return `${now?.averageValue ?? UNKNOWN}/${averageValue}`
  const current = now?.averageUtilization === undefined ? UNKNOWN : `${now.averageUtilization}%`
  return `${current}/${averageUtilization === undefined ? '<auto>' : `${averageUtilization}%`}`
}
