import { ageColumn, nameColumn } from './age.ts'
import { textColumn } from './columns.ts'
import { type AnyKind, defineKind } from './kind.ts'
import type { Resource } from './resource.ts'
import type { Schema } from './schema.ts'
import { WAVE } from './waves.ts'

/**
 * metrics.k8s.io, as a metrics server adds it to a cluster: what nodes and pods use. Nothing is stored; each answer is
 * worked out from what the nodes say.
 */
interface Measured extends Resource {
  /** When it was measured, and over which time before. */
  readonly timestamp: string
  readonly window: string
}

export interface Usage {
  /** Quantities. */
  readonly cpu: string
  readonly memory: string
}

export interface NodeMetrics extends Measured {
  readonly usage: Usage
}

export interface PodMetrics extends Measured {
  readonly containers: readonly { readonly name: string; readonly usage: Usage }[]
}

const usage: Schema = {
  type: 'object',
  description: 'The amounts used, by resource.',
  additionalProperties: { type: 'string', format: 'quantity' },
}

function measured(kind: string, properties: Readonly<Record<string, Schema>>): Schema {
  return {
    type: 'object',
    description: `${kind} sets resource usage metrics of a ${kind === 'NodeMetrics' ? 'node' : 'pod'}.`,
    required: ['timestamp', 'window'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { ref: 'V1ObjectMeta' },
      timestamp: {
        type: 'string',
        format: 'date-time',
        description: 'End of the time it was measured over.',
      },
      window: { type: 'string', description: 'How long that time was.' },
      ...properties,
    },
  }
}

const COMMON = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  verbs: ['get', 'list'],
  hasGeneration: false,
  applyWave: WAVE.records,
} as const
const EXAMPLE = { timestamp: '2026-01-01T00:00:00Z', window: '15s' }
const SOME = { cpu: '10m', memory: '20Mi' }

export const nodeMetrics = defineKind<NodeMetrics>({
  ...COMMON,
  kind: 'NodeMetrics',
  plural: 'nodes',
  singular: '',
  scope: 'Cluster',
  schema: measured('NodeMetrics', { usage }),
  columns: [
    nameColumn,
    textColumn('CPU', 'CPU used.', (metrics) => metrics.usage.cpu),
    textColumn('Memory', 'Memory used.', (metrics) => metrics.usage.memory),
    textColumn('Window', 'Time it was measured over.', ({ window }) => window),
    ageColumn,
  ],
  example: {
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'NodeMetrics',
    metadata: { name: 'worker-0' },
    ...EXAMPLE,
    usage: SOME,
  },
})

export const podMetrics = defineKind<PodMetrics>({
  ...COMMON,
  kind: 'PodMetrics',
  plural: 'pods',
  singular: '',
  scope: 'Namespaced',
  schema: measured('PodMetrics', {
    containers: {
      type: 'array',
      description: 'Of each container that runs.',
      items: { type: 'object', properties: { name: { type: 'string' }, usage } },
    },
  }),
  columns: [
    nameColumn,
    textColumn('Containers', 'Containers that run.', ({ containers }) =>
      containers.map(({ name }) => name).join(','),
    ),
    textColumn('Window', 'Time it was measured over.', ({ window }) => window),
    ageColumn,
  ],
  example: {
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'PodMetrics',
    metadata: { name: 'web', namespace: 'default' },
    ...EXAMPLE,
    containers: [{ name: 'app', usage: SOME }],
  },
})

export const metricsKinds: readonly AnyKind[] = [nodeMetrics, podMetrics]
