import { ageColumn, nameColumn } from '../age.ts'
import { parseDuration } from '../duration.ts'
import type { V1Taint } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import {
  type KubeletConfiguration,
  kubeletConfigurationSchema,
  validateKubeletConfiguration,
} from '../kubelet-configuration.ts'
import { qualifiedName, validateLabels } from '../names.ts'
import { ownSchema } from '../own-schema.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { type StaticPodManifest, validateStaticPod } from '../static-pods.ts'
import { fault, type StatusCause } from '../status.ts'
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
    readonly kubelet?: KubeletConfiguration | undefined
    readonly staticPods?: readonly StaticPodManifest[] | undefined
    /** A duration. */
    readonly drainTimeout?: string | undefined
  }
  readonly status?:
    | {
        readonly nodes?: number | undefined
        readonly readyNodes?: number | undefined
        /** Nodes too many, which are being emptied. */
        readonly draining?: readonly string[] | undefined
        readonly observedGeneration?: number | undefined
      }
    | undefined
}

/** Labels of its nodes: the pool's name, and what runs their containers. */
export const NODE_POOL_LABEL = 'seamark.dev/node-pool'
export const RUNTIME_LABEL = 'seamark.dev/runtime'

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

const schema = ownSchema('A NodePool declares nodes that are alike.', {
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
              'Capacity, which is also allocatable but for what kubelet reserves. Default: cpu 4, memory 16Gi, ephemeral-storage 100Gi, pods 110; what is given is laid over it.',
            additionalProperties: { type: 'string', format: 'quantity' },
          },
        },
      },
      drainTimeout: {
        type: 'string',
        description:
          "A node too many is cordoned and emptied as its pods' budgets allow; pods that are left after this time are deleted all the same, and the node goes. Default 5m.",
      },
      kubelet: kubeletConfigurationSchema,
      staticPods: {
        type: 'array',
        description:
          'Manifests of pods that every node runs by itself, without a scheduler and also while it does not reach the API; they are called <pod>-<node> and shown by mirror pods.',
        items: {
          type: 'object',
          required: ['metadata', 'spec'],
          properties: {
            apiVersion: { type: 'string', enum: ['v1'] },
            kind: { type: 'string', enum: ['Pod'] },
            metadata: { ref: 'V1ObjectMeta' },
            spec: { ref: 'V1PodSpec' },
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
      draining: {
        type: 'array',
        items: { type: 'string' },
        description: 'Nodes too many, which are being emptied.',
      },
      readyNodes: { type: 'integer', format: 'int32', description: 'Nodes that are Ready.' },
      observedGeneration: {
        type: 'integer',
        format: 'int64',
        description: 'The generation that was acted on.',
      },
    },
  },
})

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
      selector: ({ metadata }) => `${NODE_POOL_LABEL}=${metadata.name}`,
      withReplicas: (resource, replicas) => ({ ...resource, spec: { ...resource.spec, count: replicas } }),
    },
  },
  setDefaults: (resource) => ({
    ...resource,
    spec: { ...resource.spec, runtime: resource.spec?.runtime ?? 'simulated' },
  }),
  validate: (resource) => {
    const wrong = validateSchema({ spec: resource.spec }, schema)
    // What is looked at further has the shape it should have.
    return wrong.length > 0 ? wrong : validateSpec(resource.spec)
  },
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
      : {
          status: 'Progressing',
          message: status?.draining?.length
            ? `${status.draining.join(', ')} must be emptied of pods first`
            : `${status?.readyNodes ?? 0} of ${spec.count} nodes are ready`,
        },
  example: {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'NodePool',
    metadata: { name: 'worker' },
    spec: { count: 3 },
  },
})

function validateSpec({ template, kubelet, staticPods, drainTimeout }: NodePool['spec']): StatusCause[] {
  return [
    ...(drainTimeout === undefined || (parseDuration(drainTimeout) ?? -1) >= 0
      ? []
      : [
          fault.invalid(
            'spec.drainTimeout',
            drainTimeout,
            'must be a duration, such as "30s" or "5m"; 0s: at once',
          ),
        ]),
    ...validateLabels(template?.labels, 'spec.template.labels'),
    ...Object.keys(template?.capacity ?? {}).flatMap((name) => {
      const why = qualifiedName(name)
      return why ? [fault.invalid(`spec.template.capacity[${name}]`, name, why)] : []
    }),
    ...validateKubeletConfiguration(kubelet ?? {}, 'spec.kubelet'),
    ...validateStaticPods(staticPods ?? []),
  ]
}

function validateStaticPods(manifests: readonly StaticPodManifest[]): StatusCause[] {
  const names = new Set<string>()
  return manifests.flatMap((manifest, i) => {
    const path = `spec.staticPods[${i}]`
    const { name = '', namespace = 'default' } = manifest.metadata ?? {}
    const wrong = validateStaticPod(manifest, path)
    const key = `${namespace}/${name}`
    if (name !== '' && names.has(key)) wrong.push(fault.duplicate(`${path}.metadata.name`, key))
    names.add(key)
    return wrong
  })
}
