import type { Node } from '../api/kinds/node.ts'
import { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

/**
 * All nodes and the pods on them, kept incrementally. A pod that was decided but whose binding is not seen yet is
 * assumed: it stands on its node until it is confirmed by `setPod` or taken back by `forget`. A pod on a node that is
 * not known (yet) is kept aside and joins when the node comes.
 */
export class Snapshot {
  readonly #nodes = new Map<string, NodeInfo>()
  #order: NodeInfo[] = []
  readonly #placed = new Map<string, { readonly pod: PodInfo; readonly node: string }>()
  readonly #assumed = new Set<string>()
  /** uid -> pod that waits for its victims to leave `node`. */
  readonly #nominated = new Map<string, { readonly pod: PodInfo; readonly node: string }>()
  /** Where the next search for feasible nodes begins, so that all nodes get their turn. */
  nextStart = 0

  get size(): number {
    return this.#order.length
  }

  /** In a fixed order: as they came. */
  get nodes(): readonly NodeInfo[] {
    return this.#order
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  setNode(node: Node): void {
    const known = this.#nodes.get(node.metadata.name)
    if (known) {
      known.setNode(node)
      return
    }
    const info = new NodeInfo(node)
    this.#nodes.set(info.name, info)
    this.#order.push(info)
    for (const placed of this.#placed.values()) if (placed.node === info.name) info.add(placed.pod)
  }

  removeNode(name: string): void {
    if (this.#nodes.delete(name)) this.#order = this.#order.filter((info) => info.name !== name)
  }

  /** A pod that is bound, as observed. Replaces what was assumed of it. */
  setPod(pod: PodInfo, node: string): void {
    this.#assumed.delete(pod.uid)
    this.#nominated.delete(pod.uid)
    this.#place(pod, node)
  }

  removePod(uid: string): void {
    this.#assumed.delete(uid)
    this.#nominated.delete(uid)
    const placed = this.#placed.get(uid)
    if (!placed) return
    this.#placed.delete(uid)
    this.#nodes.get(placed.node)?.remove(uid)
  }

  assume(pod: PodInfo, node: string): void {
    this.#assumed.add(pod.uid)
    this.#nominated.delete(pod.uid)
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
    this.#nominated.set(pod.uid, { pod, node })
  }

  unnominate(uid: string): void {
    this.#nominated.delete(uid)
  }

  nominationOf(uid: string): string | undefined {
    return this.#nominated.get(uid)?.node
  }

  /** Pods that wait for room on the node they preempted on, other than `uid`, of at least that priority. */
  nominatedOn(node: string, priorityMin: number, uid: string): readonly PodInfo[] {
    if (this.#nominated.size === 0) return NONE
    return [...this.#nominated.values()]
      .filter(
        (nominated) =>
          nominated.node === node && nominated.pod.uid !== uid && nominated.pod.priority >= priorityMin,
      )
      .map(({ pod }) => pod)
  }

  #place(pod: PodInfo, node: string): void {
    const before = this.#placed.get(pod.uid)
    if (before) this.#nodes.get(before.node)?.remove(pod.uid)
    this.#placed.set(pod.uid, { pod, node })
    this.#nodes.get(node)?.add(pod)
  }
}

const NONE: readonly PodInfo[] = []
