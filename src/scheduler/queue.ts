import type { Cancel, Clock } from '../base/clock.ts'
import { Wake } from '../base/wake.ts'
import type { AnyPlugin, ClusterEvent } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'

export interface QueuedPod {
  info: PodInfo
  /** When it came (or last became tried anew); of two of the same priority the earlier goes first. Epoch ms. */
  readonly addedAt: number
  attempts: number
  /** Which plugins said no last time: only events that one of them cares about bring the pod back. */
  rejectedBy: ReadonlySet<string>
}

const BACKOFF_MIN_MS = 1000
const BACKOFF_MAX_MS = 10_000
/** Whatever no event brought back is tried again after this long, looked for every FLUSH_MS. */
const STAY_MAX_MS = 5 * 60_000
const FLUSH_MS = 30_000

/**
 * Pods that wait for a node (kube-scheduler's scheduling queue). Each waiting pod is in exactly one of: active (a heap
 * by priority, then time), backing off (1 s doubling to 10 s by attempts), unschedulable (until an event a rejecting
 * plugin cares about, or 5 minutes), gated (until it changes), or in flight (taken by `pop` and not yet given back).
 * An event that comes while a pod is in flight counts when the pod is given back.
 */
export class SchedulingQueue {
  readonly #clock: Clock
  readonly #plugins: ReadonlyMap<string, AnyPlugin>
  readonly #preEnqueue: readonly AnyPlugin[]
  readonly #active: QueuedPod[] = []
  readonly #known = new Map<
    string,
    {
      readonly pod: QueuedPod
      place: 'active' | 'backoff' | 'unschedulable' | 'gated' | 'inFlight'
      since: number
      timer?: Cancel
    }
  >()
  readonly #missed = new Map<string, ClusterEvent[]>()
  readonly #wake = new Wake()
  readonly #flush: Cancel
  #closed = false

  constructor(clock: Clock, plugins: readonly AnyPlugin[]) {
    this.#clock = clock
    this.#plugins = new Map(plugins.map((plugin) => [plugin.name, plugin]))
    this.#preEnqueue = plugins.filter((plugin) => plugin.preEnqueue)
    const tick = (): Cancel =>
      clock.after(FLUSH_MS, () => {
        this.#flushOld()
        cancel = tick()
      })
    let cancel = tick()
    this.#flush = () => cancel()
  }

