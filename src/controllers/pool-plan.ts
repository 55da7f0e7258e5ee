/** What a NodePool's nodes should become. Pure. Nodes the pool did not make are not in sight here. */
import type { V1Taint } from '../api/generated/types.ts'
import type { Node } from '../api/kinds/node.ts'
import { DEFAULT_CAPACITY, NODE_POOL_LABEL, type NodePool, RUNTIME_LABEL } from '../api/kinds/node-pool.ts'
import type { KubeletConfiguration } from '../api/kubelet-configuration.ts'
import { compareQuantities, subtractQuantities } from '../api/quantity.ts'
import { controllerReference } from '../api/resource.ts'
import type { ResourceList } from '../api/resource-requests.ts'
import { formatTime } from '../base/date.ts'
import { deepEqual, isObject } from '../base/json.ts'
import { keptAfterAll } from './pool-drain.ts'

/** What the pool put on the node, so that it can take it off again: names of labels, annotations and taints. */
const APPLIED = 'seamark.dev/applied-template'

export interface PoolPlan {
  readonly create: readonly Node[]
  /** Labels, annotations or taints differ. */
  readonly update: readonly Node[]
  /** Capacity differs. */
  readonly resize: readonly Node[]
  /** Highest ordinals first. */
  readonly remove: readonly Node[]
}

/** `settled`: nodes found as the pool wants them, so that one change among thousands costs one comparison. */
export function decidePool(
  pool: NodePool,
  nodes: readonly Node[],
  now: number,
  settled: WeakSet<Node> = new WeakSet(),
): PoolPlan {
  const byName = new Map(nodes.map((node) => [node.metadata.name, node]))
  const create: Node[] = []
  const update: Node[] = []
  const resize: Node[] = []
  for (let ordinal = 0; ordinal < pool.spec.count; ordinal += 1) {
    const name = nameOf(pool, ordinal)
    const node = byName.get(name)
    byName.delete(name)
    if (node && (settled.has(node) || node.metadata.deletionTimestamp !== undefined)) continue
    const wanted = nodeOf(pool, ordinal)
    if (!node) {
      create.push(wanted)
      continue
    }
    const updated = withTemplate(keptAfterAll(node), wanted, now)
    if (updated !== node) update.push(updated)
    const sized = withCapacity(updated, wanted)
    if (sized !== updated) resize.push(sized)
    if (sized === node) settled.add(node)
  }
  const remove = [...byName.values()]
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => ordinalOf(b) - ordinalOf(a))
  return { create, update, resize, remove }
}

function nameOf(pool: NodePool, ordinal: number): string {
  return `${pool.metadata.name}-${ordinal}`
}

function ordinalOf({ metadata: { name } }: Node): number {
  return Number(name.slice(name.lastIndexOf('-') + 1))
}

/** The node as it is made; tainted until its kubelet says that it is ready, as Kubernetes' admission does. */
export function nodeOf(pool: NodePool, ordinal: number): Node {
  const { template = {}, zones = [], runtime = 'simulated' } = pool.spec
  const name = nameOf(pool, ordinal)
  const zone = zones.length > 0 ? zones[ordinal % zones.length] : undefined
  const taints = template.taints ?? []
  const labels = {
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    // Kubelets still set them, and old charts select by them.
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': 'amd64',
    ...template.labels,
    'kubernetes.io/hostname': name,
    [NODE_POOL_LABEL]: pool.metadata.name,
    [RUNTIME_LABEL]: runtime,
    ...(zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }),
  }
  const capacity = { ...DEFAULT_CAPACITY, ...template.capacity }
  const applied = JSON.stringify({
    labels: Object.keys(labels).sort(),
    annotations: Object.keys(template.annotations ?? {}).sort(),
    taints: taints.map(taintId).sort(),
  })
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels,
      annotations: { ...template.annotations, [APPLIED]: applied },
      ownerReferences: [controllerReference(pool)],
    },
    spec: { taints: [...taints, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] },
    status: { capacity, allocatable: allocatableOf(capacity, pool.spec.kubelet ?? {}) },
  }
}

