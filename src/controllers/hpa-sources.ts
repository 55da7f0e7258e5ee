/** What a HorizontalPodAutoscaler is decided by: its pods, and what the metrics APIs say of them, or why they do not. */
import type { V2CrossVersionObjectReference, V2MetricSpec } from '../api/generated/types.ts'
import type { AnyKind } from '../api/kind.ts'
import type { HorizontalPodAutoscaler } from '../api/kinds/horizontal-pod-autoscaler.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { customMetric, externalMetric, groupResourceOf, namespaceMetric } from '../api/metric-values.ts'
import { type PodMetrics, podMetrics } from '../api/metrics-kinds.ts'
import { milliValue } from '../api/quantity.ts'
import { parseApiVersion } from '../api/resource.ts'
import {
  compileRequirements,
  formatLabelSelector,
  type LabelPredicate,
  parseLabelSelector,
} from '../api/selectors.ts'
import { ApiError } from '../api/status.ts'
import { pairIn } from '../client/index-by.ts'
import type { ReconcileContext } from './controller.ts'
import type { Figures } from './hpa-measure.ts'

export interface Selector {
  readonly namespace: string
  readonly matches: LabelPredicate
}

export function selectsOne({ namespace, matches }: Selector, pods: readonly Pod[]): boolean {
  return pods.some(({ metadata }) => metadata.namespace === namespace && matches(metadata.labels ?? {}))
}

export function selectorOf(
  { metadata: { namespace = '' } }: HorizontalPodAutoscaler,
  selector: string,
): Selector {
  return { namespace, matches: compileRequirements(parseLabelSelector(selector)) }
}

export function podsOf(
  { informers }: ReconcileContext,
  found: HorizontalPodAutoscaler,
  selector: string,
): readonly Pod[] {
  if (selector === '') return []
  const { namespace, matches } = selectorOf(found, selector)
  const pods = informers.of(pod)
  const plain = parseLabelSelector(selector).find(
    ({ operator, values }) => operator === 'In' && values.length === 1,
  )
  const some = plain
    ? pods.byIndex('label', pairIn(namespace, [plain.key, plain.values[0] ?? '']))
    : pods.byIndex('namespace', namespace)
  return some.filter(({ metadata }) => matches(metadata.labels ?? {}))
}

export async function resourcesOf(
  { client }: ReconcileContext,
  { metadata: { namespace }, spec }: HorizontalPodAutoscaler,
  labelSelector: string,
): Promise<readonly PodMetrics[] | Error> {
  if (
    labelSelector === '' ||
    !spec.metrics?.some(({ resource, containerResource }) => resource ?? containerResource)
  )
    return []
  return orRefusal(async () => (await client.list(podMetrics, { namespace, labelSelector })).items)
}

export async function figuresOf(
  { client }: ReconcileContext,
  { metadata: { namespace = '' }, spec }: HorizontalPodAutoscaler,
  labelSelector: string,
  kinds: readonly AnyKind[],
): Promise<ReadonlyMap<V2MetricSpec, Figures>> {
  const figures = new Map<V2MetricSpec, Figures>()
  for (const metric of spec.metrics ?? []) {
    const { pods, object, external } = metric
    const identifier = pods?.metric ?? object?.metric ?? external?.metric
    if (!identifier || labelSelector === '') continue
    const { name, selector } = identifier
    const ofMetric = selector ? formatLabelSelector(selector) : undefined
    figures.set(
      metric,
      await orRefusal(async () => {
        if (external) {
          const { items } = await client.list(externalMetric(name), { namespace, labelSelector: ofMetric })
          return items.map(({ metricName, value }) => ({ name: metricName, milli: milliValue(value) }))
        }
        const ref = object
          ? objectMetric(object.describedObject, name, kinds)
          : customMetric('pods', '*', name)
        const options = { namespace, metricLabelSelector: ofMetric, ...(object ? {} : { labelSelector }) }
        const { items } = await client.list(ref, options)
        return items.map(({ describedObject, value }) => ({
          name: describedObject.name,
          milli: milliValue(value),
        }))
      }),
    )
  }
  return figures
}

/** Its namespace is meant whatever a Namespace's name is: nobody looks out of one's own. */
function objectMetric(
  { apiVersion = 'v1', kind, name }: V2CrossVersionObjectReference,
  metric: string,
  kinds: readonly AnyKind[],
) {
  const { group } = parseApiVersion(apiVersion)
  if (group === '' && kind === 'Namespace') return namespaceMetric(metric)
  const found = kinds.find((each) => each.group === group && each.kind === kind)
  if (found) return customMetric(groupResourceOf(found), name, metric)
  const full = group === '' ? kind : `${kind}.${group}`
  throw new ApiError(
    'NotFound',
    `unable to map kind ${full} to a resource: no matches for kind "${kind}" in group "${group}"`,
  )
}

async function orRefusal<T>(ask: () => Promise<T>): Promise<T | ApiError> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}
