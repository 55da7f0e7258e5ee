import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { parseDuration } from '../duration.ts'
import { defineKind } from '../kind.ts'
import { ownSchema } from '../own-schema.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { fault as wrong } from '../status.ts'
import { validateSchema } from '../validate-schema.ts'
import { WAVE } from '../waves.ts'

export const FAULT_ACTIONS = [
  'KillNode',
  'ShutdownNode',
  'PartitionNode',
  'SlowNode',
  'DrainNode',
  'FillDisk',
  'CrashContainer',
  'FailPull',
  'FlapProbe',
] as const

export type FaultAction = (typeof FAULT_ACTIONS)[number]

/** Something that goes wrong on purpose, for a while: the nodes of this process obey it from its creation to its end. */
export interface Fault extends Resource {
  readonly spec: {
    readonly action: FaultAction
    readonly target?:
      | {
          readonly nodes?: readonly string[] | undefined
          readonly zone?: string | undefined
          readonly namespace?: string | undefined
          readonly pod?: string | undefined
          readonly podLabels?: Readonly<Record<string, string>> | undefined
          readonly container?: string | undefined
          readonly image?: string | undefined
        }
      | undefined
    readonly duration?: string | undefined
    readonly delay?: string | undefined
    readonly resource?: 'bytes' | 'inodes' | undefined
  }
  readonly status?:
    | {
        readonly phase?: 'Active' | 'Ended' | undefined
        readonly startTime?: string | undefined
        readonly endTime?: string | undefined
        readonly affected?: readonly string[] | undefined
      }
    | undefined
}

const DURATION = '1m'
const DELAY = '5s'
const text = (description: string): Schema => ({ type: 'string', description })

const schema = ownSchema(
  'A Fault makes something go wrong for a while on nodes whose containers this process runs.',
  {
    spec: {
      type: 'object',
      description: 'What goes wrong, where, and for how long.',
      required: ['action'],
      properties: {
        action: {
          type: 'string',
          enum: FAULT_ACTIONS,
          description:
            'KillNode: gone with all its containers, which start again when it is back. ShutdownNode: its pods end in order, as far as the kubelet settings of its pool give them time, then it is gone until the end. PartitionNode: it runs on and nobody hears of it. SlowNode: pulls and starts take longer. DrainNode: cordoned and emptied as kubectl drain does. FillDisk: disk pressure, and pods are evicted. CrashContainer: ends with 137, once. FailPull: images cannot be pulled. FlapProbe: probes fail every other time.',
        },
        target: {
          type: 'object',
          description: 'All of what is given must fit; nothing given is everything.',
          properties: {
            nodes: { type: 'array', items: { type: 'string' }, description: 'Names of nodes.' },
            zone: text('Label topology.kubernetes.io/zone of nodes.'),
            namespace: text('Of pods.'),
            pod: text('Name of a pod.'),
            podLabels: {
              type: 'object',
              description: 'Labels of pods.',
              additionalProperties: { type: 'string' },
            },
            container: text('Name of a container.'),
            image: text('Image of a container.'),
          },
        },
        duration: { type: 'string', default: DURATION, description: 'From its creation to its end.' },
        resource: {
          type: 'string',
          enum: ['bytes', 'inodes'],
          description: 'Of FillDisk: what runs out. Default bytes.',
        },
        delay: { type: 'string', default: DELAY, description: 'Of SlowNode: added to each pull and start.' },
      },
    },
    status: {
      type: 'object',
      description: 'How far it has come.',
      properties: {
        phase: { type: 'string', enum: ['Active', 'Ended'], description: 'Whether it lasts.' },
        startTime: { type: 'string', format: 'date-time', description: 'When it began.' },
        endTime: { type: 'string', format: 'date-time', description: 'When it ends, or ended.' },
        affected: { type: 'array', items: { type: 'string' }, description: 'Nodes or pods it fell on.' },
      },
    },
  },
)

const SHOWN_MAX = 3

/** The first few, and how many more: a fault may fall on thousands of pods. */
export function affectedText(affected: readonly string[]): string {
  const rest = affected.length - SHOWN_MAX
  return `${affected.slice(0, SHOWN_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

export const fault = defineKind<Fault>({
  group: 'seamark.dev',
  version: 'v1alpha1',
  kind: 'Fault',
  plural: 'faults',
  scope: 'Cluster',
  categories: ['seamark'],
  schema,
  applyWave: WAVE.workload,
  subresources: { status: true },
  setDefaults: (resource) => ({
    ...resource,
    spec: {
      ...resource.spec,
      duration: resource.spec?.duration ?? DURATION,
      ...(resource.spec?.action === 'SlowNode' ? { delay: resource.spec.delay ?? DELAY } : {}),
    },
  }),
  validate: ({ spec }) => [
    ...validateSchema({ spec }, schema),
    ...(['duration', 'delay'] as const).flatMap((field) =>
      spec[field] === undefined || (parseDuration(spec[field]) ?? 0) > 0
        ? []
        : [wrong.invalid(`spec.${field}`, spec[field], 'must be a duration above 0, such as "30s" or "5m"')],
    ),
  ],
  columns: [
    nameColumn,
    textColumn('Action', 'What goes wrong.', ({ spec }) => spec.action),
    textColumn('Phase', 'Whether it lasts.', ({ status }) => status?.phase ?? 'Pending'),
    textColumn('Affected', 'Nodes or pods it fell on.', ({ status }) => affectedText(status?.affected ?? [])),
    textColumn('For', 'How long it lasts.', ({ spec }) => spec.duration ?? ''),
    ageColumn,
  ],
  example: {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'Fault',
    metadata: { name: 'kill-worker-0' },
    spec: { action: 'KillNode', target: { nodes: ['worker-0'] }, duration: '5m' },
  },
})
