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
import { formatTime } from '../base/date.ts'
import type { ContainerUsage, NodeConnections, NodeUsage } from '../client/node-connection.ts'
import { serveDeclaredMetrics } from './declared-metrics.ts'
import { NodeSamples, SAMPLE_MS } from './node-samples.ts'
import type { Registry } from './registry.ts'

/** A container shows from its first sample after this long on; a pod when all that run in it do. */
const FRESH_MS = 10_000

/** Makes the metrics APIs answer from what the nodes of `connections` say and what is declared. */
export function serveMetrics(registry: Registry, connections: NodeConnections): void {
  const { env, reader } = registry
  const samples = new NodeSamples(env, reader, connections)
  serveDeclaredMetrics(registry, samples)
  registry.computed.set(nodeMetrics, async () => {
    const timestamp = formatTime(samples.at)
    return (await reader.all(nodeKind)).flatMap((node) => {
      const used = samples.ofNode(node.metadata.name)
      return used ? [ofNode(node, used, timestamp) as unknown as AnyResource] : []
    })
  })
  registry.computed.set(podMetrics, async (namespace, selection) => {
    const { at } = samples
    const sampled = (await samples.pods(namespace)).filter(
      (pod) => selection?.(pod as unknown as AnyResource) !== false,
    )
    const shown = sampled.flatMap((pod) => {
      const containers = samples.containersOf(pod)
      const isFresh = containers.some(({ startedAt }) => startedAt + FRESH_MS > at)
      return containers.length === 0 || isFresh ? [] : [{ pod, containers }]
    })
    // What has gone since is not shown any more.
    const there = await Promise.all(shown.map(({ pod }) => reader.find(podKind, pod.metadata)))
    const timestamp = formatTime(at)
    return shown
      .filter(({ pod }, i) => there[i]?.metadata.uid === pod.metadata.uid)
      .map(({ pod, containers }) => ofPod(pod, containers, timestamp) as unknown as AnyResource)
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
