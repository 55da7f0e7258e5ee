import { ageColumn, nameColumn } from '../age.ts'
import type { V1Taint } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { qualifiedName, validateLabels } from '../names.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { fault } from '../status.ts'
import { validateSchema } from '../validate-schema.ts'
import { WAVE } from '../waves.ts'

/** Nodes that are alike, declared in the repository; a controller makes them and their kubelets start. */
export interface NodePool extends Resource {
  readonly spec: {
    readonly count: number
    readonly runtime?: 'simulated' | 'process' | 'containerd' | undefined
    readonly zones?: readonly string[] | undefined
    readonly template?:
      | {
          readonly labels?: Readonly<Record<string, string>> | undefined
          readonly annotations?: Readonly<Record<string, string>> | undefined
          readonly taints?: readonly V1Taint[] | undefined
          readonly capacity?: Readonly<Record<string, string>> | undefined
        }
      | undefined
  }
  readonly status?:
    | {
        readonly nodes?: number | undefined
        readonly readyNodes?: number | undefined
        readonly observedGeneration?: number | undefined
      }
    | undefined
}

/** Of a node whose pool says nothing. */
export const DEFAULT_CAPACITY = {
  cpu: '4',
  memory: '16Gi',
  'ephemeral-storage': '100Gi',
  pods: '110',
} as const

const map = (description: string): Schema => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string' },
})

const schema: Schema = {
  type: 'object',
  description: 'A NodePool declares nodes that are alike.',
  required: ['spec'],
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { ref: 'V1ObjectMeta' },
    spec: {
      type: 'object',
      description: 'The nodes wanted.',
      required: ['count'],
      properties: {
        count: {
          type: 'integer',
          format: 'int32',
          minimum: 0,
          maximum: 15000,
          description: 'How many nodes. They are called <pool>-0, <pool>-1 …',
        },
        runtime: {
          type: 'string',
          enum: ['simulated', 'process', 'containerd'],
          default: 'simulated',
          description: 'What runs their containers.',
        },
        zones: {
          type: 'array',
          items: { type: 'string' },
          description: 'topology.kubernetes.io/zone of the nodes, in turn.',
        },
        template: {
          type: 'object',
          description: 'What each node is given.',
          properties: {
            labels: map('Labels.'),
            annotations: map('Annotations.'),
            taints: { type: 'array', items: { ref: 'V1Taint' }, description: 'Taints.' },
            capacity: {
              type: 'object',
              description:
                'Capacity, which is also allocatable. Default: cpu 4, memory 16Gi, ephemeral-storage 100Gi, pods 110; what is given is laid over it.',
              additionalProperties: { type: 'string', format: 'quantity' },
            },
          },
        },
      },
    },
    status: {
      type: 'object',
      description: 'What is there.',
      properties: {
        nodes: { type: 'integer', format: 'int32', description: 'Nodes that exist.' },
        readyNodes: { type: 'integer', format: 'int32', description: 'Nodes that are Ready.' },
        observedGeneration: {
          type: 'integer',
          format: 'int64',
          description: 'The generation that was acted on.',
        },
      },
    },
  },
}

export const nodePool = defineKind<NodePool>({
  group: 'seamark.dev',
  version: 'v1alpha1',
  kind: 'NodePool',
  plural: 'nodepools',
  scope: 'Cluster',
  shortNames: ['np'],
  categories: ['seamark'],
  schema,
  applyWave: WAVE.nodes,
  nameRule: 'dns1123-label',
  subresources: {
    status: true,
    scale: {
      specReplicas: ({ spec }) => spec.count,
      statusReplicas: ({ status }) => status?.nodes ?? 0,
      selector: ({ metadata }) => `seamark.dev/node-pool=${metadata.name}`,
      withReplicas: (resource, replicas) => ({ ...resource, spec: { ...resource.spec, count: replicas } }),
    },
  },
  setDefaults: (resource) => ({
    ...resource,
    spec: { ...resource.spec, runtime: resource.spec?.runtime ?? 'simulated' },
  }),
  validate: (resource) => [
    ...validateSchema({ spec: resource.spec }, schema),
    ...validateLabels(resource.spec.template?.labels, 'spec.template.labels'),
    ...Object.keys(resource.spec.template?.capacity ?? {}).flatMap((name) => {
      const why = qualifiedName(name)
      return why ? [fault.invalid(`spec.template.capacity[${name}]`, name, why)] : []
    }),
  ],
  columns: [
    nameColumn,
    { name: 'Nodes', type: 'integer', description: 'Nodes wanted.', value: ({ spec }) => spec.count },
    {
      name: 'Ready',
      type: 'integer',
      description: 'Nodes that are Ready.',
      value: ({ status }) => status?.readyNodes ?? 0,
    },
    {
      name: 'Runtime',
      type: 'string',
      description: 'What runs their containers.',
      value: ({ spec }) => spec.runtime ?? '',
    },
    ageColumn,
  ],
  health: ({ spec, status, metadata }) =>
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    (status?.readyNodes ?? 0) >= spec.count &&
    (status?.nodes ?? 0) === spec.count
      ? { status: 'Healthy' }
      : { status: 'Progressing', message: `${status?.readyNodes ?? 0} of ${spec.count} nodes are ready` },
  example: {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'NodePool',
    metadata: { name: 'worker' },
    spec: { count: 3 },
  },
})
