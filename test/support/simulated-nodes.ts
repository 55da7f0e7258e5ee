import type { V1PodSpec } from '../../src/api/generated/types.ts'
import { event } from '../../src/api/kinds/event.ts'
import { kinds as builtInKinds } from '../../src/api/kinds/index.ts'
import { namespace as namespaceKind } from '../../src/api/kinds/namespace.ts'
import { type Node, node as nodeKind } from '../../src/api/kinds/node.ts'
import { type Pod, pod as podKind } from '../../src/api/kinds/pod.ts'
import { type SimulatedImage, simulatedImage } from '../../src/api/kinds/simulated-image.ts'
import { metricsKinds } from '../../src/api/metrics-kinds.ts'
import { serveMetrics } from '../../src/apiserver/metrics-source.ts'
import { Informers } from '../../src/client/informers.ts'
import { NodeConnections } from '../../src/client/node-connection.ts'
import { startNodes } from '../../src/nodes/nodes.ts'
import { createTestCluster, type TestCluster } from './cluster.ts'
import { make } from './make.ts'

export interface SimulatedNodes extends TestCluster {
  run(spec: V1PodSpec, name?: string): Promise<Pod>
  declare(name: string, spec: Partial<SimulatedImage['spec']>): Promise<void>
  pod(name?: string): Promise<Pod>
  /** "Reason: message" of a pod's events, oldest first, once each. */
  eventsOf(name?: string): Promise<readonly string[]>
  /** Every change of what `show` says of the pod, with the seconds since it was first seen. */
  timeline(show: (pod: Pod) => string, name?: string): readonly string[]
  /** Runs a command in the first container of a pod and resolves with what it writes. */
  exec(command: readonly string[], name?: string): Promise<string>
  /** All that a container wrote, by its id. */
  logs(id: string): Promise<string>
  /** "1/2": how many containers are ready. */
  ready(status: Pod['status']): string
  /** The nodes only; the cluster stays. */
  stopNodes(): Promise<void>
  /** As when the process ends and begins again: only what the API and the folder hold is left. */
  restartNodes(): Promise<void>
  stop(): Promise<void>
}

export const node = (name = 'node-a', override: Partial<Node['spec']> = {}): Node =>
  make.node({
    metadata: { name, labels: { 'seamark.dev/runtime': 'simulated', 'kubernetes.io/hostname': name } },
    spec: { podCIDR: '10.244.0.0/24', ...override },
  })

/** One simulated node on the real API server in memory, on virtual time; pods are made bound to it. */
export async function startSimulatedNodes(
  nodes: readonly Node[] = [node()],
  folder?: string,
): Promise<SimulatedNodes> {
  const cluster = await createTestCluster({ kinds: [...builtInKinds, ...metricsKinds] })
  const { client, clock, env } = cluster
  await client.create(namespaceKind, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'kube-node-lease' },
    spec: {},
  })
  for (const each of nodes) await client.create(nodeKind, each)
  for (const { metadata, status } of nodes)
    await client.patch(nodeKind, { name: metadata.name }, 'merge', { status }, { subresource: 'status' })
  const connections = new NodeConnections()
  serveMetrics(cluster.registry, connections)
  let running = startNodes(env, client, cluster.informers, connections, folder)
  let informers: Informers | undefined
  await clock.run(1000)
  return {
    ...cluster,
    run: (spec, name = 'web') =>
      client.create(
        podKind,
        make.pod({ metadata: { name }, spec: { nodeName: 'node-a', ...spec } as never }),
      ),
    async declare(name, spec) {
      await client.create(simulatedImage, {
        apiVersion: 'seamark.dev/v1alpha1',
        kind: 'SimulatedImage',
        metadata: { name },
        spec: { images: ['registry.example/app:1'], ...spec },
      })
      await clock.run(1000)
    },
    pod: (name = 'web') => client.get(podKind, { namespace: 'default', name }),
    async eventsOf(name = 'web') {
      const { items } = await client.list(event, { namespace: 'default' })
      return items
        .filter(({ involvedObject }) => involvedObject.name === name)
        .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
        .map(({ reason, message }) => `${reason}: ${message}`)
    },
    timeline(show, name = 'web') {
      const lines: string[] = []
      let startedAt: number | undefined
      let last = ''
      cluster.informers.of(podKind).onChange(({ type, resource }) => {
        if (resource.metadata.name !== name) return
        startedAt ??= clock.now()
        const text = type === 'deleted' ? 'gone' : show(resource)
        if (text !== last) lines.push(`${(clock.now() - startedAt) / 1000}s ${text}`)
        last = text
      })
      return lines
    },
    async exec(command, name = 'web') {
      const { spec, status } = await client.get(podKind, { namespace: 'default', name })
      const id = status?.containerStatuses?.[0]?.containerID ?? ''
      const said: string[] = []
      const write = async (bytes: Uint8Array) => void said.push(Buffer.from(bytes).toString())
      await connections.get(spec.nodeName ?? '')?.exec(id, command, {
        stdin: undefined,
        tty: false,
        signal: new AbortController().signal,
        stdout: write,
        stderr: write,
      })
      return said.join('')
    },
    async logs(id) {
      const lines: string[] = []
      const { signal } = new AbortController()
      for await (const line of connections.get('node-a')?.logs(id, {}, signal) ?? []) lines.push(line)
      return lines.join('')
    },
    ready: (status) => {
      const all = status?.containerStatuses ?? []
      return all.length === 0 ? '' : `${all.filter(({ ready }) => ready).length}/${all.length}`
    },
    stopNodes: () => running.stop(),
    async restartNodes() {
      await running.stop()
      await informers?.close()
      informers = new Informers(env, client)
      running = startNodes(env, client, informers, connections, folder)
      await clock.run(1000)
    },
    async stop() {
      await running.stop()
      await informers?.close()
      await cluster.close()
    },
  }
}
