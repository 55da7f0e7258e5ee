import type { Node } from '../api/kinds/node.ts'
import { type Amounts, addAmounts, amountsOf, subtractAmounts } from './amounts.ts'
import type { HostPort, PodInfo } from './pod-info.ts'

/**
 * A node and what stands on it, kept as sums so that a filter costs the same however many pods there are. Pods come
 * and go by `add` and `remove`; the node object is replaced by `setNode`. `clone` is what preemption tries out on.
 */
export class NodeInfo {
  readonly name: string
  node: Node
  allocatable: Amounts
  /** What may run here: allocatable pods. */
  podsMax: number
  readonly requested: Amounts
  /** Sums with 100m and 200Mi for containers that ask for nothing; scores use them. */
  nonZeroMilliCpu = 0
  nonZeroMemory = 0
  readonly pods = new Map<string, PodInfo>()
  /** "TCP/0.0.0.0/80" -> how many pods use it. */
  readonly #ports = new Map<string, number>()

  constructor(node: Node) {
    this.name = node.metadata.name
    this.node = node
    this.allocatable = amountsOf(node.status?.allocatable)
    this.podsMax = this.allocatable.scalars.get('pods') ?? 0
    this.requested = { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: new Map() }
  }

  setNode(node: Node): void {
    this.node = node
    this.allocatable = amountsOf(node.status?.allocatable)
    this.podsMax = this.allocatable.scalars.get('pods') ?? 0
  }

  add(pod: PodInfo): void {
    this.remove(pod.uid)
    this.pods.set(pod.uid, pod)
    addAmounts(this.requested, pod.requests)
    this.nonZeroMilliCpu += pod.nonZeroMilliCpu
    this.nonZeroMemory += pod.nonZeroMemory
    for (const port of pod.hostPorts)
      this.#ports.set(portKey(port), (this.#ports.get(portKey(port)) ?? 0) + 1)
  }

  remove(uid: string): void {
    const pod = this.pods.get(uid)
    if (!pod) return
    this.pods.delete(uid)
    subtractAmounts(this.requested, pod.requests)
    this.nonZeroMilliCpu -= pod.nonZeroMilliCpu
    this.nonZeroMemory -= pod.nonZeroMemory
    for (const port of pod.hostPorts) {
      const left = (this.#ports.get(portKey(port)) ?? 0) - 1
      if (left > 0) this.#ports.set(portKey(port), left)
      else this.#ports.delete(portKey(port))
    }
  }

  /** A port on 0.0.0.0 conflicts with the same port on every address, and the other way round. */
  portInUse(wanted: HostPort): boolean {
    if (this.#ports.size === 0) return false
    if (wanted.ip !== ANY_ADDRESS)
      return this.#ports.has(portKey(wanted)) || this.#ports.has(portKey({ ...wanted, ip: ANY_ADDRESS }))
    const start = `${wanted.protocol}/`
    const end = `/${wanted.port}`
    for (const used of this.#ports.keys()) if (used.startsWith(start) && used.endsWith(end)) return true
    return false
  }

  clone(): NodeInfo {
    const copy = new NodeInfo(this.node)
    for (const pod of this.pods.values()) copy.add(pod)
    return copy
  }
}

const ANY_ADDRESS = '0.0.0.0'

function portKey({ protocol, ip, port }: HostPort): string {
  return `${protocol}/${ip}/${port}`
}
