/** Makes what every cluster has, and makes it again when somebody deletes it: namespaces and priority classes. */
import type { KindRef } from '../api/kind.ts'
import { namespace } from '../api/kinds/namespace.ts'
import { priorityClass } from '../api/kinds/priority-class.ts'
import type { Resource } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { WorkQueue } from '../base/work-queue.ts'
import type { Loop } from './controller.ts'

interface SystemObject {
  readonly kind: KindRef
  readonly resource: Resource
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
]

export const systemObjectsLoop: Loop = {
  name: 'system-objects',
  start({ env, client, informers }) {
    const byKey = new Map(
      systemObjects.map((each) => [`${each.kind.plural}/${each.resource.metadata.name}`, each]),
    )
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
    const cancels = [namespace, priorityClass].map((kind) =>
      informers.of(kind as KindRef).onChange(({ type, resource }) => {
        const key = `${kind.plural}/${resource.metadata.name}`
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
