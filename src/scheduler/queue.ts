import type { Pod } from '../api/kinds/pod.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import { deepEqual } from '../base/json.ts'
import { Wake } from '../base/wake.ts'
import { Heap } from './heap.ts'
import type { AnyPlugin, ClusterEvent } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'

export interface QueuedPod {
  info: PodInfo
  /** When it came (or last became tried anew); of two of the same priority the earlier goes first. Epoch ms. */
  readonly addedAt: number
  attempts: number
  /** Which plugins said no last time: only events that one of them cares about bring the pod back. */
  rejectedBy: readonly AnyPlugin[]
  place: 'active' | 'backoff' | 'unschedulable' | 'gated' | 'inFlight'
  /** When it came to its place. Epoch ms. */
  since: number
  /** When its backoff ends, while it is backing off. Epoch ms. */
  readyAt: number
  /** After an error, not a verdict: stays for its whole backoff. */
  hasFailed: boolean
}

export interface QueueOptions {
  readonly initialBackoffMs?: number | undefined
  readonly maxBackoffMs?: number | undefined
}

const BACKOFF_MIN_MS = 1000
const BACKOFF_MAX_MS = 10_000
/** Whatever no event brought back is tried again after this long, looked for every FLUSH_MS. */
const STAY_MAX_MS = 5 * 60_000
const FLUSH_MS = 30_000

/**
 * Pods that wait for a node (kube-scheduler's scheduling queue). Each waiting pod is in exactly one of: active (a heap
 * by priority, then time), backing off (1 s doubling to 10 s by attempts; taken before its time when nothing is active),
 * unschedulable (until an event that a rejecting plugin cares about, or 5 minutes), gated (until it changes), or in
 * flight (taken by `pop` and not yet given back). An event that comes while a pod is in flight counts when it is given
 * back.
 */
export class SchedulingQueue {
  readonly #clock: Clock
  readonly #snapshot: Snapshot
  readonly #pluginsOf: (pod: PodInfo) => readonly AnyPlugin[]
  readonly #backoff: { readonly min: number; readonly max: number }
  readonly #active = new Heap<QueuedPod>(before)
  readonly #backingOff = new Heap<QueuedPod>((a, b) => a.readyAt - b.readyAt || before(a, b))
  readonly #known = new Map<string, QueuedPod>()
  readonly #sizes = { active: 0, backoff: 0, unschedulable: 0, gated: 0, inFlight: 0 }
  /** By the plugins that rejected them: events that none of them cares about pass over all at once. */
  readonly #unschedulable = new Map<string, Bucket>()
  readonly #missed = new Map<string, ClusterEvent[]>()
  readonly #wake = new Wake()
  #flush: Cancel = () => {}
  #timer: { readonly at: number; readonly cancel: Cancel } | undefined
  #closed = false

