import type {
  V1LabelSelector,
  V1PodAffinityTerm,
  V1TopologySpreadConstraint,
} from '../../src/api/generated/types.ts'
import type { Node } from '../../src/api/kinds/node.ts'
import type { Pod } from '../../src/api/kinds/pod.ts'
import type { Service } from '../../src/api/kinds/service.ts'
import { matchesTerm, tolerates } from '../../src/api/placement.ts'
import { podRequests } from '../../src/api/pods.ts'
import { milliValue, parseQuantity } from '../../src/api/quantity.ts'
import { requestsOf } from '../../src/api/resource-requests.ts'
import { type Labels, labelSelectorMatches } from '../../src/api/selectors.ts'

/** A cluster as lists: what the plain scheduler looks through from beginning to end for every question. */
export interface PlainCluster {
  readonly nodes: readonly Node[]
  readonly placed: readonly { readonly pod: Pod; readonly node: string }[]
  readonly namespaces: ReadonlyMap<string, Labels>
  readonly services: readonly Service[]
}

export interface PlainResult {
  /** Node name to why not; undefined fits. */
  readonly verdicts: ReadonlyMap<string, string | undefined>
  /** Total scores of the nodes that fit. */
  readonly scores: ReadonlyMap<string, number>
}

/**
 * kube-scheduler's default filters and scores, written down as its documents state them: no state, no counters, every
 * pod of every node looked at again for each node. Slow, and plain enough to be checked by reading.
 */
export function plainSchedule(pod: Pod, cluster: PlainCluster): PlainResult {
  const verdicts = new Map(cluster.nodes.map((node) => [node.metadata.name, rejection(pod, node, cluster)]))
  const fit = cluster.nodes.filter(({ metadata }) => verdicts.get(metadata.name) === undefined)
  const totals = fit.map(() => 0)
  const add = (weight: number, scores: readonly number[]) =>
    scores.forEach((score, i) => {
      totals[i] = (totals[i] ?? 0) + weight * score
    })
  if (fit.length > 1) {
    add(
      3,
      byMax(
        fit.map((node) => preferNoSchedule(pod, node)),
        true,
      ),
    )
    add(
      2,
      byMax(
        fit.map((node) => preferredNodes(pod, node)),
        false,
      ),
    )
    add(
      1,
      fit.map((node) => leastAllocated(pod, node, cluster)),
    )
    add(
      1,
      fit.map((node) => balanced(pod, node, cluster)),
    )
    add(2, spreadScores(pod, fit, cluster))
    add(2, affinityScores(pod, fit, cluster))
  }
  return { verdicts, scores: new Map(fit.map(({ metadata }, i) => [metadata.name, totals[i] ?? 0])) }
}

function podsOn(node: Node, { placed }: PlainCluster): Pod[] {
  return placed.filter((each) => each.node === node.metadata.name).map((each) => each.pod)
}

function rejection(pod: Pod, node: Node, cluster: PlainCluster): string | undefined {
  const { spec } = pod
  if (node.spec?.unschedulable && !tolerates(spec.tolerations, CORDONED)) return 'node(s) were unschedulable'
  if (spec.nodeName && spec.nodeName !== node.metadata.name)
    return "node(s) didn't match the requested node name"
  if (hardTaints(pod, node)) return 'node(s) had untolerated taint(s)'
  if (!affineToNode(pod, node)) return "node(s) didn't match Pod's node affinity/selector"
  const others = podsOn(node, cluster)
  const taken = others.flatMap(hostPorts)
  if (hostPorts(pod).some((port) => taken.includes(port)))
    return "node(s) didn't have free ports for the requested pod ports"
  const reasons: string[] = []
  const allocatable = node.status?.allocatable ?? {}
  if (others.length + 1 > Number(allocatable['pods'] ?? 0)) reasons.push('Too many pods')
  for (const resource of ['cpu', 'memory', 'example.com/gpu']) {
    const wants = amount(resource, podRequests(pod)[resource])
    const used = others.reduce((sum, other) => sum + amount(resource, podRequests(other)[resource]), 0)
    if (wants > 0 && wants + used > amount(resource, allocatable[resource]))
      reasons.push(`Insufficient ${resource}`)
  }
  if (reasons.length > 0) return reasons.join()
  return spreadRejection(pod, node, cluster) ?? affinityRejection(pod, node, cluster)
}

