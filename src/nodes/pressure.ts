import { node as nodeKind } from '../api/kinds/node.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import type { KubeletConfiguration } from '../api/kubelet-configuration.ts'
import { isPodTerminal } from '../api/pods.ts'
import { parseQuantity } from '../api/quantity.ts'
import { nodeUidOf } from '../api/static-pods.ts'
import type { Env } from '../base/env.ts'
import type { EventRecorder } from '../client/events.ts'
import type { Informers } from '../client/informers.ts'
import type { NodeUsage } from '../client/node-connection.ts'
import { usageOf } from './connection.ts'
import { collectImages, type DiskResource, type DiskView, judgeDisk } from './kubelet/disk-pressure.ts'
import type { Kubelet } from './kubelet/kubelet.ts'
import { judgeMemory, overMemoryLimit } from './kubelet/memory-pressure.ts'
import { overDiskLimit } from './kubelet/pod-disk.ts'
import type { Runtime } from './runtimes/runtime.ts'

/** How long a node that was short counts as such (--eviction-pressure-transition-period). */
const TRANSITION_MS = 5 * 60_000
/** One pod is evicted for the node's sake in this time at most: what it had has to come back first. */
const EVICTION_MS = 9_000
const IMAGE_GC_MS = 5 * 60_000

interface PressureOptions {
  readonly env: Env
  readonly informers: Informers
  readonly runtime: Runtime
  readonly kubelet: Kubelet
  readonly events: EventRecorder
  readonly node: string
  settings(): KubeletConfiguration
  /** What something that is no pod's has taken all of. */
  filled(): DiskResource | undefined
}

/**
 * Keeps one node from running out of memory and disk: pods over their own limits are evicted, images that nothing uses
 * are removed, and when that is not enough one pod after the other goes. Conditions outlast the shortage, so that they do
 * not flap.
 */
export class NodePressure {
  readonly #options: PressureOptions
  #memoryUntil = Number.NEGATIVE_INFINITY
  #diskUntil = Number.NEGATIVE_INFINITY
  #evictedAt = Number.NEGATIVE_INFINITY
  #collectedAt: number

  constructor(options: PressureOptions) {
    this.#options = options
    this.#collectedAt = options.env.clock.now()
  }

  get isMemoryShort(): boolean {
    return this.#memoryUntil > this.#options.env.clock.now()
  }

  get isDiskFull(): boolean {
    return this.#diskUntil > this.#options.env.clock.now() || this.#options.filled() !== undefined
  }

  /** To be called every 10 s, and when something has changed that matters. */
  look(): void {
    const { runtime, kubelet } = this.#options
    const filled = this.#options.filled()
    if (runtime.mayRunShort() || kubelet.hasWritten) this.#lookAtMemory()
    const mayBeOver = runtime.mayFillDisk() || kubelet.hasWritten
    if (mayBeOver && this.#evictOverLimit()) return
    const images = runtime.images(this.#options.node)
    if (!mayBeOver && filled === undefined && images.length === 0) return
    this.#lookAtDisk({
      capacity: this.#capacityOf('ephemeral-storage'),
      images,
      pods: mayBeOver || filled !== undefined ? kubelet.disk() : [],
      filled,
      now: this.#options.env.clock.now(),
    })
  }

  #lookAtMemory(): void {
    const { env, informers, runtime, node: name } = this.#options
    const node = informers.of(nodeKind).get(name)
    if (!node) return
    const pods = informers
      .of(podKind)
      .byIndex('node', name)
      .filter((pod) => !isPodTerminal(pod))
    const used = usageOf(runtime, name)
    this.#endOverLimit(pods, used)
    const { isShort, victim } = judgeMemory(node, pods, used)
    if (isShort) this.#memoryUntil = env.clock.now() + TRANSITION_MS
    if (victim) this.#evict(victim.pod, victim.message)
  }

  #endOverLimit(pods: readonly Pod[], used: NodeUsage): void {
    const { runtime, kubelet } = this.#options
    const byUid = new Map(used.pods.map(({ uid, containers }) => [uid, containers]))
    for (const pod of pods) {
      const uid = nodeUidOf(pod)
      const over = overMemoryLimit(pod, byUid.get(uid) ?? [])
      if (over.length === 0) continue
      for (const { name, id } of kubelet.containersOf(uid))
        if (over.includes(name)) runtime.crash(id, 137, 'OOMKilled')
    }
  }

  #evictOverLimit(): boolean {
    const over = this.#options.kubelet.disk().flatMap((disk) => {
      const message = overDiskLimit(disk)
      return message === undefined ? [] : [{ pod: disk.pod, message }]
    })
    for (const { pod, message } of over) this.#options.kubelet.evict(pod, message)
    return over.length > 0
  }

  #lookAtDisk(view: DiskView): void {
    const { runtime, events, informers, node: name, settings } = this.#options
    const { isFull, remove, victim } = judgeDisk(view)
    if (isFull && view.filled === undefined) this.#diskUntil = view.now + TRANSITION_MS
    for (const image of remove) runtime.removeImage(name, image)
    if (victim) this.#evict(victim.pod, victim.message)
    if (view.now - this.#collectedAt < IMAGE_GC_MS) return
    this.#collectedAt = view.now
    const collected = collectImages({ ...view, images: runtime.images(name) }, settings())
    for (const image of collected.remove) runtime.removeImage(name, image)
    const node = informers.of(nodeKind).get(name)
    if (collected.failure !== undefined && node)
      events.event(node, 'Warning', 'ImageGCFailed', collected.failure)
  }

  #evict(pod: Pod, message: string): void {
    const now = this.#options.env.clock.now()
    if (now - this.#evictedAt < EVICTION_MS) return
    this.#evictedAt = now
    this.#options.kubelet.evict(pod, message)
  }

  #capacityOf(resource: string): number {
    const { informers, node } = this.#options
    return parseQuantity(informers.of(nodeKind).get(node)?.status?.capacity?.[resource] ?? '0')
  }
}