function taintId({ key, effect }: V1Taint): string {
  return `${key}:${effect}`
}

interface Applied {
  readonly labels: readonly string[]
  readonly annotations: readonly string[]
  readonly taints: readonly string[]
}

function appliedOf({ metadata }: Node): Applied {
  let noted: unknown
  try {
    noted = JSON.parse(metadata.annotations?.[APPLIED] ?? '{}')
  } catch {
    // Edited by hand: then nothing is known to be ours, and nothing is taken off.
  }
  const names = (key: string): string[] => {
    const list = isObject(noted) ? noted[key] : undefined
    return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : []
  }
  return { labels: names('labels'), annotations: names('annotations'), taints: names('taints') }
}

/** Lays the pool's labels, annotations and taints over the node's; what others put there stays. */
function withTemplate(node: Node, wanted: Node, now: number): Node {
  const before = appliedOf(node)
  const ours = new Set(appliedOf(wanted).taints)
  const labels = overlaid(node.metadata.labels, before.labels, wanted.metadata.labels)
  const annotations = overlaid(node.metadata.annotations, before.annotations, wanted.metadata.annotations)
  const present = node.spec.taints ?? []
  const kept = present.filter((taint) => !before.taints.includes(taintId(taint)) && !ours.has(taintId(taint)))
  const laid = (wanted.spec.taints ?? [])
    .filter((taint) => ours.has(taintId(taint)))
    .map((taint) => {
      const same = present.find((each) => taintId(each) === taintId(taint) && each.value === taint.value)
      return same ?? { ...taint, ...(taint.effect === 'NoExecute' ? { timeAdded: formatTime(now) } : {}) }
    })
  const isSame =
    deepEqual(labels, node.metadata.labels) &&
    deepEqual(annotations, node.metadata.annotations) &&
    deepEqual(byId([...laid, ...kept]), byId(present))
  if (isSame) return node
  return {
    ...node,
    metadata: { ...node.metadata, labels, annotations },
    spec: { ...node.spec, taints: [...laid, ...kept] },
  }
}

function byId(taints: readonly V1Taint[]): V1Taint[] {
  return taints.toSorted((a, b) => (taintId(a) < taintId(b) ? -1 : 1))
}

function overlaid(
  present: Readonly<Record<string, string>> | undefined,
  before: readonly string[],
  wanted: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const others = Object.entries(present ?? {}).filter(([key]) => !before.includes(key))
  return { ...Object.fromEntries(others), ...wanted }
}

/** Capacity without what the settings of the kubelet keep from pods, and never below nothing. */
function allocatableOf(
  capacity: ResourceList,
  { systemReserved = {}, kubeReserved = {} }: KubeletConfiguration,
): ResourceList {
  const without = (amount: string, reserved: string | undefined) => {
    const rest = reserved === undefined ? amount : subtractQuantities(amount, reserved)
    return compareQuantities(rest, '0') < 0 ? '0' : rest
  }
  return Object.fromEntries(
    Object.entries(capacity).map(([name, amount]) => [
      name,
      without(without(amount, systemReserved[name]), kubeReserved[name]),
    ]),
  )
}

/** Amounts are compared, not texts: "1000m" and "1" are the same. */
export function withCapacity(node: Node, wanted: Node): Node {
  const { capacity, allocatable } = wanted.status ?? {}
  const isSame = areSame(node.status?.capacity, capacity) && areSame(node.status?.allocatable, allocatable)
  return isSame ? node : { ...node, status: { ...node.status, capacity, allocatable } }
}

function areSame(present: ResourceList = {}, wanted: ResourceList = {}): boolean {
  return (
    Object.keys(present).length === Object.keys(wanted).length &&
    Object.entries(wanted).every(
      ([name, amount]) => present[name] !== undefined && compareQuantities(present[name], amount) === 0,
    )
  )
}
