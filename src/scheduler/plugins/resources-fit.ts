import { canonicalQuantity } from '../../api/quantity.ts'
import { amountsOf } from '../amounts.ts'
import type { NodeInfo } from '../node-info.ts'
import { isOwn, type Plugin, type Rejection, type Remedy } from '../plugin.ts'
import { type PodInfo, podInfo } from '../pod-info.ts'
import type { Snapshot } from '../snapshot.ts'
import { type ScoringStrategy, strategyScore } from './resource-strategy.ts'

const NAME = 'NodeResourcesFit'

export interface ResourcesFitArgs {
  readonly scoringStrategy?: ScoringStrategy | undefined
  /** Extended resources that are somebody else's business: a name, or all of a group such as "example.com". */
  readonly ignoredResources?: readonly string[] | undefined
  readonly ignoredResourceGroups?: readonly string[] | undefined
}

/** Requests against what is left of allocatable; the score is how full the node would be (LeastAllocated by default). */
export function resourcesFit(args: ResourcesFitArgs = {}): Plugin {
  const isIgnored = ignores(args)
  return {
    name: NAME,
    isLocal: true,
    filter(pod, node) {
      if (node.pods.size < node.podsMax && hasRoom(pod, node)) return undefined
      const { reasons, resolvable } = insufficient(pod, node, isIgnored)
      return reasons.length === 0 ? undefined : rejection(reasons, resolvable)
    },
    remedy: (pod, node) => lessOf(pod, node, isIgnored),
    score: strategyScore(args.scoringStrategy),
    hints: {
      'node-added': (pod, { node }) => couldFit(pod, node.status?.allocatable, isIgnored),
      'node-updated': (pod, { node, previous }) =>
        hasGrown(pod, previous.status?.allocatable, node.status?.allocatable) &&
        couldFit(pod, node.status?.allocatable, isIgnored),
      'pod-removed': (pod, event, snapshot) => {
        const on = snapshot.node(event.pod.spec.nodeName ?? '')
        return on !== undefined && hasRoomNow(pod, on, snapshot, isIgnored)
      },
      'placed-pod-updated': (_, { pod, previous }) => asksLess(podInfo(pod), podInfo(previous)),
      'pod-updated': (pod, event) => isOwn(pod, event) && asksLess(pod, podInfo(event.previous)),
    },
  }
}

/** Of anything, than it did before. */
function asksLess({ requests, shape }: PodInfo, before: PodInfo): boolean {
  if (shape === before.shape) return false
  return (
    requests.milliCpu < before.requests.milliCpu ||
    requests.memory < before.requests.memory ||
    requests.ephemeralStorage < before.requests.ephemeralStorage ||
    [...before.requests.scalars].some(([name, value]) => (requests.scalars.get(name) ?? 0) < value)
  )
}

/** The common case, without making anything. */
function hasRoom({ requests }: PodInfo, { allocatable, requested }: NodeInfo): boolean {
  return (
    requests.scalars.size === 0 &&
    (requests.milliCpu === 0 || requests.milliCpu <= allocatable.milliCpu - requested.milliCpu) &&
    (requests.memory === 0 || requests.memory <= allocatable.memory - requested.memory) &&
    (requests.ephemeralStorage === 0 ||
      requests.ephemeralStorage <= allocatable.ephemeralStorage - requested.ephemeralStorage)
  )
}

/** The reasons a pod's requests do not fit, in upstream's order; pods, cpu, memory, ephemeral-storage, then the others. */
export function insufficient(
  pod: PodInfo,
  node: Pick<NodeInfo, 'allocatable' | 'requested' | 'pods' | 'podsMax'>,
  isIgnored: (name: string) => boolean = () => false,
): { reasons: string[]; resolvable: boolean } {
  const reasons: string[] = []
  let resolvable = true
  const { allocatable, requested } = node
  if (node.pods.size + 1 > node.podsMax) reasons.push('Too many pods')
  const check = (name: string, wants: number, used: number, all: number) => {
    if (wants === 0 || wants <= all - used) return
    reasons.push(`Insufficient ${name}`)
    if (wants > all) resolvable = false
  }
  check('cpu', pod.requests.milliCpu, requested.milliCpu, allocatable.milliCpu)
  check('memory', pod.requests.memory, requested.memory, allocatable.memory)
  check(
    'ephemeral-storage',
    pod.requests.ephemeralStorage,
    requested.ephemeralStorage,
    allocatable.ephemeralStorage,
  )
  for (const [name, wants] of pod.requests.scalars)
    if (!isIgnored(name))
      check(name, wants, requested.scalars.get(name) ?? 0, allocatable.scalars.get(name) ?? 0)
  return { reasons, resolvable }
}

