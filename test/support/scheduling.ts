import type { Node } from '../../src/api/kinds/node.ts'
import type { Pod } from '../../src/api/kinds/pod.ts'
import { type ClusterObjects, NO_OBJECTS } from '../../src/scheduler/cluster-objects.ts'
import { Cycle } from '../../src/scheduler/cycle.ts'
import { type Framework, frameworkOf } from '../../src/scheduler/framework.ts'
import type { AnyPlugin, ClusterEvent } from '../../src/scheduler/plugin.ts'
import { podInfo } from '../../src/scheduler/pod-info.ts'
import { Snapshot } from '../../src/scheduler/snapshot.ts'
import { make } from './make.ts'

/** A node of 4 cpu, 16Gi and 110 pods: `node('a', { labels: { zone: 'x' } })`. */
export function node(
  name: string,
  {
    labels = {},
    allocatable = {},
    spec = {},
    status = {},
  }: {
    readonly labels?: Record<string, string>
    readonly allocatable?: Record<string, string>
    readonly spec?: Partial<NonNullable<Node['spec']>>
    readonly status?: Partial<NonNullable<Node['status']>>
  } = {},
): Node {
  return make.node({
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec,
    status: { allocatable: { cpu: '4', memory: '16Gi', pods: '110', ...allocatable }, ...status },
  } as never)
}

/** A pod with an identity of its own: `pod('web', { cpu: '1' }, { nodeSelector: { disk: 'ssd' } })`. */
export function pod(
  name: string,
  requests: Readonly<Record<string, string>> = {},
  spec: Partial<Pod['spec']> = {},
  metadata: Partial<Pod['metadata']> = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, uid: name, namespace: 'default', ...metadata },
    spec: {
      containers: [{ name: 'app', image: 'registry.example/app:1', resources: { requests } }],
      ...spec,
    },
  }
}

export function snapshotOf(
  nodes: readonly Node[],
  placed: Readonly<Record<string, readonly Pod[]>> = {},
  objects: ClusterObjects = NO_OBJECTS,
): Snapshot {
  const snapshot = new Snapshot(objects)
  for (const each of nodes) snapshot.setNode(each)
  for (const [name, pods] of Object.entries(placed))
    for (const each of pods) snapshot.setPod(podInfo(each), name)
  return snapshot
}

/** A profile of these plugins and no other, each of weight 1. */
export function frameworkWith(...plugins: readonly AnyPlugin[]): Framework {
  return frameworkOf('test', {
    preEnqueue: plugins,
    preFilter: plugins,
    filter: plugins,
    preemption: undefined,
    score: plugins.map((plugin) => ({ plugin, weight: 1 })),
    reserve: plugins,
    permit: plugins,
    preBind: plugins,
    bind: plugins,
    postBind: plugins,
  })
}

/** By node: the reasons of its rejection, or 'fits'; for a rejection of all nodes at once its message. */
export function verdicts(
  plugin: AnyPlugin,
  asked: Pod,
  snapshot: Snapshot,
): string | Readonly<Record<string, string>> {
  const cycle = Cycle.begin(podInfo(asked), snapshot, frameworkWith(plugin))
  if (!(cycle instanceof Cycle)) return cycle.reject
  return Object.fromEntries(
    snapshot.nodes.map((info) => [
      info.name,
      cycle.nodes?.has(info.name) === false
        ? 'not asked'
        : (cycle.verdict(info)?.reasons.join(' + ') ?? 'fits'),
    ]),
  )
}

/** By node, after normalizing. */
export function scores(plugin: AnyPlugin, asked: Pod, snapshot: Snapshot): Readonly<Record<string, number>> {
  const cycle = Cycle.begin(podInfo(asked), snapshot, frameworkWith(plugin))
  if (!(cycle instanceof Cycle)) return {}
  const totals = cycle.score(snapshot.nodes)
  return Object.fromEntries(snapshot.nodes.map(({ name }, i) => [name, totals[i] ?? 0]))
}

/** Whether the event brings back a pod that this plugin rejected. */
export function wakes(
  plugin: AnyPlugin,
  waiting: Pod,
  event: ClusterEvent,
  snapshot = new Snapshot(),
): boolean {
  if (!plugin.hints) return true
  const hint = plugin.hints[event.type] as
    | ((pod: ReturnType<typeof podInfo>, event: ClusterEvent, snapshot: Snapshot) => boolean)
    | undefined
  return hint?.(podInfo(waiting), event, snapshot) ?? false
}
