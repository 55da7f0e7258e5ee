import { isObject } from '../../base/json.ts'
import type {
  V1HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerSpec,
  V2HorizontalPodAutoscalerStatus,
  V2MetricSpec,
} from '../generated/types.ts'
import { newMetric, newMetricStatus, oldMetric, oldMetricStatus } from '../hpa-metrics.ts'
import { defineKind } from '../kind.ts'
import type { ObjectMeta, Stored } from '../resource.ts'
import { WAVE } from '../waves.ts'
import {
  autoscalerColumns,
  type HorizontalPodAutoscaler,
  horizontalPodAutoscaler,
} from './horizontal-pod-autoscaler.ts'

type HorizontalPodAutoscalerV1 = Stored<V1HorizontalPodAutoscaler>

/** What v1 has no field for is kept in these annotations, as kube-apiserver keeps it. */
const METRICS = 'autoscaling.alpha.kubernetes.io/metrics'
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior'
const CURRENT = 'autoscaling.alpha.kubernetes.io/current-metrics'
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions'
const CARRIERS = [METRICS, BEHAVIOR, CURRENT, CONDITIONS]

export const horizontalPodAutoscalerV1 = defineKind<HorizontalPodAutoscalerV1>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  scope: 'Namespaced',
  shortNames: ['hpa'],
  categories: ['all'],
  schema: 'V1HorizontalPodAutoscaler',
  hasGeneration: false,
  nameRule: 'path-segment',
  applyWave: WAVE.disruption,
  subresources: { status: true },
  storedAs: {
    kind: horizontalPodAutoscaler,
    toStored,
    fromStored: (resource) => fromStored(resource as HorizontalPodAutoscaler),
  },
  setDefaults: (resource) => ({
    ...resource,
    spec: { ...resource.spec, minReplicas: resource.spec.minReplicas ?? 1 },
  }),
  columns: autoscalerColumns.map((column) => ({
    ...column,
    value: (resource, now) => column.value(toStored(resource), now),
  })),
  health: (resource, now) => horizontalPodAutoscaler.health(toStored(resource), now),
  example: {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 2,
      maxReplicas: 10,
      targetCPUUtilizationPercentage: 60,
    },
  },
})

function toStored({
  apiVersion: _,
  metadata,
  spec,
  status,
  ...rest
}: HorizontalPodAutoscalerV1): HorizontalPodAutoscaler {
  const { targetCPUUtilizationPercentage: percent, ...others } = spec
  const { currentCPUUtilizationPercentage: current, ...counts } = status ?? {
    currentReplicas: 0,
    desiredReplicas: 0,
  }
  const carried = (name: string): unknown => read(metadata.annotations?.[name])
  const metrics: readonly V2MetricSpec[] = [
    ...listOf(carried(METRICS)).map((metric) => newMetric(metric as Parameters<typeof newMetric>[0])),
    ...(percent === undefined ? [] : [cpuMetric(percent)]),
  ]
  const behavior = carried(BEHAVIOR)
  const statuses = listOf(carried(CURRENT))
  const conditions = listOf(carried(CONDITIONS))
  const currentMetrics =
    statuses.length > 0
      ? statuses.map((one) => newMetricStatus(one as Parameters<typeof newMetricStatus>[0]))
      : current === undefined
        ? undefined
        : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } }]
  return {
    ...rest,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(metadata, {}),
    spec: {
      ...others,
      ...(metrics.length > 0 ? { metrics } : {}),
      ...(isObject(behavior) ? { behavior: behavior as V2HorizontalPodAutoscalerSpec['behavior'] } : {}),
    },
    ...(status
      ? {
          status: {
            ...counts,
            ...(currentMetrics ? { currentMetrics } : {}),
            ...(conditions.length > 0
              ? { conditions: conditions as V2HorizontalPodAutoscalerStatus['conditions'] }
              : {}),
          },
        }
      : {}),
  } as HorizontalPodAutoscaler
}

function fromStored({ metadata, spec, status, ...rest }: HorizontalPodAutoscaler): HorizontalPodAutoscalerV1 {
  const { metrics = [], behavior, ...others } = spec
  const { currentMetrics = [], conditions = [], ...counts } = status ?? { desiredReplicas: 0 }
  const cpu = metrics.find(isCpuPercent)
  const carried = metrics.filter((metric) => metric !== cpu).map(oldMetric)
  const current = currentMetrics.find(({ resource }) => resource?.name === 'cpu')?.resource?.current
  return {
    ...rest,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(metadata, {
      ...(carried.length > 0 ? { [METRICS]: JSON.stringify(carried) } : {}),
      ...(behavior ? { [BEHAVIOR]: JSON.stringify(behavior) } : {}),
      ...(currentMetrics.length > 0
        ? { [CURRENT]: JSON.stringify(currentMetrics.map(oldMetricStatus)) }
        : {}),
      ...(conditions.length > 0 ? { [CONDITIONS]: JSON.stringify(conditions) } : {}),
    }),
    spec: {
      ...others,
      ...(cpu ? { targetCPUUtilizationPercentage: cpu.resource?.target.averageUtilization } : {}),
    },
    ...(status
      ? {
          status: {
            ...counts,
            currentReplicas: counts.currentReplicas ?? 0,
            ...(current?.averageUtilization === undefined
              ? {}
              : { currentCPUUtilizationPercentage: current.averageUtilization }),
          },
        }
      : {}),
  }
}

function isCpuPercent({ type, resource }: V2MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined
}

function cpuMetric(averageUtilization: number): V2MetricSpec {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }
}

function withAnnotations(metadata: ObjectMeta, added: Readonly<Record<string, string>>): ObjectMeta {
  const { annotations: before = {}, ...rest } = metadata
  const others = Object.entries(before).filter(([name]) => !CARRIERS.includes(name))
  const annotations = { ...Object.fromEntries(others), ...added }
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest
}

function read(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined // Somebody wrote the annotation by hand; kube-apiserver passes over it as well.
  }
}

function listOf(value: unknown): readonly object[] {
  return Array.isArray(value) ? value.filter((item): item is object => isObject(item)) : []
}
