import { Cycle } from './cycle.ts'
import { bestOf } from './decide.ts'
import { fitErrorMessage } from './fit-error.ts'
import type { Framework } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { Rejection } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'

/** What the scheduler thinks of every node for one pod; answered by POST on pods/explain. */
export interface Explanation {
  readonly apiVersion: 'seamark.dev/v1alpha1'
  readonly kind: 'SchedulingExplanation'
  readonly metadata: { readonly namespace: string; readonly name: string }
  readonly scheduler: string
  /** Where the pod runs already; it is judged as if it were not there. */
  readonly boundTo?: string
  /** As FailedScheduling says it; absent when a node fits. */
  readonly message?: string
  readonly nodes: readonly NodeExplanation[]
  /** The nodes of the highest score: any of them is chosen, by chance. */
  readonly ties: readonly string[]
  /** What would make the pod fit, the smallest change first; of an unschedulable pod. */
  readonly changes?: readonly { readonly change: string; readonly nodes: readonly string[] }[]
}

export interface NodeExplanation {
  readonly name: string
  readonly fits: boolean
  /** Of every plugin that looked at the node: "ok", or its reasons. */
  readonly verdicts: Readonly<Record<string, string>>
  /** Weighted, as they go into `total`; of nodes that fit. */
  readonly scores?: Readonly<Record<string, number>>
  readonly total?: number
}

const CHANGES_MAX = 3

/** All nodes are looked at, whatever percentageOfNodesToScore; a pod that has a node is taken off it meanwhile. */
export function explain(pod: PodInfo, snapshot: Snapshot, framework: Framework): Explanation {
  const on = snapshot.node(pod.pod.spec.nodeName ?? '')
  if (!on?.pods.has(pod.uid)) return judge(pod, snapshot, framework)
  const { nodeName, ...spec } = pod.pod.spec
  const unbound = { ...pod.pod, spec }
  return snapshot.trial(on, (trial) => {
    trial.remove(pod)
    return { ...judge(pod.as(unbound), snapshot, framework), ...(nodeName ? { boundTo: nodeName } : {}) }
  })
}

function judge(pod: PodInfo, snapshot: Snapshot, framework: Framework): Explanation {
  const head = {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'SchedulingExplanation',
    metadata: { namespace: pod.namespace, name: pod.pod.metadata.name },
    scheduler: framework.name,
  } as const
  const gate = framework.preEnqueue
    .map((plugin) => plugin.preEnqueue?.(pod, snapshot))
    .find((reason) => reason !== undefined)
  if (gate !== undefined) return { ...head, message: gate, nodes: [], ties: [] }
  const cycle = Cycle.begin(pod, snapshot, framework)
  if (!(cycle instanceof Cycle)) {
    const error = {
      nodes: snapshot.size,
      rejections: new Map(),
      reject: cycle.reject,
      plugins: new Set<string>(),
    }
    return { ...head, message: fitErrorMessage(error), nodes: [], ties: [] }
  }
  const feasible: NodeInfo[] = []
  const rejections = new Map<string, Rejection>()
  for (const node of snapshot.nodes) {
    const rejection = cycle.verdict(node)
    if (rejection) rejections.set(node.name, rejection)
    else feasible.push(node)
  }
  const parts = new Map<string, Record<string, number>>(feasible.map(({ name }) => [name, {}]))
  const totals = cycle.score(feasible, (plugin, scores) => {
    feasible.forEach(({ name }, i) => {
      parts.get(name)![plugin] = scores[i] ?? 0
    })
  })
  const nodes = snapshot.nodes.map((node): NodeExplanation => {
    const scores = parts.get(node.name)
    return {
      name: node.name,
      fits: scores !== undefined,
      verdicts: verdictsOf(cycle, node),
      ...(scores ? { scores, total: totals[feasible.indexOf(node)] ?? 0 } : {}),
    }
  })
  const ties = bestOf(feasible, totals).map(({ name }) => name)
  if (feasible.length > 0) return { ...head, nodes, ties }
  const message = fitErrorMessage({ nodes: snapshot.size, rejections, plugins: new Set() })
  return { ...head, message, nodes, ties, changes: changesFor(cycle, snapshot.nodes) }
}

function verdictsOf(cycle: Cycle, node: NodeInfo): Record<string, string> {
  return Object.fromEntries(
    cycle
      .everyVerdict(node)
      .map(({ plugin, rejection }) => [plugin, rejection ? rejection.reasons.join(', ') : 'ok']),
  )
}

/** Of each node all that stands in the way; the node with the least of it first. Equal changes are told once. */
function changesFor(cycle: Cycle, nodes: readonly NodeInfo[]) {
  const changes = new Map<string, { change: string; cost: number; nodes: string[] }>()
  for (const node of nodes) {
    const rejected = cycle.everyVerdict(node).filter(({ rejection }) => rejection)
    if (rejected.length === 0 || rejected.some(({ remedy }) => !remedy)) continue
    const change = rejected.flatMap(({ remedy }) => remedy?.change || []).join('; and ')
    if (change === '') continue
    const cost = rejected.reduce((sum, { remedy }) => sum + (remedy?.cost ?? 0), 0)
    const known = changes.get(change)
    if (known) known.nodes.push(node.name)
    else changes.set(change, { change, cost, nodes: [node.name] })
  }
  return [...changes.values()]
    .sort((a, b) => a.cost - b.cost || b.nodes.length - a.nodes.length)
    .slice(0, CHANGES_MAX)
    .map(({ change, nodes: names }) => ({ change, nodes: names }))
}
