import { ageColumn, nameColumn } from '../age.ts'
import { textColumn, UNSET } from '../columns.ts'
import { isConditionTrue } from '../conditions.ts'
import type {
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerSpec,
  V2HPAScalingRules,
} from '../generated/types.ts'
import { metricsText } from '../hpa-metrics.ts'
import { validateAutoscaler } from '../hpa-validation.ts'
import { type Column, defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { WAVE } from '../waves.ts'

export type HorizontalPodAutoscaler = Stored<V2HorizontalPodAutoscaler>

const CPU_PERCENT = 80
const SCALE_UP: V2HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}
const SCALE_DOWN: V2HPAScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
}

/** Both versions print the same. */
export const autoscalerColumns: readonly Column<HorizontalPodAutoscaler>[] = [
  nameColumn,
  textColumn(
    'Reference',
    'scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be collected, as well as to actually change the replica count.',
    ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
  ),
  textColumn(
    'Targets',
    'metrics contains the specifications for which to use to calculate the desired replica count.',
    ({ spec, status }) => metricsText(spec.metrics, status?.currentMetrics),
  ),
  textColumn(
    'MinPods',
    'minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.',
    ({ spec }) => String(spec.minReplicas ?? UNSET),
  ),
  textColumn(
    'MaxPods',
    'maxReplicas is the upper limit for the number of replicas to which the autoscaler can scale up.',
    ({ spec }) => spec.maxReplicas,
  ),
  textColumn(
    'Replicas',
    'currentReplicas is current number of replicas of pods managed by this autoscaler, as last seen by the autoscaler.',
    ({ status }) => status?.currentReplicas ?? 0,
  ),
  ageColumn,
]

export const horizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  scope: 'Namespaced',
  shortNames: ['hpa'],
  categories: ['all'],
  schema: 'V2HorizontalPodAutoscaler',
  hasGeneration: false,
  nameRule: 'path-segment',
  applyWave: WAVE.disruption,
  subresources: { status: true },
  setDefaults: ({ spec, ...resource }) => ({ ...resource, spec: withDefaults(spec) }),
  prepareForCreate: (resource) => ({ ...resource, status: { desiredReplicas: 0, currentReplicas: 0 } }),
  validate: ({ spec }) => validateAutoscaler(spec),
  columns: autoscalerColumns,
  /** One that cannot scale is broken; one that only lacks metrics for now is not. */
  health({ status }) {
    const failed = status?.conditions?.find(
      ({ type, status: is, reason }) =>
        is === 'False' &&
        ((type === 'AbleToScale' && reason !== 'BackoffBoth') || reason === 'InvalidSelector'),
    )
    if (failed) return { status: 'Degraded', message: failed.message ?? failed.reason ?? 'cannot scale' }
    return isConditionTrue(status?.conditions, 'AbleToScale')
      ? { status: 'Healthy' }
      : { status: 'Progressing', message: 'Waiting to autoscale' }
  },
  example: {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 2,
      maxReplicas: 10,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
        },
      ],
    },
  },
})

function withDefaults(spec: V2HorizontalPodAutoscalerSpec): V2HorizontalPodAutoscalerSpec {
  const { behavior } = spec
  return {
    ...spec,
    minReplicas: spec.minReplicas ?? 1,
    metrics: spec.metrics?.length
      ? spec.metrics
      : [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: CPU_PERCENT } },
          },
        ],
    // Who says something about one direction is shown what holds for both.
    ...(behavior
      ? {
          behavior: {
            ...behavior,
            scaleUp: { ...SCALE_UP, ...present(behavior.scaleUp) },
            scaleDown: { ...SCALE_DOWN, ...present(behavior.scaleDown) },
          },
        }
      : {}),
  }
}

function present(rules: V2HPAScalingRules = {}): V2HPAScalingRules {
  return Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined))
}
