import { type Curve, curveSchema, validateCurve } from './curves.ts'
import { pathSegment } from './names.ts'
import type { Schema } from './schema.ts'
import { fault, type StatusCause } from './status.ts'

/** What a SimulatedImage says of the use of its containers: of themselves, and for each request they serve. */
export interface SimulatedUsage extends Curve {
  readonly cpu?: string | undefined
  readonly memory?: string | undefined
  readonly storage?: string | undefined
  readonly emptyDir?: string | undefined
  readonly inodes?: string | undefined
  readonly peak?:
    | {
        readonly cpu?: string | undefined
        readonly memory?: string | undefined
        readonly storage?: string | undefined
        readonly emptyDir?: string | undefined
        readonly inodes?: string | undefined
      }
    | undefined
  readonly load?: SharedLoad | undefined
  readonly metrics?: readonly DeclaredMetric[] | undefined
}

/** Requests that all ready containers of the image share, and what each request costs whoever serves it. */
interface SharedLoad extends Curve {
  readonly requestsPerSecond?: number | undefined
  readonly peak?: number | undefined
  readonly cpuPerRequest?: string | undefined
  readonly memoryPerRequest?: string | undefined
}

/** A figure that a container exposes for custom metrics. */
export interface DeclaredMetric extends Curve {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly value?: string | undefined
  readonly peak?: string | undefined
  readonly perRequest?: string | undefined
}

const quantity = (description: string): Schema => ({ type: 'string', format: 'quantity', description })

const load: Schema = {
  type: 'object',
  description:
    'Requests that all ready containers of the image share evenly, and what a request costs; a SimulatedLoad sends more to the pods of a Service.',
  properties: {
    requestsPerSecond: { type: 'number', minimum: 0, description: 'Of all of them together. Default 0.' },
    peak: { type: 'number', minimum: 0, description: 'Requests per second at the other end.' },
    ...curveSchema('the creation of this object'),
    cpuPerRequest: quantity('CPU for one request per second.'),
    memoryPerRequest: quantity('Memory for one request per second.'),
  },
}

const metrics: Schema = {
  type: 'array',
  description: 'Figures of each pod for custom.metrics.k8s.io, as HorizontalPodAutoscalers ask for them.',
  items: {
    type: 'object',
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1, description: 'Such as "http_requests_per_second".' },
      labels: {
        type: 'object',
        description: 'What selectors of the metric look at.',
        additionalProperties: { type: 'string' },
      },
      value: quantity('Default 0.'),
      peak: quantity('The other end.'),
      ...curveSchema('the start of the container'),
      perRequest: quantity('Added for each request per second that the container serves: "1".'),
    },
  },
}

export const usageSchema: Schema = {
  type: 'object',
  description: 'What it uses while it runs. More memory than its limit is OOMKilled.',
  properties: {
    cpu: quantity('CPU; default: a tenth of the request.'),
    memory: quantity('Memory; default: half of the request.'),
    storage: quantity('What it has written beside its volumes, its log included; default: nothing.'),
    emptyDir: quantity(
      'What it has written into the first emptyDir it mounts; in memory (medium: Memory) it counts as memory. Default: nothing.',
    ),
    inodes: quantity('How many files it has on the disk; default: none.'),
    ...curveSchema('the start of the container'),
    peak: {
      type: 'object',
      description: 'The other end.',
      properties: {
        cpu: quantity('CPU.'),
        memory: quantity('Memory.'),
        storage: quantity('Written beside volumes.'),
        emptyDir: quantity('Written into an emptyDir.'),
        inodes: quantity('Files.'),
      },
    },
    load,
    metrics,
  },
}

export function validateUsage(usage: SimulatedUsage | undefined, path: string): StatusCause[] {
  if (!usage) return []
  return [
    ...validateCurve(usage, path),
    ...validateCurve(usage.load ?? {}, `${path}.load`),
    ...(usage.metrics ?? []).flatMap((metric, i) => [
      ...validateMetricName(metric.name, `${path}.metrics[${i}].name`),
      ...validateCurve(metric, `${path}.metrics[${i}]`),
    ]),
  ]
}

/** The name is part of a path. */
export function validateMetricName(name: string | undefined, path: string): StatusCause[] {
  const wrong = name ? pathSegment(name) : undefined
  return wrong ? [fault.invalid(path, name, wrong)] : []
}