/** How much less of what does not fit the pod would have to ask for. */
function lessOf(pod: PodInfo, node: NodeInfo, isIgnored: (name: string) => boolean): Remedy {
  const parts: string[] = []
  let cost = 0
  if (node.pods.size + 1 > node.podsMax) {
    parts.push(`make room for one more pod on node "${node.name}" (it takes ${node.podsMax})`)
    cost += 1
  }
  const { requests } = pod
  const { allocatable, requested } = node
  const check = (name: string, wants: number, used: number, all: number) => {
    if (wants === 0 || wants <= all - used) return
    const left = Math.max(0, all - used)
    parts.push(
      `ask for at most ${quantityText(name, left)} of ${name} instead of ${quantityText(name, wants)}`,
    )
    cost += 1 - left / wants
  }
  check('cpu', requests.milliCpu, requested.milliCpu, allocatable.milliCpu)
  check('memory', requests.memory, requested.memory, allocatable.memory)
  check(
    'ephemeral-storage',
    requests.ephemeralStorage,
    requested.ephemeralStorage,
    allocatable.ephemeralStorage,
  )
  for (const [name, wants] of requests.scalars)
    if (!isIgnored(name))
      check(name, wants, requested.scalars.get(name) ?? 0, allocatable.scalars.get(name) ?? 0)
  return { change: parts.join(' and '), cost }
}

function quantityText(name: string, amount: number): string {
  if (name === 'cpu') return canonicalQuantity(`${amount}m`) ?? `${amount}m`
  const isBytes = name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-')
  if (!isBytes || amount % 1024 !== 0) return String(amount)
  return canonicalQuantity(`${amount / 1024}Ki`) ?? String(amount)
}

/** On the node where something has just gone; a pod that may preempt and has not done so may count on lower ones going. */
function hasRoomNow(
  pod: PodInfo,
  node: NodeInfo,
  snapshot: Snapshot,
  isIgnored: (name: string) => boolean,
): boolean {
  if (insufficient(pod, node, isIgnored).reasons.length === 0) return true
  if (node.lowestPriority >= pod.priority || snapshot.nominationOf(pod.uid) !== undefined) return false
  return snapshot.trial(node, (trial) => {
    for (const other of [...node.pods.values()]) if (other.priority < pod.priority) trial.remove(other)
    return insufficient(pod, node, isIgnored).reasons.length === 0
  })
}

/** Only resources outside of Kubernetes' own can be ignored. */
function ignores({ ignoredResources = [], ignoredResourceGroups = [] }: ResourcesFitArgs) {
  return (name: string) =>
    name.includes('/') &&
    (ignoredResources.includes(name) || ignoredResourceGroups.includes(name.slice(0, name.indexOf('/'))))
}

/** Whether an empty node of this size would do. */
function couldFit(
  pod: PodInfo,
  list: Readonly<Record<string, string>> | undefined,
  isIgnored: (name: string) => boolean,
): boolean {
  const allocatable = amountsOf(list)
  const empty = {
    allocatable,
    requested: amountsOf({}),
    pods: new Map(),
    podsMax: allocatable.scalars.get('pods') ?? 0,
  }
  return insufficient(pod, empty, isIgnored).reasons.length === 0
}

function hasGrown(
  { requests }: PodInfo,
  before: Readonly<Record<string, string>> | undefined,
  after: Readonly<Record<string, string>> | undefined,
): boolean {
  const [old, now] = [amountsOf(before), amountsOf(after)]
  const grew = (name: string) => (now.scalars.get(name) ?? 0) > (old.scalars.get(name) ?? 0)
  return (
    grew('pods') ||
    (requests.milliCpu > 0 && now.milliCpu > old.milliCpu) ||
    (requests.memory > 0 && now.memory > old.memory) ||
    (requests.ephemeralStorage > 0 && now.ephemeralStorage > old.ephemeralStorage) ||
    [...requests.scalars].some(([name, wants]) => wants > 0 && grew(name))
  )
}

/** The few combinations there are, made once. */
const rejections = new Map<string, Rejection>()

function rejection(reasons: readonly string[], resolvable: boolean): Rejection {
  const id = `${resolvable} ${reasons.join()}`
  let known = rejections.get(id)
  if (!known) {
    known = { plugin: NAME, reasons, resolvable }
    if (rejections.size < 1000) rejections.set(id, known)
  }
  return known
}
