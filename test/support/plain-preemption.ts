import type { Pod } from '../../src/api/kinds/pod.ts'
import type { PodDisruptionBudget } from '../../src/api/kinds/pod-disruption-budget.ts'
import { podPriority } from '../../src/api/pods.ts'
import { labelSelectorMatches } from '../../src/api/selectors.ts'
import { parseTime } from '../../src/base/date.ts'
import { type PlainCluster, plainSchedule } from './plain-scheduler.ts'

/**
 * Node to how many budgets would be violated by making room on it for the pod; nodes where no eviction helps are left
 * out. As kube-scheduler documents it: all pods of lower priority go, then come back one by one while the pod still fits,
 * those whose budget is spent first, the most important first.
 */
export function plainViolations(
  pod: Pod,
  cluster: PlainCluster,
  budgets: readonly PodDisruptionBudget[],
): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const { metadata } of cluster.nodes) {
    const node = metadata.name
    const lower = lowerOn(node, pod, cluster)
    let away = new Set(lower)
    const fitsWithout = (gone: ReadonlySet<Pod>) =>
      plainSchedule(pod, {
        ...cluster,
        placed: cluster.placed.filter((one) => !gone.has(one.pod)),
      }).verdicts.get(node) === undefined
    if (lower.length === 0 || !fitsWithout(away)) continue
    const violating = spentBudgets(lower, budgets)
    for (const one of [...violating, ...lower.filter((each) => !violating.includes(each))]) {
      const fewer = new Set([...away].filter((each) => each !== one))
      if (fitsWithout(fewer)) away = fewer
    }
    found.set(node, violating.filter((one) => away.has(one)).length)
  }
  return found
}

/** Pods of lower priority on the node, the most important first. */
export function lowerOn(node: string, pod: Pod, { placed }: PlainCluster): readonly Pod[] {
  return placed
    .filter((one) => one.node === node && podPriority(one.pod) < podPriority(pod))
    .map((one) => one.pod)
    .sort(moreImportantFirst)
}

/** Of the pods, in their order, those that come after their budget is used up. */
export function spentBudgets(pods: readonly Pod[], budgets: readonly PodDisruptionBudget[]): readonly Pod[] {
  const left = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]))
  return pods.filter(({ metadata }) => {
    const about = budgets.filter(
      (budget) =>
        budget.metadata.namespace === metadata.namespace &&
        labelSelectorMatches(budget.spec.selector, metadata.labels),
    )
    for (const budget of about) left.set(budget, (left.get(budget) ?? 0) - 1)
    return about.some((budget) => (left.get(budget) ?? 0) < 0)
  })
}

function moreImportantFirst(a: Pod, b: Pod): number {
  const startOf = ({ status }: Pod) => parseTime(status?.startTime ?? '') ?? Number.MAX_SAFE_INTEGER
  return podPriority(b) - podPriority(a) || startOf(a) - startOf(b) || (nameOf(a) < nameOf(b) ? -1 : 1)
}

function nameOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`
}
