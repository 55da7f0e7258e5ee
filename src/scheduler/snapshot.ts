import type { Node } from '../api/kinds/node.ts'
import { zoneOf } from '../api/placement.ts'
import { deepEqual } from '../base/json.ts'
import { type ClusterObjects, NO_OBJECTS } from './cluster-objects.ts'
import { NodeInfo } from './node-info.ts'
import { PodCounts } from './pod-counts.ts'
import type { PodInfo } from './pod-info.ts'

interface Placed {
  readonly pod: PodInfo
  readonly node: string
}

/**
 * All nodes and the pods on them, kept incrementally. A pod that was decided but whose binding is not seen yet is
 * assumed: it stands on its node until it is confirmed by `setPod` or taken back by `forget`. A pod on a node that is
 * not known (yet) is kept aside and joins when the node comes.
 */
export class Snapshot {
  /** The other objects of the cluster. */
  readonly objects: ClusterObjects
  readonly counts: PodCounts
  readonly #nodes = new Map<string, NodeInfo>()
  #order: NodeInfo[] | undefined = []
  readonly #freeSlots: number[] = []
  #slots = 0
  readonly #placed = new Map<string, Placed>()
  readonly #assumed = new Set<string>()
  /** node -> pods that wait for their victims to leave it. */
  readonly #nominated = new Map<string, Map<string, PodInfo>>()
  readonly #nominations = new Map<string, string>()
  /** Image name -> how many nodes have it. */
  readonly #images = new Map<string, number>()
  /** Where the next search for feasible nodes begins, so that all nodes get their turn. */
  nextStart = 0

