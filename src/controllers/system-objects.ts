/**
 * Makes what every cluster has, and makes it again when somebody deletes it: namespaces, priority classes, levels and
 * flows of API requests, the range of cluster IPs, the Service of the API server, and what the control plane says of its own parts.
 */
import type { KindRef } from '../api/kind.ts'
import { componentStatus } from '../api/kinds/component-status.ts'
import { flowSchema } from '../api/kinds/flow-schema.ts'
import { namespace } from '../api/kinds/namespace.ts'
import { priorityClass } from '../api/kinds/priority-class.ts'
import { priorityLevelConfiguration } from '../api/kinds/priority-level-configuration.ts'
import { service } from '../api/kinds/service.ts'
import { API_SERVER_IP, SERVICE_CIDR, serviceCidr } from '../api/kinds/service-cidr.ts'
import { keyOf, type Resource } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { WorkQueue } from '../base/work-queue.ts'
import type { Loop } from './controller.ts'
import { flowSchemas, priorityLevels } from './flow-objects.ts'

/** Parts of one process: while it answers they run. */
const COMPONENTS = [
  ['controller-manager', 'ok'],
  ['scheduler', 'ok'],
  ['etcd-0', 'ok'],
] as const

interface SystemObject {
  readonly kind: KindRef
  readonly resource: Resource & { readonly [field: string]: unknown }
}

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

const PRIORITY_CLASSES = [
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
]

const systemObjects: readonly SystemObject[] = [
  ...NAMESPACES.map((name) => ({
    kind: namespace,
    resource: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    },
  })),
  ...PRIORITY_CLASSES.map(({ name, ...fields }) => ({
    kind: priorityClass,
    resource: {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      ...fields,
      globalDefault: false,
      preemptionPolicy: 'PreemptLowerPriority',
    },
  })),
  ...priorityLevels.map((resource) => ({ kind: priorityLevelConfiguration, resource: { ...resource } })),
  ...flowSchemas.map((resource) => ({ kind: flowSchema, resource: { ...resource } })),
  {
    kind: serviceCidr,
    resource: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name: 'kubernetes' },
      spec: { cidrs: [SERVICE_CIDR] },
    },
  },
  {
    kind: service,
    resource: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { component: 'apiserver', provider: 'kubernetes' },
      },
      spec: {
        clusterIP: API_SERVER_IP,
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      },
    },
  },
  ...COMPONENTS.map(([name, message]) => ({
    kind: componentStatus,
    resource: {
      apiVersion: 'v1',
      kind: 'ComponentStatus',
      metadata: { name },
      conditions: [{ type: 'Healthy', status: 'True', message }],
    },
  })),
]
const WATCHED = [namespace, priorityClass, priorityLevelConfiguration, flowSchema, serviceCidr, service]
const idOf = (kind: KindRef, resource: Resource) => `${kind.plural}/${keyOf(resource)}`

export const systemObjectsLoop: Loop = {
  name: 'system-objects',
  start({ env, client, informers }) {
    const byKey = new Map(systemObjects.map((each) => [idOf(each.kind, each.resource), each]))
    const queue = new WorkQueue(env.clock, {
      backoffMaxMs: 30_000,
      async work(key) {
        const wanted = byKey.get(key)
        if (!wanted) return
        try {
          await client.create(wanted.kind, wanted.resource)
        } catch (error) {
          if (!isReason(error, 'AlreadyExists')) throw error
        }
      },
      onError: (key, error) => env.log.warn({ err: error, key }, 'system object not made'),
    })
    for (const key of byKey.keys()) queue.add(key)
    const cancels = WATCHED.map((kind) =>
      informers.of(kind as KindRef).onChange(({ type, resource }) => {
        const key = idOf(kind, resource)
        if (type === 'deleted' && byKey.has(key)) queue.add(key)
      }),
    )
    return {
      async stop() {
        for (const cancel of cancels) cancel()
        await queue.close()
      },
    }
  },
}
