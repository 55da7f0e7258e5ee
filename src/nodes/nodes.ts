import type { FaultAction } from '../api/kinds/fault.ts'
import { type Node, node as nodeKind } from '../api/kinds/node.ts'
import { RUNTIME_LABEL } from '../api/kinds/node-pool.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { keyOf } from '../api/resource.ts'
import { isMirrorPod, nodeUidOf } from '../api/static-pods.ts'
import { isReason } from '../api/status.ts'
import { type Cancel, every } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import { WorkQueue } from '../base/work-queue.ts'
import type { Client } from '../client/client.ts'
import { EventRecorder } from '../client/events.ts'
import type { Informers } from '../client/informers.ts'
import { NodeConnections } from '../client/node-connection.ts'
import { LocalNodeConnection } from './connection.ts'
import { type FaultyNodes, NodeFaultEffects } from './faults/effects.ts'
import { Faults } from './faults/faults.ts'
import { runtimeFaults } from './faults/runtime-faults.ts'
import { ActiveFaults } from './faults/targets.ts'
import { Heartbeat } from './heartbeat.ts'
import { Kubelet } from './kubelet/kubelet.ts'
import { Sources } from './kubelet/sources.ts'
import { hostIpOf, isNews, nodeStatusOf, podCidrOf } from './node-status.ts'
import { PodAddresses } from './pod-addresses.ts'
import { Pools } from './pools.ts'
import { NodePressure } from './pressure.ts'
import { ServiceProxy } from './proxy/proxy.ts'
import { runtimesOf } from './runtimes/index.ts'
import type { Runtime } from './runtimes/runtime.ts'
import { NodeShutdown } from './shutdown.ts'
import { WrittenFiles } from './written-files.ts'

const HEARTBEAT_MS = 10_000
/** While one of them lasts a node does not run. */
const OFF: readonly FaultAction[] = ['KillNode', 'ShutdownNode']
/** Pods worked on at once, over all nodes. */
const CONCURRENCY = 64

interface RunningNode {
  readonly kubelet: Kubelet
  /** Where its pods' addresses come from. */
  readonly podCidr: string
  readonly events: EventRecorder
  readonly runtime: Runtime
  readonly heartbeat: Heartbeat
  readonly pressure: NodePressure
  /** On its way down. */
  shutdown: NodeShutdown | undefined
}

/**
 * All nodes of this process: for each Node that names a runtime (label seamark.dev/runtime) a kubelet, its heartbeat and
 * its proxy rules. One queue and one watch of pods serve them all, so that an idle node costs nothing but its lease.
 */
class Nodes {
  readonly #env: Env
  readonly #client: Client
  readonly #informers: Informers
  readonly #connections: NodeConnections
  readonly #runtimes: ReadonlyMap<string, Runtime>
  readonly #nodes = new Map<string, RunningNode>()
  readonly #keys = new Map<string, string>()
  readonly #pools: Pools
  readonly #sources: Sources
  /** Key of each static pod, and its node. */
  readonly #statics = new Map<string, string>()
  readonly #files: WrittenFiles
  readonly #faults = new ActiveFaults()
  readonly #effects: NodeFaultEffects
  readonly #injector: Faults
  /** Nodes that were killed: what their pods' status says to run does not. */
  readonly #lost = new Set<string>()
  readonly #queue: WorkQueue
  readonly #heartbeats: WorkQueue
  readonly #proxy: ServiceProxy
  readonly #cancels: Cancel[] = []
  #starting: Promise<void> | undefined
  #stopped = false