  constructor(objects: ClusterObjects = NO_OBJECTS) {
    this.objects = objects
    this.counts = new PodCounts(() => this.#nodes.values())
  }

  get size(): number {
    return this.#nodes.size
  }

  /** One more than the highest slot there has been. */
  get slots(): number {
    return this.#slots
  }

  /** Zone by zone in turn, in each as they came: so that the first that fit are not all of one zone. */
  get nodes(): readonly NodeInfo[] {
    this.#order ??= interleave([...this.#nodes.values()])
    return this.#order
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  nodesWithImage(image: string): number {
    return this.#images.get(image) ?? 0
  }

  setNode(node: Node): void {
    const known = this.#nodes.get(node.metadata.name)
    if (known) {
      const { node: before } = known
      const moves =
        !deepEqual(before.metadata.labels, node.metadata.labels) ||
        !deepEqual(before.spec?.taints, node.spec?.taints)
      if (moves) this.#leave(known)
      this.#countImages(known, -1)
      known.setNode(node)
      this.#countImages(known, 1)
      if (moves) this.#join(known)
      if (zoneOf(before) !== zoneOf(node)) this.#order = undefined
      return
    }
    const info = new NodeInfo(node, this.#freeSlots.pop() ?? this.#slots)
    this.#slots = Math.max(this.#slots, info.slot + 1)
    this.#nodes.set(info.name, info)
    this.#order = undefined
    this.#countImages(info, 1)
    for (const placed of this.#placed.values()) if (placed.node === info.name) info.add(placed.pod)
    this.#join(info)
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name)
    if (!info) return
    this.#leave(info)
    this.#countImages(info, -1)
    this.#nodes.delete(name)
    this.#freeSlots.push(info.slot)
    this.#order = undefined
  }

  /** A pod that stands on a node, bound or assumed, as last seen. */
  placed(uid: string): Placed | undefined {
    return this.#placed.get(uid)
  }

  /** A pod that is bound, as observed. Replaces what was assumed of it. */
  setPod(pod: PodInfo, node: string): void {
    this.#assumed.delete(pod.uid)
    this.unnominate(pod.uid)
    this.#place(pod, node)
  }

  removePod(uid: string): void {
    this.#assumed.delete(uid)
    this.unnominate(uid)
    const placed = this.#placed.get(uid)
    if (!placed) return
    this.#placed.delete(uid)
    this.#unplace(placed)
  }

  assume(pod: PodInfo, node: string): void {
    this.#assumed.add(pod.uid)
    this.unnominate(pod.uid)
    this.#place(pod, node)
  }

  /** Takes an assumption back; a pod that has been observed as bound meanwhile stays. */
  forget(uid: string): void {
    if (this.#assumed.has(uid)) this.removePod(uid)
  }

  isAssumed(uid: string): boolean {
    return this.#assumed.has(uid)
  }

  nominate(pod: PodInfo, node: string): void {
    this.unnominate(pod.uid)
    this.#nominations.set(pod.uid, node)
    const pods = this.#nominated.get(node)
    if (pods) pods.set(pod.uid, pod)
    else this.#nominated.set(node, new Map([[pod.uid, pod]]))
    this.counts.expect(pod)
  }

  unnominate(uid: string): void {
    const node = this.#nominations.get(uid)
    if (node === undefined) return
    this.#nominations.delete(uid)
    const pods = this.#nominated.get(node)
    pods?.delete(uid)
    if (pods?.size === 0) this.#nominated.delete(node)
  }

  nominationOf(uid: string): string | undefined {
    return this.#nominations.get(uid)
  }

  /** Pods that wait for room on the node they preempted on, other than `uid`, of at least that priority. */
  nominatedOn(node: string, priorityMin: number, uid: string): readonly PodInfo[] {
    const pods = this.#nominated.size === 0 ? undefined : this.#nominated.get(node)
    if (!pods) return NONE
    return [...pods.values()].filter((pod) => pod.uid !== uid && pod.priority >= priorityMin)
  }

  /** Those of lower priority, whose nomination a pod that takes the node makes void. */
  lowerNominatedOn(node: string, priority: number): readonly PodInfo[] {
    return [...(this.#nominated.get(node)?.values() ?? [])].filter((pod) => pod.priority < priority)
  }

  /**
   * Calls `ask` with these pods gone from the node (those that stand there) or added to it (the others), and puts all
   * back. Every counter sees the difference while `ask` runs; nothing is left of it after.
   */
  trial<T>(node: NodeInfo, ask: (tryOut: Trial) => T): T {
    const { generation } = node
    const before = new Map(node.pods)
    const tryOut: Trial = {
      add: (pod) => {
        node.add(pod)
        this.counts.add(node.slot, pod)
      },
      remove: (pod) => {
        this.counts.remove(node.slot, pod)
        node.remove(pod.uid)
      },
    }
    try {
      return ask(tryOut)
    } finally {
      for (const pod of [...node.pods.values()]) if (!before.has(pod.uid)) tryOut.remove(pod)
      for (const pod of before.values()) if (!node.pods.has(pod.uid)) tryOut.add(pod)
      node.generation = generation
    }
  }

  #place(pod: PodInfo, node: string): void {
    const before = this.#placed.get(pod.uid)
    const info = this.#nodes.get(node)
    // The shape of a pod stays: what changed is no more than what selectors see of it.
    if (before && before.node === node && before.pod.shape === pod.shape && info) {
      if (before.pod.labelKey !== pod.labelKey) {
        this.counts.remove(info.slot, before.pod)
        this.counts.add(info.slot, pod)
      }
      if (before.pod.priority === pod.priority) info.pods.set(pod.uid, pod)
      else info.add(pod)
      this.#placed.set(pod.uid, { pod, node })
      return
    }
    if (before) this.#unplace(before)
    this.#placed.set(pod.uid, { pod, node })
    if (!info) return
    info.add(pod)
    this.counts.add(info.slot, pod)
  }

  #unplace({ pod, node }: Placed): void {
    const info = this.#nodes.get(node)
    if (!info) return
    this.counts.remove(info.slot, pod)
    info.remove(pod.uid)
  }

  #leave(info: NodeInfo): void {
    for (const pod of info.pods.values()) this.counts.remove(info.slot, pod)
    this.counts.leave(info.slot)
  }

  #join(info: NodeInfo): void {
    this.counts.join(info.slot, info.node)
    for (const pod of info.pods.values()) this.counts.add(info.slot, pod)
  }

  #countImages(info: NodeInfo, by: number): void {
    for (const image of info.images.keys()) {
      const nodes = (this.#images.get(image) ?? 0) + by
      if (nodes > 0) this.#images.set(image, nodes)
      else this.#images.delete(image)
    }
  }
}

/** Changes what stands on the node of a trial. */
export interface Trial {
  add(pod: PodInfo): void
  remove(pod: PodInfo): void
}

const NONE: readonly PodInfo[] = []

function interleave(nodes: readonly NodeInfo[]): NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>()
  for (const info of nodes) {
    const zone = zoneOf(info.node)
    const list = zones.get(zone)
    if (list) list.push(info)
    else zones.set(zone, [info])
  }
  if (zones.size <= 1) return [...nodes]
  const order: NodeInfo[] = []
  for (let i = 0; order.length < nodes.length; i += 1)
    for (const list of zones.values()) if (list[i]) order.push(list[i]!)
  return order
}
