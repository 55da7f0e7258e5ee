import type {
  FlowcontrolV1Subject,
  V1FlowSchemaSpec,
  V1PolicyRulesWithSubjects,
} from '../api/generated/types.ts'
import { type FlowSchema, flowSchema } from '../api/kinds/flow-schema.ts'
import {
  type PriorityLevelConfiguration,
  priorityLevelConfiguration,
} from '../api/kinds/priority-level-configuration.ts'

/** The FlowSchemas and PriorityLevelConfigurations every cluster begins with: who shares what with whom. Data only. */
const AUTOUPDATE = { 'apf.kubernetes.io/autoupdate-spec': 'true' }
const FLOWCONTROL = 'flowcontrol.apiserver.k8s.io/v1'

/** Shares, what may be lent in percent, and how requests queue: [queues, hand size]; none are refused at once. */
const LEVELS: readonly (readonly [
  name: string,
  shares: number,
  lendable: number,
  queues?: readonly [number, number],
])[] = [
  ['catch-all', 5, 0],
  ['system', 30, 33, [64, 6]],
  ['node-high', 40, 25, [64, 6]],
  ['leader-election', 10, 0, [16, 4]],
  ['workload-high', 40, 50, [128, 6]],
  ['workload-low', 100, 90, [128, 6]],
  ['global-default', 20, 50, [128, 6]],
]
const QUEUE_LENGTH = 50

export const priorityLevels: readonly PriorityLevelConfiguration[] = [
  level('exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
  ...LEVELS.map(([name, nominalConcurrencyShares, lendablePercent, queues]) =>
    level(name, {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares,
        lendablePercent,
        limitResponse: queues
          ? {
              type: 'Queue',
              queuing: { queues: queues[0], handSize: queues[1], queueLengthLimit: QUEUE_LENGTH },
            }
          : { type: 'Reject' },
      },
    }),
  ),
]

function level(name: string, spec: PriorityLevelConfiguration['spec']): PriorityLevelConfiguration {
  const { kind } = priorityLevelConfiguration
  return { apiVersion: FLOWCONTROL, kind, metadata: { name, annotations: AUTOUPDATE }, spec }
}

const group = (name: string): FlowcontrolV1Subject => ({ kind: 'Group', group: { name } })
const user = (name: string): FlowcontrolV1Subject => ({ kind: 'User', user: { name } })
const account = (name: string): FlowcontrolV1Subject => ({
  kind: 'ServiceAccount',
  serviceAccount: { namespace: 'kube-system', name },
})
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')]
const ANY_URL = [{ verbs: ['*'], nonResourceURLs: ['*'] }]
const ANY_RESOURCE = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] },
]
const LEASES = [
  {
    verbs: ['get', 'create', 'update'],
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    namespaces: ['*'],
  },
]

const everything = (subjects: readonly FlowcontrolV1Subject[]): V1PolicyRulesWithSubjects => ({
  subjects,
  resourceRules: ANY_RESOURCE,
  nonResourceRules: ANY_URL,
})

type Flow = readonly [
  name: string,
  precedence: number,
  level: string,
  by: 'ByUser' | 'ByNamespace' | undefined,
  rule: V1PolicyRulesWithSubjects,
]

const FLOWS: readonly Flow[] = [
  ['exempt', 1, 'exempt', undefined, everything([group('system:masters')])],
  [
    'probes',
    2,
    'exempt',
    undefined,
    {
      subjects: EVERYBODY,
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
    },
  ],
  [
    'system-leader-election',
    100,
    'leader-election',
    'ByUser',
    {
      subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler'), account('*')],
      resourceRules: LEASES,
    },
  ],
  [
    'endpoint-controller',
    150,
    'workload-high',
    'ByUser',
    {
      subjects: [
        user('system:kube-controller-manager'),
        account('endpoint-controller'),
        account('endpointslicemirroring-controller'),
      ],
      resourceRules: [
        { verbs: ['get', 'create', 'update'], apiGroups: [''], resources: ['endpoints'], namespaces: ['*'] },
      ],
    },
  ],
  [
    'workload-leader-election',
    200,
    'leader-election',
    'ByUser',
    { subjects: [account('*')], resourceRules: LEASES },
  ],
  [
    'system-node-high',
    400,
    'node-high',
    'ByUser',
    {
      subjects: [group('system:nodes')],
      resourceRules: [
        {
          verbs: ['*'],
          apiGroups: [''],
          resources: ['nodes', 'nodes/status'],
          clusterScope: true,
          namespaces: ['*'],
        },
        { verbs: ['*'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] },
      ],
    },
  ],
  ['system-nodes', 500, 'system', 'ByUser', everything([group('system:nodes')])],
  [
    'kube-controller-manager',
    800,
    'workload-high',
    'ByNamespace',
    everything([user('system:kube-controller-manager')]),
  ],
  ['kube-scheduler', 800, 'workload-high', 'ByNamespace', everything([user('system:kube-scheduler')])],
  ['kube-system-service-accounts', 900, 'workload-high', 'ByNamespace', everything([account('*')])],
  ['service-accounts', 9000, 'workload-low', 'ByUser', everything([group('system:serviceaccounts')])],
  ['global-default', 9900, 'global-default', 'ByUser', everything(EVERYBODY)],
  ['catch-all', 10_000, 'catch-all', 'ByUser', everything(EVERYBODY)],
]

export const flowSchemas: readonly FlowSchema[] = FLOWS.map(([name, matchingPrecedence, to, by, rule]) => {
  const spec: V1FlowSchemaSpec = {
    matchingPrecedence,
    priorityLevelConfiguration: { name: to },
    ...(by ? { distinguisherMethod: { type: by } } : {}),
    rules: [rule],
  }
  return { apiVersion: FLOWCONTROL, kind: flowSchema.kind, metadata: { name, annotations: AUTOUPDATE }, spec }
})