const CORDONED = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

function hardTaints({ spec }: Pod, node: Node): boolean {
  return (node.spec?.taints ?? []).some(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(spec.tolerations, taint),
  )
}

function affineToNode({ spec }: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return (
    Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value) &&
    (!required || required.nodeSelectorTerms.some((term) => matchesTerm(term, node)))
  )
}

function hostPorts({ spec }: Pod): number[] {
  return spec.containers.flatMap(({ ports }) => (ports ?? []).flatMap(({ hostPort }) => hostPort ?? []))
}

function amount(resource: string, quantity: string | undefined): number {
  if (quantity === undefined) return 0
  return resource === 'cpu' ? milliValue(quantity) : Math.ceil(parseQuantity(quantity))
}

function keyedSelector(
  selector: V1LabelSelector | undefined,
  { metadata }: Pod,
  keys: readonly string[] = [],
  mismatchKeys: readonly string[] = [],
): V1LabelSelector | undefined {
  if (!selector) return undefined
  const own = (key: string, operator: string) => {
    const value = metadata.labels?.[key]
    return value === undefined ? [] : [{ key, operator, values: [value] }]
  }
  return {
    ...selector,
    matchExpressions: [
      ...(selector.matchExpressions ?? []),
      ...keys.flatMap((key) => own(key, 'In')),
      ...mismatchKeys.flatMap((key) => own(key, 'NotIn')),
    ],
  }
}

// Topology spread.

function selects(constraint: V1TopologySpreadConstraint, pod: Pod, other: Pod): boolean {
  return (
    other.metadata.namespace === pod.metadata.namespace &&
    labelSelectorMatches(
      keyedSelector(constraint.labelSelector, pod, constraint.matchLabelKeys),
      other.metadata.labels,
    )
  )
}

function isIncluded(constraint: V1TopologySpreadConstraint, pod: Pod, node: Node): boolean {
  if (constraint.nodeAffinityPolicy !== 'Ignore' && !affineToNode(pod, node)) return false
  return constraint.nodeTaintsPolicy !== 'Honor' || !hardTaints(pod, node)
}

/** value -> matching pods, over the nodes that are included and have every key. */
function domains(
  constraint: V1TopologySpreadConstraint,
  keys: readonly string[],
  pod: Pod,
  cluster: PlainCluster,
): Map<string, number> {
  const counts = new Map<string, number>()
  for (const node of cluster.nodes) {
    const value = node.metadata.labels?.[constraint.topologyKey]
    if (value === undefined || keys.some((key) => node.metadata.labels?.[key] === undefined)) continue
    if (!isIncluded(constraint, pod, node)) continue
    const matching = podsOn(node, cluster).filter(
      (other) => !other.metadata.deletionTimestamp && selects(constraint, pod, other),
    )
    counts.set(value, (counts.get(value) ?? 0) + matching.length)
  }
  return counts
}

function spreadRejection(pod: Pod, node: Node, cluster: PlainCluster): string | undefined {
  const hard = (pod.spec.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
  )
  const keys = hard.map(({ topologyKey }) => topologyKey)
  for (const constraint of hard) {
    const value = node.metadata.labels?.[constraint.topologyKey]
    if (value === undefined)
      return "node(s) didn't match pod topology spread constraints (missing required label)"
    const counts = domains(constraint, keys, pod, cluster)
    const least = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values())
    const self = selects(constraint, pod, pod) ? 1 : 0
    if ((counts.get(value) ?? 0) + self - least > constraint.maxSkew)
      return "node(s) didn't match pod topology spread constraints"
  }
  return undefined
}

function softConstraints(pod: Pod, { services }: PlainCluster): readonly V1TopologySpreadConstraint[] {
  const own = pod.spec.topologySpreadConstraints ?? []
  if (own.length > 0) return own.filter(({ whenUnsatisfiable }) => whenUnsatisfiable !== 'DoNotSchedule')
  const matching = services.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace &&
      Object.keys(spec.selector ?? {}).length > 0 &&
      labelSelectorMatches({ matchLabels: spec.selector }, pod.metadata.labels),
  )
  if (matching.length === 0) return []
  const labelSelector = { matchLabels: Object.assign({}, ...matching.map(({ spec }) => spec.selector)) }
  return [
    { topologyKey: 'kubernetes.io/hostname', maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway', labelSelector },
    {
      topologyKey: 'topology.kubernetes.io/zone',
      maxSkew: 5,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector,
    },
  ]
}