  constructor(
    env: Env,
    client: Client,
    informers: Informers,
    connections: NodeConnections,
    folder: string | undefined,
  ) {
    this.#env = env
    this.#files = new WrittenFiles(env, folder)
    this.#connections = connections
    this.#client = client.as('kubelet')
    this.#informers = informers
    this.#pools = new Pools(informers)
    this.#sources = new Sources(env, this.#client, informers)
    const faults = runtimeFaults(this.#faults, informers)
    this.#runtimes = new Map(runtimesOf(env, informers, faults).map((runtime) => [runtime.name, runtime]))
    this.#effects = new NodeFaultEffects(env, this.#client, informers, this.#faultyNodes())
    this.#injector = new Faults(env, this.#client, informers, this.#faults, this.#effects)
    this.#proxy = new ServiceProxy(env, informers)
    const onError = (key: string, error: unknown) => {
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict'))
        env.log.warn({ err: error, key }, 'kubelet sync failed')
    }
    this.#queue = new WorkQueue(env.clock, {
      concurrency: CONCURRENCY,
      backoffMinMs: 20,
      backoffMaxMs: 10_000,
      work: (key) => this.#syncPod(key),
      onError,
    })
    this.#heartbeats = new WorkQueue(env.clock, {
      concurrency: 16,
      backoffMinMs: 200,
      backoffMaxMs: 7000,
      work: (name) => this.#heartbeat(name),
      onError,
    })
  }

  start(): void {
    this.#informers.of(nodeKind)
    this.#informers.of(podKind)
    this.#starting = (async () => {
      await this.#informers.synced()
      const uids = new Set(this.#informers.of(podKind).list().map(nodeUidOf))
      this.#files.load((uid) => uids.has(uid))
      if (this.#stopped) return
      for (const runtime of this.#runtimes.values()) {
        this.#cancels.push(runtime.onChange((uid) => this.#lookAt(this.#keys.get(uid))))
      }
      this.#cancels.push(
        this.#informers
          .of(nodeKind)
          .onChange(({ type, resource }) =>
            type === 'deleted' ? this.#removeNode(resource.metadata.name) : this.#addNode(resource),
          ),
      )
      this.#cancels.push(
        this.#informers
          .of(podKind)
          .onChange(({ type, resource }) => this.#onPod(resource, type === 'deleted')),
      )
      this.#cancels.push(this.#sources.start())
      this.#cancels.push(this.#pools.onManifests((node) => this.#readManifests(node)))
      this.#cancels.push(
        every(this.#env.clock, HEARTBEAT_MS, () => {
          for (const [name, running] of this.#nodes) {
            running.pressure.look()
            this.#heartbeats.add(name)
          }
        }),
      )
      this.#injector.start()
      this.#proxy.start()
    })()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#starting
    for (const cancel of this.#cancels) cancel()
    for (const { kubelet } of this.#nodes.values()) kubelet.stop()
    this.#proxy.stop()
    this.#effects.stop()
    await this.#injector.stop()
    await Promise.all([this.#queue.close(), this.#heartbeats.close()])
    await Promise.all([...this.#nodes.values()].map(({ events }) => events.flush()))
    await this.#files.stop()
  }

  #lookAt(key: string | undefined): void {
    if (key !== undefined) this.#queue.add(key)
  }

  #addNode(node: Node): void {
    const { name } = node.metadata
    if (this.#nodes.has(name)) {
      if (!this.#isMoved(node)) {
        if (isNews(this.#wantedStatus(node), node.status)) this.#heartbeats.add(name)
        return
      }
      this.#removeNode(name)
    }
    const runtime = this.#runtimes.get(node.metadata.labels?.[RUNTIME_LABEL] ?? '')
    if (OFF.some((action) => this.#faults.on(action, node).length > 0)) return
    if (!runtime || node.metadata.deletionTimestamp !== undefined) return
    const events = new EventRecorder(this.#env, this.#client, 'kubelet', name)
    const kubelet = new Kubelet({
      env: this.#env,
      client: this.#client,
      informers: this.#informers,
      runtime,
      events,
      node: name,
      hostIP: hostIpOf(node),
      addresses: new PodAddresses(podCidrOf(node)),
      sources: this.#sources,
      files: this.#files,
      lookAgain: (key, afterMs) => this.#queue.addAfter(key, afterMs),
      settings: () => this.#pools.settingsOf(this.#informers.of(nodeKind).get(name)),
      isCut: () => this.#isCut(name),
      pressures: () => {
        const { isMemoryShort, isDiskFull } = this.#nodes.get(name)?.pressure ?? {}
        return [...(isMemoryShort ? ['MemoryPressure'] : []), ...(isDiskFull ? ['DiskPressure'] : [])]
      },
      isShuttingDown: () => this.#nodes.get(name)?.shutdown !== undefined,
      hasLostAll: this.#lost.delete(name),
    })
    this.#nodes.set(name, {
      kubelet,
      podCidr: podCidrOf(node),
      events,
      runtime,
      heartbeat: new Heartbeat(this.#env, this.#client, events, (each) => this.#wantedStatus(each)),
      pressure: new NodePressure({
        env: this.#env,
        informers: this.#informers,
        runtime,
        kubelet,
        events,
        node: name,
        settings: () => this.#pools.settingsOf(this.#informers.of(nodeKind).get(name)),
        filled: () => {
          const [first] = this.#faults.on('FillDisk', this.#informers.of(nodeKind).get(name))
          return first && (first.spec.resource ?? 'bytes')
        },
      }),
      shutdown: undefined,
    })
    this.#connections.set(name, new LocalNodeConnection(name, runtime))
    this.#heartbeats.add(name)
    this.#readManifests(node)
    for (const pod of this.#informers.of(podKind).byIndex('node', name)) this.#onPod(pod, false)
  }

  /** Whether it got a network for its pods only after its kubelet began, and none of them runs yet. */
  #isMoved(node: Node): boolean {
    const { name } = node.metadata
    const running = this.#nodes.get(name)
    return (
      running?.podCidr !== podCidrOf(node) && this.#informers.of(podKind).byIndex('node', name).length === 0
    )
  }

  #readManifests(node: Node): void {
    const { name } = node.metadata
    const kubelet = this.#nodes.get(name)?.kubelet
    const pods = this.#pools.staticPodsOf(node, this.#env.clock.now())
    for (const pod of pods) {
      this.#keys.set(pod.metadata.uid ?? '', keyOf(pod))
      this.#statics.set(keyOf(pod), name)
    }
    kubelet?.staticPods.set(pods)
  }

  #removeNode(name: string): void {
    const node = this.#nodes.get(name)
    if (!node) return
    this.#nodes.delete(name)
    this.#connections.delete(name)
    node.shutdown?.cancel()
    node.kubelet.stop()
    node.kubelet.forgetAll()
  }

  #onPod(pod: Pod, isGone: boolean): void {
    const uid = nodeUidOf(pod)
    const isMirror = isMirrorPod(pod)
    if (isGone && !isMirror) {
      this.#keys.delete(uid)
      this.#files.forget(uid)
    }
    const node = this.#nodes.get(pod.spec.nodeName ?? '')
    if (!node) return
    if (isGone && !isMirror) {
      node.kubelet.forget(uid)
      return
    }
    const key = keyOf(pod)
    this.#keys.set(uid, key)
    this.#queue.add(key)
  }

  async #syncPod(key: string): Promise<void> {
    const pod = this.#informers.of(podKind).get(key)
    const mirror = pod && isMirrorPod(pod) ? pod : undefined
    const owner = this.#statics.get(key) ?? mirror?.spec.nodeName
    // What runs by itself goes on when nobody hears of it.
    if (owner !== undefined) {
      await this.#nodes.get(owner)?.kubelet.syncStatic(key, mirror)
      this.#nodes.get(owner)?.shutdown?.look()
    }
    const name = mirror ? '' : (pod?.spec.nodeName ?? '')
    if (!pod || name === '' || this.#isCut(name)) return
    await this.#nodes.get(name)?.kubelet.sync(key, pod)
    this.#nodes.get(name)?.shutdown?.look()
  }

  #wantedStatus(node: Node): Node['status'] {
    const running = this.#nodes.get(node.metadata.name)
    if (!running) return node.status
    return nodeStatusOf(node, {
      runtimeVersion: running.runtime.version,
      images: running.runtime.images(node.metadata.name),
      now: this.#env.clock.now(),
      isMemoryShort: running.pressure.isMemoryShort,
      isShuttingDown: running.shutdown !== undefined,
      isDiskFull: running.pressure.isDiskFull,
    })
  }

  #shutDown(name: string): void {
    const running = this.#nodes.get(name)
    const node = this.#informers.of(nodeKind).get(name)
    if (!running || !node || running.shutdown) return
    running.events.event(node, 'Normal', 'NodeShutdown', 'Shutdown manager detected shutdown event')
    const settings = this.#pools.settingsOf(node)
    running.shutdown = new NodeShutdown(this.#env, running.kubelet, settings, () => this.#removeNode(name))
    this.#heartbeats.add(name)
    running.shutdown.look()
  }

  /** The shutdown is called off before its end; what has ended by then has ended. */
  #stayUp(node: Node, running: RunningNode): void {
    if (!running.shutdown) return
    running.shutdown.cancel()
    running.shutdown = undefined
    running.events.event(node, 'Normal', 'NodeShutdown', 'Shutdown manager detected shutdown cancellation')
    this.#heartbeats.add(node.metadata.name)
  }

  /** The node runs, but nothing goes between it and the API server. */
  #isCut(name: string): boolean {
    return this.#faults.on('PartitionNode', this.#informers.of(nodeKind).get(name)).length > 0
  }

  #faultyNodes(): FaultyNodes {
    const look = (name: string) => {
      this.#nodes.get(name)?.pressure.look()
      this.#heartbeats.add(name)
      for (const pod of this.#informers.of(podKind).byIndex('node', name)) this.#queue.add(keyOf(pod))
      for (const key of this.#nodes.get(name)?.kubelet.staticPods.keys() ?? []) this.#queue.add(key)
    }
    return {
      isOurs: (name) => {
        const runtime = this.#informers.of(nodeKind).get(name)?.metadata.labels?.[RUNTIME_LABEL]
        return this.#runtimes.has(runtime ?? '')
      },
      kill: (name) => this.#removeNode(name),
      shutDown: (name) => this.#shutDown(name),
      revive: (node) => {
        const running = this.#nodes.get(node.metadata.name)
        if (running) {
          this.#stayUp(node, running)
          return
        }
        this.#lost.add(node.metadata.name)
        this.#addNode(node)
      },
      cut: (name, isCut) => {
        const running = this.#nodes.get(name)
        if (isCut) this.#connections.delete(name)
        else if (running) this.#connections.set(name, new LocalNodeConnection(name, running.runtime))
      },
      refresh: look,
      crash: (node, podUid, container) => {
        const running = this.#nodes.get(node)
        for (const { name, id } of running?.kubelet.containersOf(podUid) ?? [])
          if (name === container) running?.runtime.crash(id, 137, 'Error')
      },
    }
  }

  async #heartbeat(name: string): Promise<void> {
    const running = this.#nodes.get(name)
    const node = this.#informers.of(nodeKind).get(name)
    if (!running || !node || this.#stopped || this.#isCut(name)) return
    await running.heartbeat.beat(node)
  }
}

export function startNodes(
  env: Env,
  client: Client,
  informers: Informers,
  connections: NodeConnections = new NodeConnections(),
  /** Where what containers write is kept over a restart; absent: nowhere. */
  folder?: string,
): { stop(): Promise<void> } {
  const nodes = new Nodes(env, client, informers, connections, folder)
  nodes.start()
  return nodes
}
