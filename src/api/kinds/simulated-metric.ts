import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { amountAt, type Curve, curveSchema, validateCurve } from '../curves.ts'
import { defineKind } from '../kind.ts'
import { ownSchema } from '../own-schema.ts'
import { parseQuantity } from '../quantity.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { validateMetricName } from '../simulated-usage.ts'
import { validateSchema } from '../validate-schema.ts'
import { WAVE } from '../waves.ts'

/**
 * A figure that a HorizontalPodAutoscaler of the same namespace can ask for: of an object (custom.metrics.k8s.io) or,
 * without one, of something outside of the cluster (external.metrics.k8s.io). Counted from its creation.
 */
export interface SimulatedMetric extends Resource {
  readonly spec: Curve & {
    readonly metric?: string | undefined
    readonly labels?: Readonly<Record<string, string>> | undefined
    readonly describedObject?: { readonly apiVersion?: string; readonly kind: string; readonly name: string }
    readonly value: string
    readonly peak?: string | undefined
  }
}

const text = (description: string): Schema => ({ type: 'string', minLength: 1, description })

const schema = ownSchema('A SimulatedMetric is a figure for HorizontalPodAutoscalers of its namespace.', {
  spec: {
    type: 'object',
    description: 'Which figure, and how it goes.',
    required: ['value'],
    properties: {
      metric: text('Name it is asked for by. Default: the name of this object.'),
      labels: {
        type: 'object',
        description: 'What selectors of the metric look at.',
        additionalProperties: { type: 'string' },
      },
      describedObject: {
        type: 'object',
        description:
          'Whose figure it is, as an Object metric names it. Default: none, it is an External metric.',
        required: ['kind', 'name'],
        properties: {
          apiVersion: { type: 'string', description: 'Default v1.' },
          kind: text('Kind of the object.'),
          name: text('Name of the object, in the same namespace.'),
        },
      },
      value: { type: 'string', format: 'quantity', description: 'The base.' },
      peak: { type: 'string', format: 'quantity', description: 'The other end.' },
      ...curveSchema('the creation of this object'),
    },
  },
})

export function metricNameOf({ metadata, spec }: SimulatedMetric): string {
  return spec.metric ?? metadata.name
}

/** `ms` since its creation. */
export function metricAt({ spec }: SimulatedMetric, ms: number): number {
  const peak = spec.peak === undefined ? undefined : parseQuantity(spec.peak)
  return amountAt(spec, parseQuantity(spec.value), peak, ms)
}

export const simulatedMetric = defineKind<SimulatedMetric>({
  group: 'seamark.dev',
  version: 'v1alpha1',
  kind: 'SimulatedMetric',
  plural: 'simulatedmetrics',
  scope: 'Namespaced',
  shortNames: ['simmetric'],
  categories: ['seamark'],
  schema,
  applyWave: WAVE.configuration,
  validate: ({ spec }) => [
    ...validateSchema({ spec }, schema),
    ...validateMetricName(spec?.metric, 'spec.metric'),
    ...validateCurve(spec ?? {}, 'spec'),
  ],
  columns: [
    nameColumn,
    textColumn('Metric', 'Name it is asked for by.', metricNameOf),
    textColumn('Object', 'Whose figure it is.', ({ spec: { describedObject: of } }) =>
      of ? `${of.kind}/${of.name}` : '<external>',
    ),
    textColumn('Value', 'The base, and the peak.', ({ spec }) =>
      spec.peak === undefined ? spec.value : `${spec.value}..${spec.peak}`,
    ),
    textColumn('Pattern', 'How it goes from one to the other.', ({ spec }) => spec.pattern ?? 'constant'),
    ageColumn,
  ],
  example: {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'SimulatedMetric',
    metadata: { name: 'orders-queue', namespace: 'default' },
    spec: {
      metric: 'queue_messages_ready',
      labels: { queue: 'orders' },
      value: '30',
      peak: '900',
      pattern: 'sine',
      period: '24h',
    },
  },
})