function spreadScores(pod: Pod, fit: readonly Node[], cluster: PlainCluster): number[] {
  const soft = softConstraints(pod, cluster)
  if (soft.length === 0) return fit.map(() => 0)
  const isOwn = (pod.spec.topologySpreadConstraints ?? []).length > 0
  const keys = isOwn ? soft.map(({ topologyKey }) => topologyKey) : []
  const isScored = (node: Node) => keys.every((key) => node.metadata.labels?.[key] !== undefined)
  const scored = fit.filter(isScored)
  const raw = fit.map((node) => {
    if (!isScored(node)) return undefined
    let cost = 0
    for (const constraint of soft) {
      const { topologyKey, maxSkew } = constraint
      const value = node.metadata.labels?.[topologyKey]
      if (value === undefined) continue
      const isHost = topologyKey === 'kubernetes.io/hostname'
      const size = isHost
        ? scored.length
        : new Set(scored.map(({ metadata }) => metadata.labels?.[topologyKey])).size
      const count = isHost
        ? podsOn(node, cluster).filter(
            (other) => !other.metadata.deletionTimestamp && selects(constraint, pod, other),
          ).length
        : (domains(constraint, keys, pod, cluster).get(value) ?? 0)
      cost += count * Math.log(size + 2) + (maxSkew - 1)
    }
    return Math.round(cost)
  })
  const known = raw.filter((score) => score !== undefined)
  const max = Math.max(0, ...known)
  const min = Math.min(...known)
  return raw.map((score) =>
    score === undefined ? 0 : max === 0 ? 100 : Math.trunc((100 * (max + min - score)) / max),
  )
}

// Pod affinity.

function isAbout(term: V1PodAffinityTerm, owner: Pod, other: Pod, { namespaces }: PlainCluster): boolean {
  const named = term.namespaces ?? []
  const own = owner.metadata.namespace ?? ''
  const namespace = other.metadata.namespace ?? ''
  const inNamespace =
    named.length === 0 && !term.namespaceSelector
      ? namespace === own
      : named.includes(namespace) || labelSelectorMatches(term.namespaceSelector, namespaces.get(namespace))
  const selector = keyedSelector(term.labelSelector, owner, term.matchLabelKeys, term.mismatchLabelKeys)
  return inNamespace && labelSelectorMatches(selector, other.metadata.labels)
}

/** Of the pods that satisfy `wanted`, how many stand in the node's domain. */
function inDomain(
  node: Node,
  topologyKey: string,
  cluster: PlainCluster,
  wanted: (other: Pod) => boolean,
): number {
  const value = node.metadata.labels?.[topologyKey]
  if (value === undefined) return 0
  return cluster.nodes
    .filter(({ metadata }) => metadata.labels?.[topologyKey] === value)
    .reduce((sum, other) => sum + podsOn(other, cluster).filter(wanted).length, 0)
}

