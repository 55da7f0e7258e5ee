import { findCondition, setCondition } from '../api/conditions.ts'
import { type Node, node as nodeKind } from '../api/kinds/node.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { podDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { isPodTerminal } from '../api/pods.ts'
import { keyOf, parseKey } from '../api/resource.ts'
import { ApiError, isReason } from '../api/status.ts'
import type { Cancel } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import type { Client } from '../client/client.ts'
import { EventRecorder } from '../client/events.ts'
import type { InformerChange } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import { decide } from './decide.ts'
import { type FitError, fitErrorMessage } from './fit-error.ts'
import { plugins as defaultPlugins } from './plugins/index.ts'
import { podInfo } from './pod-info.ts'
import { type Candidate, preempt } from './preemption.ts'
import { type QueuedPod, SchedulingQueue } from './queue.ts'
import { Snapshot } from './snapshot.ts'

const NAME = 'default-scheduler'
/** Bindings under way at once; deciding waits for room, so that a slow store cannot pile them up. */
const BINDINGS_MAX = 256

/**
 * The scheduler: takes a pod, decides on what it has seen, assumes the pod there, binds in the background. A binding
 * that fails is taken back and the pod tried again; one whose outcome is unknown is read again first. Everything it
 * knows comes from informers; nothing is kept that a restart would lose.
 */
export class Scheduler {
  readonly #env: Env
  readonly #client: Client
  readonly #informers: Informers
  readonly #events: EventRecorder
  readonly #snapshot = new Snapshot()
  readonly #queue: SchedulingQueue
  readonly #cancels: Cancel[] = []
  readonly #bindings = new Set<Promise<void>>()
  #running: Promise<void> | undefined
  #stopped = false

  constructor(env: Env, client: Client, informers: Informers) {
    this.#env = env
    this.#client = client.as(NAME)
    this.#informers = informers
    this.#events = new EventRecorder(env, this.#client, NAME)
    this.#queue = new SchedulingQueue(env.clock, defaultPlugins)
    const gauge = env.metrics.gauge('scheduler_pending_pods', 'Number of pending pods, by the queue type', [
      'queue',
    ])
    this.#cancels.push(() => gauge.reset())
  }

  start(): void {
    const nodes = this.#informers.of(nodeKind)
    const pods = this.#informers.of(podKind)
    this.#informers.of(podDisruptionBudget)
    this.#running = (async () => {
      await this.#informers.synced()
      if (this.#stopped) return
      this.#cancels.push(nodes.onChange((change) => this.#onNode(change)))
      this.#cancels.push(pods.onChange((change) => this.#onPod(change)))
      for (let pod = await this.#queue.pop(); pod; pod = await this.#queue.pop()) await this.#schedule(pod)
    })()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const cancel of this.#cancels) cancel()
    this.#queue.close()
    await this.#running
    await Promise.all(this.#bindings)
    await this.#events.flush()
  }

  #onNode(change: InformerChange<Node>): void {
    const { resource } = change
    if (change.type === 'deleted') {
      this.#snapshot.removeNode(resource.metadata.name)
      return
    }
    this.#snapshot.setNode(resource)
    if (change.previous)
      this.#queue.notify({ type: 'node-updated', node: resource, previous: change.previous })
    else this.#queue.notify({ type: 'node-added', node: resource })
  }

