import { type Node, node as nodeKind } from '../../api/kinds/node.ts'
import { pod as podKind } from '../../api/kinds/pod.ts'
import { isPodTerminal, type Pod } from '../../api/pods.ts'
import { keyOf } from '../../api/resource.ts'
import type { ResourceList } from '../../api/resource-requests.ts'
import { isCriticalPod, nodeUidOf } from '../../api/static-pods.ts'
import type { Client } from '../../client/client.ts'
import type { Informers } from '../../client/informers.ts'
import type { PodAddresses } from '../pod-addresses.ts'
import type { WrittenFiles } from '../written-files.ts'
import { admit, type Rejection, refusedUnderPressure, shortagesOf, unfit } from './admit.ts'
import type { PodDisk } from './pod-disk.ts'
import { PodWorker } from './pod-worker.ts'
import type { PodWorkerOptions } from './pod-worker-options.ts'
import { PREEMPTED, preemptionFailed, victimsFor } from './preempt.ts'
import { endedContainers, type Failure, type ResizeWait, restoreRecord } from './record.ts'
import { resizeWait } from './resize.ts'
import type { Sources } from './sources.ts'
import { StaticPods } from './static-pods.ts'
import { ContainerSurroundings } from './volume-files.ts'
import { apiReports, type PodReports } from './write-pod.ts'

export interface KubeletOptions
  extends Omit<
    PodWorkerOptions,
    'sources' | 'files' | 'takeAddress' | 'resizeWait' | 'reports' | 'allocatable'
  > {
  readonly client: Client
  readonly informers: Informers
  readonly addresses: PodAddresses
  readonly sources: Sources
  readonly files: WrittenFiles
  /** MemoryPressure and DiskPressure, as far as the node is under them. */
  pressures(): readonly string[]
  /** It takes no pod any more. */
  isShuttingDown(): boolean
  /** The node was gone: what its pods' status says to run does not. */
  readonly hasLostAll?: boolean | undefined
}

/** What an eviction leaves a pod (eviction_manager.go). */
const EVICTION_GRACE_MS = 1000

