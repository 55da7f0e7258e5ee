import type { Schema } from '../api/schema.ts'

const text: Schema = { type: 'string' }
const integer = (minimum: number, maximum = 2 ** 31 - 1): Schema => ({ type: 'integer', minimum, maximum })
const flag: Schema = { type: 'boolean' }
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
})
const listOf = (items: Schema): Schema => ({ type: 'array', items })
const anything: Schema = { type: 'object', preserveUnknown: true }

const plugin = object({ name: { type: 'string', minLength: 1 }, weight: integer(0) }, ['name'])
const pluginSet = object({ enabled: listOf(plugin), disabled: listOf(plugin) })

/** The extension points a profile can set apart, beside multiPoint. */
export const POINTS = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
] as const

const resource = object({ name: { type: 'string', minLength: 1 }, weight: integer(1, 100) }, ['name'])
const resources = listOf(resource)

/** The arguments of each plugin that takes some. */
export const ARGS: Readonly<Record<string, Schema>> = {
  DefaultPreemption: object({
    minCandidateNodesPercentage: integer(0, 100),
    minCandidateNodesAbsolute: integer(0),
  }),
  InterPodAffinity: object({
    hardPodAffinityWeight: integer(0, 100),
    ignorePreferredTermsOfExistingPods: flag,
  }),
  NodeAffinity: object({ addedAffinity: { ref: 'V1NodeAffinity' } }),
  NodeResourcesBalancedAllocation: object({
    resources: listOf(object({ name: text, weight: integer(1, 1) }, ['name'])),
  }),
  NodeResourcesFit: object({
    ignoredResources: listOf(text),
    ignoredResourceGroups: listOf(text),
    scoringStrategy: object({
      type: { type: 'string', enum: ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'] },
      resources,
      requestedToCapacityRatio: object({
        shape: {
          ...listOf(
            object({ utilization: integer(0, 100), score: integer(0, 10) }, ['utilization', 'score']),
          ),
          minItems: 1,
        },
      }),
    }),
  }),
  PodTopologySpread: object({
    defaultConstraints: listOf({ ref: 'V1TopologySpreadConstraint' }),
    defaultingType: { type: 'string', enum: ['List', 'System'] },
  }),
  VolumeBinding: object({ bindTimeoutSeconds: integer(0) }),
}

/** kubescheduler.config.k8s.io/v1; what has no meaning inside one process is read and passed over. */
export const CONFIGURATION: Schema = object(
  {
    apiVersion: { type: 'string', enum: ['kubescheduler.config.k8s.io/v1'] },
    kind: { type: 'string', enum: ['KubeSchedulerConfiguration'] },
    parallelism: integer(1),
    percentageOfNodesToScore: integer(0, 100),
    podInitialBackoffSeconds: integer(1),
    podMaxBackoffSeconds: integer(1),
    profiles: listOf(
      object({
        schedulerName: { type: 'string', minLength: 1 },
        percentageOfNodesToScore: integer(0, 100),
        plugins: object(Object.fromEntries([...POINTS, 'multiPoint'].map((point) => [point, pluginSet]))),
        pluginConfig: listOf(object({ name: text, args: anything }, ['name'])),
      }),
    ),
    extenders: listOf(
      object(
        {
          urlPrefix: { type: 'string', pattern: '^https?://' },
          filterVerb: text,
          prioritizeVerb: text,
          bindVerb: text,
          preemptVerb: text,
          weight: integer(1),
          enableHTTPS: flag,
          httpTimeout: text,
          nodeCacheCapable: flag,
          managedResources: listOf(object({ name: text, ignoredByScheduler: flag }, ['name'])),
          ignorable: flag,
          tlsConfig: object({
            insecure: flag,
            serverName: text,
            certFile: text,
            keyFile: text,
            caFile: text,
            certData: text,
            keyData: text,
            caData: text,
          }),
        },
        ['urlPrefix'],
      ),
    ),
    leaderElection: anything,
    clientConnection: anything,
    delayCacheUntilActive: flag,
    enableProfiling: flag,
    enableContentionProfiling: flag,
  },
  ['apiVersion', 'kind'],
)
