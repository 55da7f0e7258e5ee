import type { Namespace } from '../../../src/api/kinds/namespace.ts'
import type { Node } from '../../../src/api/kinds/node.ts'
import type { Pod } from '../../../src/api/kinds/pod.ts'
import type { PodDisruptionBudget } from '../../../src/api/kinds/pod-disruption-budget.ts'
import { podPriority } from '../../../src/api/pods.ts'
import { lowerOn, plainViolations, spentBudgets } from '../plain-preemption.ts'
import type { PlainCluster } from '../plain-scheduler.ts'
import type { Checker, ClusterView } from './checker.ts'

interface Nomination {
  readonly at: number
  readonly pod: Pod
  readonly node: string
  /** As the scheduler saw them, without and with the pods that others have been promised room for. */
  readonly clusters: readonly PlainCluster[]
  readonly budgets: readonly PodDisruptionBudget[]
  readonly victims: Set<string>
}

/**
 * Preemption violates a budget only where no node could be cleared at a smaller price. The nomination is written at the
 * instant of the decision and the victims are marked right after it, so this is for a scheduler whose view is not late.
 * `seen`, when given, counts the decisions that were looked at, and those that violated a budget.
 */
export function preemptionChoice(seen = { decisions: 0, violating: 0 }): Checker {
  let open: Nomination[] = []
  const judge = ({ pod, node, clusters, budgets, victims }: Nomination): readonly string[] => {
    const [cluster] = clusters
    if (!cluster || victims.size === 0) return []
    seen.decisions += 1
    const price = spentBudgets(lowerOn(node, pod, cluster), budgets).filter(({ metadata }) =>
      victims.has(metadata.uid ?? ''),
    ).length
    if (price === 0) return []
    seen.violating += 1
    const [plain, promised] = clusters.map((each) => plainViolations(pod, each, budgets))
    // On its own node somebody else may have preempted at the same instant.
    const better = [...(plain ?? [])].filter(
      ([name, count]) => name !== node && count < price && (promised?.get(name) ?? price) < price,
    )
    return better.map(
      ([name, count]) =>
        `Pod ${pod.metadata.name} violates ${price} budgets on ${node}, and would violate ${count} on ${name}`,
    )
  }
  return {
    see({ object, previous, at, view }) {
      const due = open.filter((each) => each.at < at)
      open = open.filter((each) => each.at >= at)
      const said = due.flatMap(judge)
      if (object.kind !== 'Pod') return said
      const pod = object as Pod
      const before = previous as Pod | undefined
      const node = pod.status?.nominatedNodeName
      if (node && before && before.status?.nominatedNodeName !== node && !pod.spec.nodeName) {
        const budgets = view.all<PodDisruptionBudget>('PodDisruptionBudget')
        open.push({ at, pod, node, clusters: clustersFor(pod, view), budgets, victims: new Set() })
      }
      if (isVictim(pod) && !(before && isVictim(before)))
        for (const each of open) if (each.node === pod.spec.nodeName) each.victims.add(pod.metadata.uid ?? '')
      return said
    },
  }
}

function clustersFor(pod: Pod, view: ClusterView): PlainCluster[] {
  const spaces = view.all<Namespace>('Namespace')
  const pods = view.all<Pod>('Pod').filter(({ metadata }) => metadata.uid !== pod.metadata.uid)
  const placed = pods.flatMap((one) => (one.spec.nodeName ? [{ pod: one, node: one.spec.nodeName }] : []))
  const promised = pods.flatMap((one) => {
    const node = one.status?.nominatedNodeName
    return node && !one.spec.nodeName && podPriority(one) >= podPriority(pod) ? [{ pod: one, node }] : []
  })
  const cluster = {
    nodes: view.all<Node>('Node'),
    services: [],
    namespaces: new Map(spaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}])),
    placed,
  }
  return [cluster, { ...cluster, placed: [...placed, ...promised] }]
}

function isVictim({ status }: Pod): boolean {
  return status?.conditions?.some(({ reason }) => reason === 'PreemptionByScheduler') ?? false
}