  /** `pluginsOf`: those of the pod's profile with a preEnqueue. */
  constructor(
    clock: Clock,
    snapshot: Snapshot,
    pluginsOf: (pod: PodInfo) => readonly AnyPlugin[],
    options: QueueOptions = {},
  ) {
    this.#clock = clock
    this.#snapshot = snapshot
    this.#pluginsOf = pluginsOf
    this.#backoff = {
      min: options.initialBackoffMs ?? BACKOFF_MIN_MS,
      max: options.maxBackoffMs ?? BACKOFF_MAX_MS,
    }
    const tick = () => {
      this.#flush = clock.after(FLUSH_MS, () => {
        this.#flushOld()
        tick()
      })
    }
    tick()
  }

  /** How many pods are in each place. */
  get sizes(): Readonly<Record<QueuedPod['place'], number>> {
    return this.#sizes
  }

  /** A pod without a node, new or changed. Returns why it is gated, if it is. */
  put(info: PodInfo): string | undefined {
    const known = this.#known.get(info.uid)
    if (!known) {
      const now = this.#clock.now()
      const pod: QueuedPod = {
        info,
        addedAt: now,
        attempts: 0,
        rejectedBy: [],
        place: 'gated',
        since: now,
        readyAt: 0,
        hasFailed: false,
      }
      this.#known.set(info.uid, pod)
      this.#sizes.gated += 1
      return this.#admit(pod)
    }
    const event: ClusterEvent = { type: 'pod-updated', pod: info.pod, previous: known.info.pod }
    const says = saysSomethingNew(info.pod, known.info.pod)
    const isAhead = known.info.priority !== info.priority && known.place === 'active'
    if (isAhead) this.#active.remove(known)
    known.info = info
    if (isAhead) this.#active.push(known)
    if (known.place === 'gated') return this.#admit(known)
    if (!says) return undefined
    if (known.place === 'inFlight') this.#missed.get(info.uid)?.push(event)
    else if (known.place === 'unschedulable' && this.#isWokenBy(known, event)) this.#wakeUp(known)
    return undefined
  }

  remove(uid: string): void {
    const known = this.#known.get(uid)
    if (!known) return
    this.#leave(known)
    this.#sizes[known.place] -= 1
    this.#known.delete(uid)
    this.#missed.delete(uid)
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

  /** With nothing active, the pod whose backoff ends first; one that failed by an error waits all the same. */
  tryPop(): QueuedPod | undefined {
    const early = this.#active.size === 0 ? this.#backingOff.first : undefined
    const pod = this.#active.pop() ?? (early && !early.hasFailed ? this.#backingOff.pop() : undefined)
    if (!pod) return undefined
    pod.attempts += 1
    this.#place(pod, 'inFlight')
    this.#missed.set(pod.info.uid, [])
    return pod
  }

  /** It is still wanted: neither gone nor bound by somebody else. */
  knows(pod: QueuedPod): boolean {
    return this.#known.get(pod.info.uid) === pod
  }

  /** A node is chosen, and everybody has agreed: what happens from now on does not matter to the decision. */
  decided(pod: QueuedPod): void {
    this.#missed.delete(pod.info.uid)
  }

  /** The pod found no node. It waits for an event that one of `rejectedBy` cares about (one may have come meanwhile). */
  giveBack(pod: QueuedPod, rejectedBy: readonly AnyPlugin[]): void {
    const { uid } = pod.info
    if (this.#known.get(uid) !== pod) return
    pod.rejectedBy = rejectedBy
    pod.hasFailed = false
    const missed = this.#missed.get(uid) ?? []
    this.#missed.delete(uid)
    if (missed.some((event) => this.#isWokenBy(pod, event))) {
      this.#backOff(pod, this.#backoffOf(pod))
      return
    }
    this.#place(pod, 'unschedulable')
    const key = rejectedBy.map(({ name }) => name).join()
    const bucket = this.#unschedulable.get(key)
    if (bucket) bucket.pods.add(pod)
    else this.#unschedulable.set(key, { plugins: rejectedBy, pods: new Set([pod]) })
  }

  /** An error that has nothing to do with fitting: tried again after its backoff. */
  retry(pod: QueuedPod): void {
    if (this.#known.get(pod.info.uid) !== pod) return
    this.#missed.delete(pod.info.uid)
    pod.hasFailed = true
    this.#backOff(pod, this.#backoffOf(pod))
  }

  /** A pod whose preemption could not be carried out is tried again after its backoff, whatever happens. */
  again(uid: string): void {
    const pod = this.#known.get(uid)
    if (pod?.place === 'unschedulable') this.#wakeUp(pod)
  }

  /** Something happened: brings back the pods that it may help, and only those. */
  notify(event: ClusterEvent): void {
    for (const { plugins, pods } of this.#unschedulable.values()) {
      if (pods.size === 0 || !caresAbout(plugins, event.type)) continue
      for (const pod of [...pods]) if (this.#isWokenBy(pod, event)) this.#wakeUp(pod)
    }
    if (event.type === 'pod-removed') this.#wakeNominated(event.pod.spec.nodeName ?? '')
    for (const events of this.#missed.values()) events.push(event)
  }

  close(): void {
    this.#closed = true
    this.#flush()
    this.#timer?.cancel()
    this.#known.clear()
    this.#wake.wake()
  }

  #admit(pod: QueuedPod): string | undefined {
    for (const plugin of this.#pluginsOf(pod.info)) {
      const reason = plugin.preEnqueue?.(pod.info, this.#snapshot)
      if (reason === undefined) continue
      this.#place(pod, 'gated')
      return reason
    }
    this.#activate(pod)
    return undefined
  }

  /** Whatever rejected a pod that waits for a node: it is tried again when something leaves that node. */
  #wakeNominated(node: string): void {
    for (const { uid } of this.#snapshot.nominatedOn(node, Number.NEGATIVE_INFINITY, '')) {
      const pod = this.#known.get(uid)
      if (pod?.place === 'unschedulable') this.#wakeUp(pod)
    }
  }

  #isWokenBy(pod: QueuedPod, event: ClusterEvent): boolean {
    // A pod that gives up the node it was given finds nothing there that it did not have.
    if (event.type === 'pod-removed' && event.pod.metadata.uid === pod.info.uid) return false
    if (pod.rejectedBy.length === 0) return true
    if (event.type === 'pod-removed' && event.pod.spec.nodeName === this.#snapshot.nominationOf(pod.info.uid))
      return true
    return pod.rejectedBy.some(({ hints }) => {
      if (!hints) return true
      const hint = hints[event.type] as
        | ((pod: PodInfo, event: ClusterEvent, snapshot: Snapshot) => boolean)
        | undefined
      return hint?.(pod.info, event, this.#snapshot) ?? false
    })
  }

  /** Straight to active when its backoff is over already. */
  #wakeUp(pod: QueuedPod): void {
    const left = this.#backoffOf(pod) - (this.#clock.now() - pod.since)
    this.#leave(pod)
    if (left <= 0) this.#activate(pod)
    else this.#backOff(pod, left)
  }

  #backoffOf({ attempts }: QueuedPod): number {
    return backoffMs(attempts, this.#backoff.min, this.#backoff.max)
  }

  /** Ends at a whole second, as upstream: pods of one second come back together, by priority. */
  #backOff(pod: QueuedPod, ms: number): void {
    pod.readyAt = Math.ceil((this.#clock.now() + ms) / 1000) * 1000
    this.#place(pod, 'backoff')
    this.#backingOff.push(pod)
    this.#setTimer()
    if (!pod.hasFailed) this.#wake.wake()
  }

  #activate(pod: QueuedPod): void {
    this.#place(pod, 'active')
    this.#active.push(pod)
    this.#wake.wake()
  }

  #place(pod: QueuedPod, place: QueuedPod['place']): void {
    this.#sizes[pod.place] -= 1
    this.#sizes[place] += 1
    pod.place = place
    pod.since = this.#clock.now()
  }

  /** Takes the pod out of the heap or bucket it is in. */
  #leave(pod: QueuedPod): void {
    if (pod.place === 'active') this.#active.remove(pod)
    if (pod.place === 'backoff') this.#backingOff.remove(pod)
    if (pod.place === 'unschedulable')
      this.#unschedulable.get(pod.rejectedBy.map(({ name }) => name).join())?.pods.delete(pod)
  }

  #setTimer(): void {
    const at = this.#backingOff.first?.readyAt
    if (at === this.#timer?.at) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (at === undefined || this.#closed) return
    const cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#timer = undefined
      while ((this.#backingOff.first?.readyAt ?? Number.POSITIVE_INFINITY) <= this.#clock.now()) {
        const pod = this.#backingOff.pop()
        if (pod) this.#activate(pod)
      }
      this.#setTimer()
    })
    this.#timer = { at, cancel }
  }

  #flushOld(): void {
    for (const { pods } of this.#unschedulable.values())
      for (const pod of [...pods])
        if (this.#clock.now() - pod.since > STAY_MAX_MS) {
          this.#leave(pod)
          this.#activate(pod)
        }
  }
}

interface Bucket {
  readonly plugins: readonly AnyPlugin[]
  readonly pods: Set<QueuedPod>
}

function caresAbout(plugins: readonly AnyPlugin[], type: ClusterEvent['type']): boolean {
  return plugins.length === 0 || plugins.some(({ hints }) => !hints || hints[type] !== undefined)
}

/** Beyond what the scheduler itself writes into the status of a pod that waits. */
function saysSomethingNew(pod: Pod, previous: Pod): boolean {
  const said = ({ metadata, spec, status }: Pod) => [
    spec,
    status?.resourceClaimStatuses,
    metadata.labels,
    metadata.annotations,
    metadata.ownerReferences,
    metadata.finalizers,
    metadata.deletionTimestamp,
  ]
  const before = said(previous)
  return said(pod).some((part, i) => part !== before[i] && !deepEqual(part, before[i]))
}

/** 1 s, 2 s, 4 s, 8 s, 10 s … by the number of attempts so far. */
export function backoffMs(attempts: number, min = BACKOFF_MIN_MS, max = BACKOFF_MAX_MS): number {
  return attempts === 0 ? 0 : Math.min(min * 2 ** (attempts - 1), max)
}

/** Higher priority first, then who came first, then by key so that runs repeat. PrioritySort. */
function before(a: QueuedPod, b: QueuedPod): number {
  return b.info.priority - a.info.priority || a.addedAt - b.addedAt || (a.info.key < b.info.key ? -1 : 1)
}