function affinityRejection(pod: Pod, node: Node, cluster: PlainCluster): string | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  const terms = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  const matchesAll = (other: Pod) => terms.every((term) => isAbout(term, pod, other, cluster))
  if (terms.some(({ topologyKey }) => node.metadata.labels?.[topologyKey] === undefined)) return AFFINITY
  if (terms.some(({ topologyKey }) => inDomain(node, topologyKey, cluster, matchesAll) === 0)) {
    const isAnywhere = terms.some(({ topologyKey }) =>
      cluster.nodes.some((other) => inDomain(other, topologyKey, cluster, matchesAll) > 0),
    )
    if (isAnywhere || !matchesAll(pod)) return AFFINITY
  }
  for (const term of podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
    if (inDomain(node, term.topologyKey, cluster, (other) => isAbout(term, pod, other, cluster)) > 0)
      return "node(s) didn't match pod anti-affinity rules"
  const theirs = cluster.placed.flatMap(({ pod: other }) =>
    (other.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(
      (term) => ({
        other,
        term,
      }),
    ),
  )
  for (const { other, term } of theirs)
    if (
      isAbout(term, other, pod, cluster) &&
      inDomain(node, term.topologyKey, cluster, (one) => one === other) > 0
    )
      return "node(s) didn't satisfy existing pods anti-affinity rules"
  return undefined
}

const AFFINITY = "node(s) didn't match pod affinity rules"

function affinityScores(pod: Pod, fit: readonly Node[], cluster: PlainCluster): number[] {
  const raw = fit.map((node) => {
    let score = 0
    const wanted = (owner: Pod, sign: 1 | -1) => {
      const { podAffinity, podAntiAffinity } = owner.spec.affinity ?? {}
      return (
        (sign === 1 ? podAffinity : podAntiAffinity)?.preferredDuringSchedulingIgnoredDuringExecution ?? []
      )
    }
    for (const sign of [1, -1] as const) {
      for (const { weight, podAffinityTerm: term } of wanted(pod, sign))
        score +=
          sign *
          weight *
          inDomain(node, term.topologyKey, cluster, (other) => isAbout(term, pod, other, cluster))
      for (const { pod: other } of cluster.placed)
        for (const { weight, podAffinityTerm: term } of wanted(other, sign))
          if (isAbout(term, other, pod, cluster))
            score += sign * weight * inDomain(node, term.topologyKey, cluster, (one) => one === other)
    }
    for (const { pod: other } of cluster.placed)
      for (const term of other.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ??
        [])
        if (isAbout(term, other, pod, cluster))
          score += inDomain(node, term.topologyKey, cluster, (one) => one === other)
    return score
  })
  const max = Math.max(0, ...raw)
  const min = Math.min(0, ...raw)
  return raw.map((score) => (max > min ? Math.trunc(100 * ((score - min) / (max - min))) : 0))
}

// Taints, node affinity, resources.

function preferNoSchedule({ spec }: Pod, node: Node): number {
  return (node.spec?.taints ?? []).filter(
    (taint) => taint.effect === 'PreferNoSchedule' && !tolerates(spec.tolerations, taint),
  ).length
}

function preferredNodes({ spec }: Pod, node: Node): number {
  return (spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).reduce(
    (sum, { weight, preference }) => sum + (matchesTerm(preference, node) ? weight : 0),
    0,
  )
}

function byMax(scores: readonly number[], reverse: boolean): number[] {
  const max = Math.max(0, ...scores)
  return scores.map((score) => {
    const part = max === 0 ? 0 : Math.floor((100 * score) / max)
    return reverse ? 100 - part : part
  })
}

function sumOf(resource: string, pods: readonly Pod[], missing?: Readonly<Record<string, string>>): number {
  return pods.reduce((sum, pod) => sum + amount(resource, requestsOf(pod.spec, missing)[resource]), 0)
}

function leastAllocated(pod: Pod, node: Node, cluster: PlainCluster): number {
  const missing = { cpu: '100m', memory: '200Mi' }
  const scores = ['cpu', 'memory'].flatMap((resource) => {
    const all = amount(resource, node.status?.allocatable?.[resource])
    if (all === 0) return []
    const used = sumOf(resource, [...podsOn(node, cluster), pod], missing)
    return [used > all ? 0 : Math.floor(((all - used) * 100) / all)]
  })
  return scores.length === 0 ? 0 : Math.floor(scores.reduce((sum, score) => sum + score, 0) / scores.length)
}

function balanced(pod: Pod, node: Node, cluster: PlainCluster): number {
  if (sumOf('cpu', [pod]) === 0 && sumOf('memory', [pod]) === 0) return 0
  const balance = (pods: readonly Pod[]) => {
    const parts = ['cpu', 'memory'].flatMap((resource) => {
      const all = amount(resource, node.status?.allocatable?.[resource])
      return all === 0 ? [] : [Math.min(1, sumOf(resource, pods) / all)]
    })
    const deviation = parts.length === 2 ? Math.abs((parts[0]! - parts[1]!) / 2) : 0
    return Math.trunc((1 - deviation) * 100)
  }
  const others = podsOn(node, cluster)
  return Math.trunc(50 + (50 + balance([...others, pod]) - balance(others)) / 2)
}