  get sizes(): { active: number; backoff: number; unschedulable: number; gated: number } {
    const sizes = { active: 0, backoff: 0, unschedulable: 0, gated: 0, inFlight: 0 }
    for (const { place } of this.#known.values()) sizes[place] += 1
    return sizes
  }

  has(uid: string): boolean {
    return this.#known.has(uid)
  }

  /** A pod without a node, new or changed. Returns why it is gated, if it is. */
  put(info: PodInfo): string | undefined {
    const known = this.#known.get(info.uid)
    if (!known) {
      const pod: QueuedPod = { info, addedAt: this.#clock.now(), attempts: 0, rejectedBy: new Set() }
      return this.#admit(pod)
    }
    const event: ClusterEvent = { type: 'pod-updated', pod: info.pod, previous: known.pod.info.pod }
    known.pod.info = info
    if (known.place === 'gated') return this.#admit(known.pod)
    if (known.place === 'inFlight') this.#missed.get(info.uid)?.push(event)
    else if (known.place === 'unschedulable' && this.#isWokenBy(known.pod, event)) this.#wakeUp(known.pod)
    return undefined
  }

  remove(uid: string): void {
    const known = this.#known.get(uid)
    if (!known) return
    known.timer?.()
    this.#known.delete(uid)
    this.#missed.delete(uid)
    if (known.place !== 'active') return
    this.#active.splice(this.#active.indexOf(known.pod), 1)
    heapify(this.#active)
  }

  /** The next pod; waits for one. Undefined when closed. */
  async pop(): Promise<QueuedPod | undefined> {
    for (;;) {
      if (this.#closed) return undefined
      const pod = this.tryPop()
      if (pod) return pod
      await this.#wake.wait()
    }
  }

  tryPop(): QueuedPod | undefined {
    const pod = popHeap(this.#active)
    if (!pod) return undefined
    pod.attempts += 1
    this.#place(pod, 'inFlight')
    this.#missed.set(pod.info.uid, [])
    return pod
  }

  /** The pod has its node. */
  done(uid: string): void {
    this.remove(uid)
  }

  /** The pod found no node. It waits for an event that one of `rejectedBy` cares about (one may have come meanwhile). */
  giveBack(pod: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    const { uid } = pod.info
    if (this.#known.get(uid)?.pod !== pod) return
    pod.rejectedBy = rejectedBy
    const missed = this.#missed.get(uid) ?? []
    this.#missed.delete(uid)
    if (missed.some((event) => this.#isWokenBy(pod, event))) this.#backOff(pod)
    else this.#place(pod, 'unschedulable')
  }

  /** An error that has nothing to do with fitting: tried again after its backoff. */
  retry(pod: QueuedPod): void {
    if (this.#known.get(pod.info.uid)?.pod !== pod) return
    this.#missed.delete(pod.info.uid)
    this.#backOff(pod)
  }

  /** Something happened: brings back the pods that it may help, and only those. */
  notify(event: ClusterEvent): void {
    for (const { pod, place } of [...this.#known.values()]) {
      if (place === 'unschedulable' && this.#isWokenBy(pod, event)) this.#wakeUp(pod)
    }
    for (const events of this.#missed.values()) events.push(event)
  }

  close(): void {
    this.#closed = true
    this.#flush()
    for (const { timer } of this.#known.values()) timer?.()
    this.#known.clear()
    this.#wake.wake()
  }

  #admit(pod: QueuedPod): string | undefined {
    for (const plugin of this.#preEnqueue) {
      const reason = plugin.preEnqueue?.(pod.info)
      if (reason !== undefined) {
        this.#place(pod, 'gated')
        return reason
      }
    }
    this.#activate(pod)
    return undefined
  }

  #isWokenBy(pod: QueuedPod, event: ClusterEvent): boolean {
    if (pod.rejectedBy.size === 0) return true
    for (const name of pod.rejectedBy) {
      const plugin = this.#plugins.get(name)
      if (!plugin?.wakes || plugin.wakes(pod.info, event)) return true
    }
    return false
  }

  /** Straight to active when its backoff is over already. */
  #wakeUp(pod: QueuedPod): void {
    const waited = this.#clock.now() - (this.#known.get(pod.info.uid)?.since ?? 0)
    const left = backoffMs(pod.attempts) - waited
    if (left <= 0) this.#activate(pod)
    else this.#backOff(pod, left)
  }

  #backOff(pod: QueuedPod, ms = backoffMs(pod.attempts)): void {
    const timer = this.#clock.after(ms, () => this.#activate(pod))
    this.#place(pod, 'backoff', timer)
  }

  #activate(pod: QueuedPod): void {
    this.#place(pod, 'active')
    pushHeap(this.#active, pod)
    this.#wake.wake()
  }

  #place(
    pod: QueuedPod,
    place: 'active' | 'backoff' | 'unschedulable' | 'gated' | 'inFlight',
    timer?: Cancel,
  ): void {
    this.#known.get(pod.info.uid)?.timer?.()
    this.#known.set(pod.info.uid, { pod, place, since: this.#clock.now(), ...(timer ? { timer } : {}) })
  }

  #flushOld(): void {
    for (const { pod, place, since } of [...this.#known.values()]) {
      if (place === 'unschedulable' && this.#clock.now() - since > STAY_MAX_MS) this.#activate(pod)
    }
  }
}

/** 1 s, 2 s, 4 s, 8 s, 10 s … by the number of attempts so far. */
export function backoffMs(attempts: number): number {
  return attempts === 0 ? 0 : Math.min(BACKOFF_MIN_MS * 2 ** (attempts - 1), BACKOFF_MAX_MS)
}

/** Higher priority first, then who came first, then by key so that runs repeat. PrioritySort. */
function before(a: QueuedPod, b: QueuedPod): number {
  return b.info.priority - a.info.priority || a.addedAt - b.addedAt || (a.info.key < b.info.key ? -1 : 1)
}

function pushHeap(heap: QueuedPod[], pod: QueuedPod): void {
  heap.push(pod)
  let at = heap.length - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (before(heap[parent]!, pod) <= 0) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = pod
}

function popHeap(heap: QueuedPod[]): QueuedPod | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (!first || !last || heap.length === 0) return first
  heap[0] = last
  siftDown(heap, 0)
  return first
}

function siftDown(heap: QueuedPod[], from: number): void {
  const pod = heap[from]!
  let at = from
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!) < 0) child += 1
    if (before(pod, heap[child]!) <= 0) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = pod
}

function heapify(heap: QueuedPod[]): void {
  for (let i = (heap.length >> 1) - 1; i >= 0; i -= 1) siftDown(heap, i)
}
