import { type Node, node as nodeKind } from '../api/kinds/node.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import {
  type NodeMetrics,
  nodeMetrics,
  type PodMetrics,
  podMetrics,
  type Usage,
} from '../api/metrics-kinds.ts'
import type { AnyResource } from '../api/resource.ts'
import { nodeUidOf } from '../api/static-pods.ts'
import { formatTime } from '../base/date.ts'
import type { ContainerUsage, NodeConnections, NodeUsage } from '../client/node-connection.ts'
import type { Registry } from './registry.ts'

/** Samples are this far apart, as a metrics server takes them; a time between two shows the one before. */
const SAMPLE_MS = 15_000

/** Makes metrics.k8s.io answer from what the nodes of `connections` say. */
export function serveMetrics(registry: Registry, connections: NodeConnections): void {
  const { env, reader } = registry
  const stamp = () => formatTime(env.clock.now() - (env.clock.now() % SAMPLE_MS))
  registry.computed.set(nodeMetrics, async () => {
    const timestamp = stamp()
    return (await reader.all(nodeKind)).flatMap((node) => {
      const used = connections.get(node.metadata.name)?.usage()
      return used ? [ofNode(node, used, timestamp) as unknown as AnyResource] : []
    })
  })
  registry.computed.set(podMetrics, async (namespace) => {
    const timestamp = stamp()
    const pods = (await reader.all(podKind, namespace)).filter(({ status }) => status?.phase === 'Running')
    const nodes = new Set(pods.flatMap(({ spec }) => spec.nodeName ?? []))
    const used = new Map<string, readonly ContainerUsage[]>()
    for (const node of nodes)
      for (const { uid, containers } of connections.get(node)?.usage().pods ?? []) used.set(uid, containers)
    return pods.flatMap((pod) => {
      const containers = used.get(nodeUidOf(pod))
      return containers ? [ofPod(pod, containers, timestamp) as unknown as AnyResource] : []
    })
  })
}

function ofNode({ metadata }: Node, used: NodeUsage, timestamp: string): NodeMetrics {
  return {
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'NodeMetrics',
    metadata: { name: metadata.name, creationTimestamp: timestamp, ...labelsOf(metadata) },
    timestamp,
    window: WINDOW,
    usage: quantities(used),
  }
}

function ofPod({ metadata }: Pod, containers: readonly ContainerUsage[], timestamp: string): PodMetrics {
  const { name, namespace } = metadata
  return {
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'PodMetrics',
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      creationTimestamp: timestamp,
      ...labelsOf(metadata),
    },
    timestamp,
    window: WINDOW,
    containers: containers.map((used) => ({ name: used.name, usage: quantities(used) })),
  }
}

const WINDOW = `${SAMPLE_MS / 1000}s`

function labelsOf({ labels }: Pod['metadata']): Pick<Pod['metadata'], 'labels'> {
  return labels ? { labels } : {}
}

/** Nanocores and kibibytes, as a metrics server writes them. */
function quantities({ cpu, memory }: { readonly cpu: number; readonly memory: number }): Usage {
  return { cpu: `${Math.round(cpu * 1e9)}n`, memory: `${Math.round(memory / 1024)}Ki` }
}
