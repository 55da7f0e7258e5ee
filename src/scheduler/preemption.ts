import { findCondition } from '../api/conditions.ts'
import type { PodDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { compileLabelSelector } from '../api/selectors.ts'
import type { Random } from '../base/random.ts'
import { Cycle } from './cycle.ts'
import { type FitError, fitErrorMessage } from './fit-error.ts'
import type { Framework } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { Rejection } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'

export interface Candidate {
  readonly node: string
  /** Most important first. */
  readonly victims: readonly PodInfo[]
  readonly budgetViolations: number
}

export type Preemption =
  | { readonly helps: true; readonly chosen: Candidate }
  /** `message` is the text after "preemption: "; `tried`: every node was looked at, so a nomination is void. */
  | { readonly helps: false; readonly message: string; readonly tried: boolean }

/** The best of all candidates (see pickCandidate). */
export function choose(candidates: readonly Candidate[]): Preemption {
  const chosen = pickCandidate(candidates)
  return chosen
    ? { helps: true, chosen }
    : { helps: false, message: 'no candidate node for preemption', tried: true }
}

/**
 * Where evicting makes room, and whom; or why nowhere. Tries it out on the snapshot and leaves that as it was. A node is a candidate when
 * the pod fits after all pods of lower priority are gone; they are then spared one by one, those whose budget would be
 * violated first, most important first, as long as the pod still fits.
 */
export function candidatesFor(
  pod: PodInfo,
  error: FitError,
  snapshot: Snapshot,
  framework: Framework,
  budgets: readonly PodDisruptionBudget[],
  random: Random,
): readonly Candidate[] | Extract<Preemption, { readonly helps: false }> {
  if (pod.pod.spec.preemptionPolicy === 'Never')
    return { helps: false, message: 'not eligible due to preemptionPolicy=Never.', tried: false }
  const nominated = snapshot.nominationOf(pod.uid)
  const isHopeless = nominated !== undefined && error.rejections.get(nominated)?.resolvable === false
  if (nominated !== undefined && !isHopeless && hasTerminatingVictim(snapshot.node(nominated), pod)) {
    return {
      helps: false,
      message: 'not eligible due to a terminating pod on the nominated node.',
      tried: false,
    }
  }
  const cycle = Cycle.begin(pod, snapshot, framework)
  if (!(cycle instanceof Cycle)) return { helps: false, message: nothingHelps(snapshot.size), tried: true }
  const hopeful = snapshot.nodes.filter(({ name }) => error.rejections.get(name)?.resolvable === true)
  const rejections = new Map<string, Rejection>()
  for (const { name } of snapshot.nodes)
    if (error.rejections.get(name)?.resolvable !== true) rejections.set(name, NOT_HELPFUL)
  const candidates = findCandidates(cycle, hopeful, budgets, random, rejections)
  if (candidates.length > 0) return candidates
  const message = fitErrorMessage({ nodes: snapshot.size, rejections, plugins: new Set() })
  return { helps: false, message, tried: true }
}

const NOT_HELPFUL: Rejection = {
  plugin: 'DefaultPreemption',
  reasons: ['Preemption is not helpful for scheduling'],
  resolvable: false,
}
const NO_VICTIMS: Rejection = {
  plugin: 'DefaultPreemption',
  reasons: ['No preemption victims found for incoming pod'],
  resolvable: false,
}

function nothingHelps(nodes: number): string {
  return `0/${nodes} nodes are available: ${nodes} ${NOT_HELPFUL.reasons[0]}.`
}

function hasTerminatingVictim(node: NodeInfo | undefined, pod: PodInfo): boolean {
  if (!node) return false
  return [...node.pods.values()].some(
    (other) =>
      other.priority < pod.priority &&
      other.isTerminating &&
      findCondition(other.pod.status?.conditions, 'DisruptionTarget')?.reason === 'PreemptionByScheduler',
  )
}

function findCandidates(
  cycle: Cycle,
  hopeful: readonly NodeInfo[],
  budgets: readonly PodDisruptionBudget[],
  random: Random,
  rejections: Map<string, Rejection>,
): Candidate[] {
  const { minCandidateNodesPercentage = 10, minCandidateNodesAbsolute = 100 } =
    cycle.framework.preemption ?? {}
  const wanted = Math.min(
    hopeful.length,
    Math.max(minCandidateNodesAbsolute, Math.trunc((hopeful.length * minCandidateNodesPercentage) / 100)),
  )
  const offset = random.int(Math.max(1, hopeful.length))
  const found: Candidate[] = []
  let harmless = 0
  for (let i = 0; i < hopeful.length && (found.length < wanted || harmless === 0); i += 1) {
    const node = hopeful[(offset + i) % hopeful.length]!
    const candidate = tryNode(cycle, node, budgets)
    if ('node' in candidate) {
      found.push(candidate)
      if (candidate.budgetViolations === 0) harmless += 1
    } else rejections.set(node.name, candidate)
  }
  return found
}

function tryNode(
  cycle: Cycle,
  node: NodeInfo,
  budgets: readonly PodDisruptionBudget[],
): Candidate | Rejection {
  const { pod, snapshot } = cycle
  if (node.lowestPriority >= pod.priority) return NO_VICTIMS
  const lower = [...node.pods.values()]
    .filter(({ priority }) => priority < pod.priority)
    .sort(moreImportantFirst)
  return snapshot.trial(node, (trial) => {
    for (const victim of lower) trial.remove(victim)
    const stillRejected = cycle.verdictIn(trial, node)
    if (stillRejected) return stillRejected
    const { violating, others } = splitByBudget(lower, budgets)
    const victims: PodInfo[] = []
    let budgetViolations = 0
    const isSpared = (victim: PodInfo): boolean => {
      trial.add(victim)
      if (!cycle.verdictIn(trial, node)) return true
      trial.remove(victim)
      victims.push(victim)
      return false
    }
    for (const victim of violating) if (!isSpared(victim)) budgetViolations += 1
    for (const victim of others) isSpared(victim)
    return { node: node.name, victims: victims.sort(moreImportantFirst), budgetViolations }
  })
}

/** Which pods would take a budget below zero, counting down as they go. */
function splitByBudget(
  pods: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.filter(selectsSome).map((budget) => ({
    budget,
    matches: compileLabelSelector(budget.spec.selector),
    allowed: budget.status?.disruptionsAllowed ?? 0,
  }))
  const violating: PodInfo[] = []
  const others: PodInfo[] = []
  for (const info of pods) {
    let violates = false
    for (const entry of left) {
      const { metadata } = info.pod
      if (entry.budget.metadata.namespace !== metadata.namespace || !entry.matches(metadata.labels ?? {}))
        continue
      if (entry.budget.status?.disruptedPods?.[metadata.name] !== undefined) continue
      entry.allowed -= 1
      if (entry.allowed < 0) violates = true
    }
    ;(violates ? violating : others).push(info)
  }
  return { violating, others }
}

/** Preemption passes over budgets without a selector, and takes an empty one for none as well. */
function selectsSome({ spec }: PodDisruptionBudget): boolean {
  const { matchLabels = {}, matchExpressions = [] } = spec.selector ?? {}
  return Object.keys(matchLabels).length + matchExpressions.length > 0
}

/** Higher priority first, then who started earlier. */
export function moreImportantFirst(a: PodInfo, b: PodInfo): number {
  return (
    b.priority - a.priority ||
    (a.startedAt ?? Number.MAX_SAFE_INTEGER) - (b.startedAt ?? Number.MAX_SAFE_INTEGER) ||
    (a.key < b.key ? -1 : 1)
  )
}

/**
 * The documented order: fewest budget violations, lowest highest-victim priority, smallest sum of (priority + 2^31),
 * fewest victims, latest earliest start among the victims of the highest priority, first found.
 */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  const criteria: readonly ((candidate: Candidate) => number)[] = [
    ({ budgetViolations }) => budgetViolations,
    ({ victims }) => victims[0]?.priority ?? Number.NEGATIVE_INFINITY,
    ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
    ({ victims }) => victims.length,
    ({ victims }) => -earliestStart(victims),
  ]
  let left = candidates
  for (const criterion of criteria) {
    if (left.length <= 1) break
    const best = left.reduce(
      (least, candidate) => Math.min(least, criterion(candidate)),
      Number.POSITIVE_INFINITY,
    )
    left = left.filter((candidate) => criterion(candidate) === best)
  }
  return left[0]
}

function earliestStart(victims: readonly PodInfo[]): number {
  const highest = victims[0]?.priority
  return victims
    .filter(({ priority }) => priority === highest)
    .reduce(
      (least, { startedAt }) => Math.min(least, startedAt ?? Number.MAX_SAFE_INTEGER),
      Number.MAX_SAFE_INTEGER,
    )
}
