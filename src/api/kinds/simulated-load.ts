import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { amountAt, type Curve, curveSchema, validateCurve } from '../curves.ts'
import { defineKind } from '../kind.ts'
import { ownSchema } from '../own-schema.ts'
import type { Resource } from '../resource.ts'
import { validateSchema } from '../validate-schema.ts'
import { WAVE } from '../waves.ts'

/**
 * Requests to a Service of the same namespace: its ready endpoints share them evenly, and each use what their image
 * says a request costs. Counted from its creation.
 */
export interface SimulatedLoad extends Resource {
  readonly spec: Curve & {
    readonly service: string
    readonly requestsPerSecond: number
    readonly peak?: number | undefined
  }
}

const schema = ownSchema('A SimulatedLoad sends requests to a Service, which its ready pods share.', {
  spec: {
    type: 'object',
    description: 'How many requests, and to whom.',
    required: ['service', 'requestsPerSecond'],
    properties: {
      service: { type: 'string', minLength: 1, description: 'Name of a Service of the same namespace.' },
      requestsPerSecond: { type: 'number', minimum: 0, description: 'The base.' },
      peak: { type: 'number', minimum: 0, description: 'Requests per second at the other end.' },
      ...curveSchema('the creation of this object'),
    },
  },
})

/** Requests per second; `ms` since its creation. */
export function loadAt({ spec }: SimulatedLoad, ms: number): number {
  return amountAt(spec, spec.requestsPerSecond, spec.peak, ms)
}

export const simulatedLoad = defineKind<SimulatedLoad>({
  group: 'seamark.dev',
  version: 'v1alpha1',
  kind: 'SimulatedLoad',
  plural: 'simulatedloads',
  scope: 'Namespaced',
  shortNames: ['simload'],
  categories: ['seamark'],
  schema,
  applyWave: WAVE.configuration,
  validate: ({ spec }) => [...validateSchema({ spec }, schema), ...validateCurve(spec ?? {}, 'spec')],
  columns: [
    nameColumn,
    textColumn('Service', 'Who gets the requests.', ({ spec }) => spec.service),
    textColumn('Requests', 'Per second: the base, and the peak.', ({ spec }) =>
      spec.peak === undefined ? String(spec.requestsPerSecond) : `${spec.requestsPerSecond}..${spec.peak}`,
    ),
    textColumn('Pattern', 'How it goes from one to the other.', ({ spec }) => spec.pattern ?? 'constant'),
    ageColumn,
  ],
  example: {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'SimulatedLoad',
    metadata: { name: 'shoppers', namespace: 'default' },
    spec: { service: 'shop', requestsPerSecond: 20, peak: 400, pattern: 'sine', period: '24h' },
  },
})