const SHUTTING_DOWN = { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' }

/**
 * One node's kubelet: takes or refuses the pods bound to it, gives them addresses and a PodWorker each. `sync` is never
 * called for one pod twice at a time. Whatever it remembers can be restored from the pods' status: a control plane
 * that starts again restarts no container and writes nothing.
 */
export class Kubelet {
  readonly #options: KubeletOptions
  readonly #workers = new Map<string, PodWorker>()
  /** Containers of pods that were over before this process began, by the uid of their pod. */
  readonly #logs = new Map<string, readonly string[]>()
  readonly #reports: PodReports
  readonly staticPods: StaticPods
  #stopped = false

  constructor(options: KubeletOptions) {
    this.#options = options
    this.#reports = apiReports(options.client)
    this.staticPods = new StaticPods({
      ...options,
      take: (key, pod, reports) => this.#take(key, pod, pod.metadata.uid ?? '', reports),
      forget: (uid) => {
        this.forget(uid)
        options.files.forget(uid)
      },
    })
    // Before any new pod is given one of them.
    for (const pod of this.#podsHere())
      if (pod.status?.podIP && !pod.spec.hostNetwork) options.addresses.keep(nodeUidOf(pod), pod.status.podIP)
  }

  /** Nothing more is written; what runs in the runtime is left to itself. */
  stop(): void {
    this.#stopped = true
    for (const worker of this.#workers.values()) worker.stop()
  }

  /** The pod is gone from the API: whatever still runs of it is ended. */
  forget(uid: string): void {
    this.#workers.get(uid)?.end()
    this.#workers.delete(uid)
    for (const id of this.#logs.get(uid) ?? []) this.#options.runtime.remove(id)
    this.#logs.delete(uid)
    this.#options.addresses.release(uid)
    this.#options.sources.forget(uid)
  }

  /** Ends a pod for the sake of the others on the node. */
  evict(pod: Pod, message: string): void {
    if (!this.#workers.get(pod.metadata.uid ?? '')?.isTaken) return
    this.#options.events.event(pod, 'Warning', 'Evicted', message)
    this.giveUp(pod, { reason: 'Evicted', message, disruption: message, graceMs: EVICTION_GRACE_MS })
  }

  /** Ends a pod that will not run again. */
  giveUp(pod: Pod, failure: Failure): void {
    this.#workers.get(pod.metadata.uid ?? '')?.giveUp(failure)
    this.#options.lookAgain(keyOf(pod), 0)
  }

  /** Those it has taken that have not come to their end, its static pods among them, as the node knows them. */
  activePods(): readonly Pod[] {
    return [...this.#workers.values()].filter(({ isActive }) => isActive).map(({ pod }) => pod)
  }

  /** What the pods that it has taken have on its disk. */
  disk(): readonly PodDisk[] {
    return [...this.#workers.values()].filter(({ isActive }) => isActive).map((worker) => worker.disk())
  }

  /** Somebody has written into a volume of a pod. */
  get hasWritten(): boolean {
    return [...this.#workers.keys()].some((uid) => this.#options.files.of(uid).areUsed)
  }

  /** Nothing runs of a pod. */
  isDown(uid: string): boolean {
    return this.#workers.get(uid)?.isDown ?? true
  }

  /** The containers that run of a pod, by name. */
  containersOf(uid: string): readonly { readonly name: string; readonly id: string }[] {
    const found = this.#workers.get(uid)?.found() ?? []
    return found.map(({ container, handle }) => ({ name: container.name, id: handle.id }))
  }

  /** The node is gone, and all its pods with it. */
  forgetAll(): void {
    for (const uid of [...this.#workers.keys(), ...this.#logs.keys()]) this.forget(uid)
  }

  /** Brings a static pod one step on, by its key and the mirror that is seen of it. */
  async syncStatic(key: string, mirror: Pod | undefined): Promise<void> {
    if (!this.#stopped) await this.staticPods.sync(key, mirror)
  }

  /** Brings the pod one step on. Throws what the API throws; the caller tries again. */
  async sync(key: string, pod: Pod): Promise<void> {
    if (this.#stopped) return
    const uid = pod.metadata.uid ?? ''
    const isOver = isPodTerminal(pod)
    const known = this.#workers.get(uid)
    // A pod that was over before this process began needs nothing, until somebody deletes it.
    if (!known && isOver && pod.metadata.deletionTimestamp === undefined) {
      this.#keepLogs(pod, uid)
      return
    }
    const worker = known ?? this.#take(key, pod, uid, this.#reports)
    await worker.sync(pod)
    // Its sandbox is gone, and the address with it; the status goes on naming it.
    if (isOver) this.#options.addresses.release(uid)
  }

  /** Nothing runs of it, but somebody may read what it wrote. */
  #keepLogs(pod: Pod, uid: string): void {
    const { env, runtime, node, hostIP, sources, files } = this.#options
    if (this.#logs.has(uid)) return
    const place = { node, hostIP, podIP: pod.status?.podIP ?? '', allocatable: this.#allocatable() }
    const ended = endedContainers(pod, restoreRecord(pod, env.clock.now()))
    for (const { container, handle } of ended) {
      const around = new ContainerSurroundings({ pod }, container, place, sources.of(pod), files.of(uid))
      runtime.adopt(node, pod, container, handle, around)
    }
    this.#logs.set(
      uid,
      ended.map(({ handle }) => handle.id),
    )
  }

  #take(key: string, pod: Pod, uid: string, reports: PodReports): PodWorker {
    const { env, runtime, addresses, hostIP, node, sources, files, hasLostAll } = this.#options
    if (hasLostAll) files.of(uid).powerOff(pod)
    const restored = restoreRecord(pod, env.clock.now())
    const failure = restored.failure ?? (pod.status?.startTime === undefined ? this.#refusal(pod) : undefined)
    const isUp = !isPodTerminal(pod) && !failure
    const podIP = restored.podIP ?? (isUp ? (pod.spec.hostNetwork ? hostIP : addresses.take(uid)) : undefined)
    if (podIP && isUp && !pod.spec.hostNetwork) addresses.keep(uid, podIP)
    const worker = new PodWorker(
      {
        ...this.#options,
        reports,
        sources: sources.of(pod),
        files: files.of(uid),
        resizeWait: (now) => this.#resizeWait(now),
        allocatable: () => this.#allocatable(),
        takeAddress: () => addresses.take(uid),
      },
      key,
      pod,
      { ...restored, podIP, failure },
    )
    for (const { container, handle } of worker.found()) {
      runtime.adopt(node, pod, container, handle, worker.surroundings(container))
      // 255 and Unknown: how a kubelet reports what it finds dead after its node has been away.
      if (hasLostAll) runtime.crash(handle.id, 255, 'Unknown')
    }
    if (!hasLostAll)
      for (const { container, handle } of worker.ended())
        runtime.adopt(node, pod, container, handle, worker.surroundings(container))
    this.#workers.set(uid, worker)
    return worker
  }

  #allocatable(): ResourceList {
    const { informers, node } = this.#options
    return informers.of(nodeKind).get(node)?.status?.allocatable ?? {}
  }

  #resizeWait(pod: Pod): ResizeWait | undefined {
    const node = this.#options.informers.of(nodeKind).get(this.#options.node)
    return node && resizeWait(pod, node, this.#others(pod))
  }

  #podsHere(): readonly Pod[] {
    const { informers, node } = this.#options
    return informers
      .of(podKind)
      .byIndex('node', node)
      .filter((pod) => !isPodTerminal(pod))
  }

  /** All that it has taken but for this one, which may be shown by a mirror. */
  #others(pod: Pod): readonly Pod[] {
    const key = keyOf(pod)
    return this.#podsHere().filter((other) => keyOf(other) !== key && this.#hasTaken(other))
  }

  /** By this process, or by one before it whose pods have no worker yet. */
  #hasTaken(pod: Pod): boolean {
    const worker = this.#workers.get(nodeUidOf(pod))
    return worker ? worker.isTaken : pod.status?.startTime !== undefined
  }

  /** For a critical pod that only lacks resources others are ended. */
  #doesNotFit(pod: Pod, node: Node): Rejection | undefined {
    const others = this.#others(pod)
    const rejection = admit(pod, node, others)
    if (!rejection || !isCriticalPod(pod)) return rejection
    const otherwise = unfit(pod, node, others)
    if (otherwise) return otherwise
    const victims = victimsFor(pod, others, shortagesOf(pod, node, others))
    if (typeof victims === 'string') return preemptionFailed(victims)
    for (const victim of victims) {
      this.#options.events.event(victim, 'Warning', PREEMPTED.reason, PREEMPTED.message)
      this.giveUp(victim, PREEMPTED)
    }
    return undefined
  }

  #refusal(pod: Pod): Failure | undefined {
    const { informers, events, node: name, isShuttingDown, pressures } = this.#options
    const node = informers.of(nodeKind).get(name)
    if (!node || pod.metadata.deletionTimestamp !== undefined) return undefined
    const rejection = isShuttingDown()
      ? SHUTTING_DOWN
      : (refusedUnderPressure(pod, pressures()) ?? this.#doesNotFit(pod, node))
    if (!rejection) return undefined
    events.event(pod, 'Warning', rejection.reason, rejection.message)
    return { reason: rejection.reason, message: `Pod was rejected: ${rejection.message}`, isRejected: true }
  }
}