  #onPod({ type, resource }: InformerChange<Pod>): void {
    const uid = resource.metadata.uid ?? ''
    if (type === 'deleted' || isPodTerminal(resource)) {
      this.#queue.remove(uid)
      this.#snapshot.removePod(uid)
      if (resource.spec.nodeName) this.#queue.notify({ type: 'pod-removed', pod: resource })
      return
    }
    if (resource.spec.nodeName) {
      this.#queue.done(uid)
      this.#snapshot.setPod(podInfo(resource), resource.spec.nodeName)
      this.#queue.notify({ type: 'pod-bound', pod: resource })
      return
    }
    if (resource.spec.schedulerName !== NAME || resource.metadata.deletionTimestamp) {
      this.#queue.remove(uid)
      return
    }
    if (this.#snapshot.isAssumed(uid)) return
    if (resource.status?.nominatedNodeName)
      this.#snapshot.nominate(podInfo(resource), resource.status.nominatedNodeName)
    const gated = this.#queue.put(podInfo(resource))
    if (gated !== undefined)
      void this.#setScheduled(
        resource,
        'SchedulingGated',
        'Scheduling is blocked due to non-empty scheduling gates',
      )
  }

  async #schedule(queued: QueuedPod): Promise<void> {
    const { info } = queued
    const startedAt = this.#env.clock.now()
    const decision = decide(info, this.#snapshot, defaultPlugins, this.#env.random)
    if (!decision.fits) return this.#fail(queued, decision.error)
    this.#snapshot.assume(info, decision.node)
    while (this.#bindings.size >= BINDINGS_MAX) await Promise.race(this.#bindings)
    const binding = this.#bind(queued, decision.node, startedAt).finally(() => this.#bindings.delete(binding))
    this.#bindings.add(binding)
  }

  async #bind(queued: QueuedPod, node: string, startedAt: number): Promise<void> {
    const { pod, uid, key } = queued.info
    try {
      await this.#client.createSubresource(podKind, parseKey(key), 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      })
    } catch (error) {
      if (await this.#boundMeanwhile(queued)) return
      this.#snapshot.forget(uid)
      this.#env.log.debug({ err: error, pod: key, node }, 'binding failed')
      if (isReason(error, 'NotFound')) this.#queue.done(uid)
      else this.#queue.retry(queued)
      return
    }
    this.#queue.done(uid)
    this.#events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`)
    this.#attempts('scheduled', startedAt)
  }

  /** The outcome of a failed binding may be unknown: whoever bound the pod, what is stored counts. */
  async #boundMeanwhile({ info }: QueuedPod): Promise<boolean> {
    try {
      const now = await this.#client.get(podKind, parseKey(info.key))
      return now.metadata.uid === info.uid && now.spec.nodeName !== undefined
    } catch {
      return false
    }
  }

  async #fail(queued: QueuedPod, error: FitError): Promise<void> {
    const { info } = queued
    const startedAt = this.#env.clock.now()
    const budgets = this.#informers.of(podDisruptionBudget).list()
    const preemption =
      error.nodes === 0
        ? undefined
        : preempt(info, error, this.#snapshot, defaultPlugins, budgets, this.#env.random)
    const suffix = preemption && !preemption.helps ? `preemption: ${preemption.message}` : undefined
    const message = fitErrorMessage(error, suffix)
    try {
      if (preemption?.helps) await this.#evict(info.pod, preemption.chosen)
      await this.#setScheduled(
        info.pod,
        'Unschedulable',
        message,
        preemption?.helps ? preemption.chosen.node : undefined,
      )
      this.#events.event(info.pod, 'Warning', 'FailedScheduling', message)
      this.#queue.giveBack(queued, error.plugins)
    } catch (failure) {
      if (isReason(failure, 'NotFound')) return this.#queue.done(info.uid)
      this.#env.log.debug({ err: failure, pod: info.key }, 'scheduling failed')
      this.#queue.retry(queued)
    }
    this.#attempts('unschedulable', startedAt)
  }

  /** Names the node first, so that the room the victims leave is kept; then the victims go, gracefully. */
  async #evict(pod: Pod, { node, victims }: Candidate): Promise<void> {
    this.#snapshot.nominate(podInfo(pod), node)
    for (const victim of victims) {
      const key = parseKey(victim.key)
      try {
        await this.#setDisrupted(victim.pod)
        await this.#client.delete(podKind, key, { preconditions: { uid: victim.uid } })
      } catch (error) {
        if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
        continue
      }
      this.#events.event(
        victim.pod,
        'Normal',
        'Preempted',
        `Preempted by pod ${pod.metadata.uid} on node ${node}`,
      )
    }
  }

  async #setDisrupted(victim: Pod): Promise<void> {
    const conditions = setCondition(
      victim.status?.conditions,
      {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: `${NAME}: preempting to accommodate a higher priority pod`,
      },
      this.#env.clock.now(),
    )
    await this.#client.patch(
      podKind,
      keyParts(victim),
      'strategic',
      { metadata: { uid: victim.metadata.uid }, status: { conditions } },
      STATUS,
    )
  }

  async #setScheduled(pod: Pod, reason: string, message: string, nominatedNodeName?: string): Promise<void> {
    const before = findCondition(pod.status?.conditions, 'PodScheduled')
    const nominationSame =
      nominatedNodeName === undefined || pod.status?.nominatedNodeName === nominatedNodeName
    if (
      before?.status === 'False' &&
      before.reason === reason &&
      before.message === message &&
      nominationSame
    )
      return
    const [condition] = setCondition(
      before ? [before] : [],
      { type: 'PodScheduled', status: 'False', reason, message, observedGeneration: pod.metadata.generation },
      this.#env.clock.now(),
    )
    const status = {
      conditions: [condition],
      ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }),
    }
    try {
      await this.#client.patch(
        podKind,
        keyParts(pod),
        'strategic',
        { metadata: { uid: pod.metadata.uid }, status },
        STATUS,
      )
    } catch (error) {
      if (!(error instanceof ApiError) || reason !== 'SchedulingGated') throw error
    }
  }

  #attempts(result: 'scheduled' | 'unschedulable', startedAt: number): void {
    this.#env.metrics
      .counter('scheduler_schedule_attempts_total', 'Number of attempts to schedule pods, by the result', [
        'result',
      ])
      .inc({ result })
    this.#env.metrics
      .histogram('scheduler_scheduling_attempt_duration_seconds', 'Scheduling attempt latency in seconds', [
        'result',
      ])
      .observe({ result }, (this.#env.clock.now() - startedAt) / 1000)
  }
}

const STATUS = { subresource: 'status' } as const

function keyParts(pod: Pod) {
  return parseKey(keyOf(pod))
}

export function startScheduler(env: Env, client: Client, informers: Informers): { stop(): Promise<void> } {
  const scheduler = new Scheduler(env, client, informers)
  scheduler.start()
  return scheduler
}
