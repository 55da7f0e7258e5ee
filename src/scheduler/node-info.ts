import type { Node } from '../api/kinds/node.ts'
import { type Amounts, addAmounts, amountsOf, subtractAmounts } from './amounts.ts'
import type { HostPort, PodInfo } from './pod-info.ts'

/**
 * A node and what stands on it, kept as sums so that a filter costs the same however many pods there are. Pods come
 * and go by `add` and `remove`; the node object is replaced by `setNode`. Every change gives it a new `generation`:
 * what was worked out for an older one is worked out again.
 */
export class NodeInfo {
  readonly name: string
  /** Its place in arrays that are kept by node; taken over by another node after this one is gone. */
  readonly slot: number
  node: Node
  generation: number
  allocatable: Amounts
  /** What may run here: allocatable pods. */
  podsMax: number
  /** Image name to size in bytes. */
  images: ReadonlyMap<string, number> = NO_IMAGES
  readonly requested: Amounts
  /** Sums with 100m and 200Mi for containers that ask for nothing; scores use them. */
  nonZeroMilliCpu = 0
  nonZeroMemory = 0
  readonly pods = new Map<string, PodInfo>()
  /** "TCP/0.0.0.0/80" -> how many pods use it. */
  readonly #ports = new Map<string, number>()
  #lowest: number | undefined

  constructor(node: Node, slot = 0) {
    this.name = node.metadata.name
    this.slot = slot
    this.node = node
    this.generation = nextGeneration()
    this.allocatable = amountsOf(node.status?.allocatable)
    this.podsMax = this.allocatable.scalars.get('pods') ?? 0
    this.images = imagesOf(node)
    this.requested = { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: new Map() }
  }

  setNode(node: Node): void {
    this.node = node
    this.generation = nextGeneration()
    this.allocatable = amountsOf(node.status?.allocatable)
    this.podsMax = this.allocatable.scalars.get('pods') ?? 0
    this.images = imagesOf(node)
  }

  add(pod: PodInfo): void {
    this.remove(pod.uid)
    this.generation = nextGeneration()
    this.#lowest = undefined
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
    this.generation = nextGeneration()
    this.#lowest = undefined
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

  /** The lowest priority of the pods here; Infinity when there is none. */
  get lowestPriority(): number {
    if (this.#lowest === undefined) {
      this.#lowest = Number.POSITIVE_INFINITY
      for (const { priority } of this.pods.values()) this.#lowest = Math.min(this.#lowest, priority)
    }
    return this.#lowest
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
}

const ANY_ADDRESS = '0.0.0.0'
const NO_IMAGES: ReadonlyMap<string, number> = new Map()

let generations = 0
function nextGeneration(): number {
  generations += 1
  return generations
}

function imagesOf({ status }: Node): ReadonlyMap<string, number> {
  if (!status?.images?.length) return NO_IMAGES
  return new Map(
    status.images.flatMap(({ names, sizeBytes }) =>
      (names ?? []).map((name): [string, number] => [name, sizeBytes ?? 0]),
    ),
  )
}

function portKey({ protocol, ip, port }: HostPort): string {
  return `${protocol}/${ip}/${port}`
}
