import { type Node, node as nodeKind } from '../api/kinds/node.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { podDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { isPodTerminal } from '../api/pods.ts'
import { parseKey, type Resource } from '../api/resource.ts'
import { badRequest, isReason, notFound } from '../api/status.ts'
import type { Cancel } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import type { Client } from '../client/client.ts'
import { EventRecorder } from '../client/events.ts'
import type { InformerChange } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import { countAttempt, showPending } from './attempts.ts'
import { BindingCycle, type BindingFailure } from './binding.ts'
import { informedObjects } from './cluster-objects.ts'
import type { SchedulerConfiguration } from './configuration.ts'
import { type Decision, decide } from './decide.ts'
import { type Explanation, explain } from './explain.ts'
import { decideWithExtenders, Extender } from './extender.ts'
import { preemptionFor } from './extender-preemption.ts'
import { type FitError, fitErrorMessage } from './fit-error.ts'
import type { Framework } from './framework.ts'
import type { Registry } from './plugins/index.ts'
import { type PodInfo, podInfo } from './pod-info.ts'
import { PodWriter } from './pod-writer.ts'
import type { Candidate } from './preemption.ts'
import { frameworksOf } from './profile.ts'
import { type QueuedPod, SchedulingQueue } from './queue.ts'
import { Snapshot } from './snapshot.ts'
import type { PermitRejection } from './waiting-pods.ts'
import { Writes } from './writes.ts'

interface Profile {
  readonly framework: Framework
  readonly writer: PodWriter
}

/** What comes of a pod that fits nowhere: what is said, whom it waits for, who goes. */
interface Aftermath {
  readonly suffix?: string | undefined
  readonly nomination?: string | undefined
  readonly chosen?: Candidate | undefined
  readonly losers?: readonly PodInfo[]
}

/**
 * The scheduler: takes a pod, decides on what it has seen, assumes the pod there, binds in the background. A binding
 * that fails is taken back and the pod tried again; one whose outcome is unknown is read again first. Everything it
 * knows comes from informers; nothing is kept that a restart would lose.
 */
export class Scheduler {
  readonly #env: Env
  readonly #client: Client
  readonly #informers: Informers
  readonly #profiles: ReadonlyMap<string, Profile>
  readonly #snapshot: Snapshot
  readonly #queue: SchedulingQueue
  readonly #extenders: readonly Extender[]
  readonly #binding: BindingCycle
  readonly #cancels: Cancel[] = []
  readonly #writes: Writes
  #running: Promise<void> | undefined
  #stopped = false

  constructor(
    env: Env,
    client: Client,
    informers: Informers,
    configuration: SchedulerConfiguration = {},
    outOfTree: Registry = {},
  ) {
    const frameworks = frameworksOf(configuration, outOfTree)
    this.#env = env
    this.#client = client.as(frameworks[0]?.name ?? 'default-scheduler')
    this.#informers = informers
    this.#writes = new Writes(env)
    this.#snapshot = new Snapshot(informedObjects(informers))
    this.#profiles = new Map(
      frameworks.map((framework) => {
        const events = new EventRecorder(env, this.#client, framework.name)
        const writer = new PodWriter(env, this.#client, framework.name, events)
        return [framework.name, { framework, writer }]
      }),
    )
    this.#queue = new SchedulingQueue(
      env.clock,
      this.#snapshot,
      ({ pod }) => this.#profileOf(pod)?.framework.preEnqueue ?? [],
      {
        initialBackoffMs: (configuration.podInitialBackoffSeconds ?? 1) * 1000,
        maxBackoffMs: (configuration.podMaxBackoffSeconds ?? 10) * 1000,
      },
    )
    this.#extenders = (configuration.extenders ?? []).map((extender) => new Extender(env.clock, extender))
    this.#binding = new BindingCycle(env, this.#client, this.#snapshot, this.#writes, this.#extenders)
  }

  start(): void {
    const nodes = this.#informers.of(nodeKind)
    const pods = this.#informers.of(podKind)
    this.#informers.of(podDisruptionBudget)
    const watched = new Set(
      [...this.#profiles.values()].flatMap(({ framework }) =>
        [...framework.byName.values()].flatMap(({ watches = [] }) => watches),
      ),
    )
    for (const kind of watched) this.#informers.of(kind)
    this.#running = (async () => {
      await this.#informers.synced()
      if (this.#stopped) return
      for (const kind of watched)
        this.#cancels.push(
          this.#informers.of(kind).onChange(({ type, resource, previous }) => {
            if (kind.kind === 'Namespace') this.#onNamespace(resource, type === 'deleted')
            this.#queue.notify({ type: 'object-changed', kind, change: type, resource, previous })
            this.#writes.objectMoved()
          }),
        )
      this.#cancels.push(nodes.onChange((change) => this.#onNode(change)))
      this.#cancels.push(pods.onChange((change) => this.#onPod(change)))
      for (let pod = await this.#queue.pop(); pod; pod = await this.#queue.pop()) await this.#schedule(pod)
    })()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const cancel of this.#cancels) cancel()
    this.#queue.close()
    for (const pod of this.#binding.waiting.list()) pod.reject('', 'the scheduler stops')
    const written = this.#writes.stop()
    await this.#running
    await written
    await this.#writes.stop()
    await Promise.all([...this.#profiles.values()].map(({ writer }) => writer.events.flush()))
  }

  /** Why the pod goes where it goes, or nowhere. Throws NotFound. */
  explain(key: string): Explanation {
    const pod = this.#informers.of(podKind).get(key)
    if (!pod) throw notFound(podKind, parseKey(key).name)
    const framework = this.#profileOf(pod)?.framework
    if (!framework)
      throw badRequest(
        `pod "${pod.metadata.name}" is for scheduler "${pod.spec.schedulerName}", which is not one of: ${[...this.#profiles.keys()].join(', ')}`,
      )
    return explain(podInfo(pod), this.#snapshot, framework)
  }

  #profileOf({ spec }: Pod): Profile | undefined {
    return this.#profiles.get(spec.schedulerName ?? '')
  }

  #onNamespace({ metadata }: Resource, isGone: boolean): void {
    this.#snapshot.counts.setNamespace(metadata.name, isGone ? undefined : (metadata.labels ?? {}))
  }

  #onNode({ type, resource, previous }: InformerChange<Node>): void {
    if (type === 'deleted') {
      this.#snapshot.removeNode(resource.metadata.name)
      this.#queue.notify({ type: 'node-removed', node: resource })
      return
    }
    this.#snapshot.setNode(resource)
    if (previous) this.#queue.notify({ type: 'node-updated', node: resource, previous })
    else this.#queue.notify({ type: 'node-added', node: resource })
  }

  #onPod({ type, resource, previous }: InformerChange<Pod>): void {
    const uid = resource.metadata.uid ?? ''
    if (type === 'deleted' || isPodTerminal(resource)) {
      this.#onPodGone(resource)
      return
    }
    if (resource.spec.nodeName) {
      this.#queue.remove(uid)
      this.#snapshot.setPod(podInfo(resource, this.#snapshot.placed(uid)?.pod), resource.spec.nodeName)
      if (previous?.spec.nodeName) this.#queue.notify({ type: 'placed-pod-updated', pod: resource, previous })
      else this.#queue.notify({ type: 'pod-bound', pod: resource })
      return
    }
    const profile = this.#profileOf(resource)
    if (!profile || resource.metadata.deletionTimestamp) {
      this.#onPodGone(resource)
      return
    }
    if (this.#snapshot.isAssumed(uid)) return
    const { nominatedNodeName } = resource.status ?? {}
    if (nominatedNodeName) this.#snapshot.nominate(podInfo(resource), nominatedNodeName)
    else if (previous?.status?.nominatedNodeName) this.#unnominate(podInfo(resource))
    const gated = this.#queue.put(podInfo(resource))
    showPending(this.#env, this.#queue)
    if (gated !== undefined) this.#writes.add(uid, () => profile.writer.setGated(resource))
  }

  #unnominate(info: PodInfo): void {
    const nominated = this.#snapshot.nominationOf(info.uid)
    this.#snapshot.unnominate(info.uid)
    this.#onRoomGivenUp(info.pod, nominated)
  }

  /** What it stood on, and what it waited for, is free: also where it was only assumed. */
  #onPodGone(pod: Pod): void {
    const uid = pod.metadata.uid ?? ''
    const nominated = this.#snapshot.nominationOf(uid)
    const node = pod.spec.nodeName ?? this.#snapshot.placed(uid)?.node
    this.#queue.remove(uid)
    this.#binding.waiting.get(uid)?.reject('', 'removed')
    this.#snapshot.removePod(uid)
    this.#onRoomGivenUp(pod, node)
    if (nominated !== node) this.#onRoomGivenUp(pod, nominated)
  }

  /** A pod that waited for a node waits for it no more: to others that is as if it had left. */
  #onRoomGivenUp(pod: Pod, node: string | undefined): void {
    if (node === undefined) return
    const gone = pod.spec.nodeName === node ? pod : { ...pod, spec: { ...pod.spec, nodeName: node } }
    this.#queue.notify({ type: 'pod-removed', pod: gone })
  }

  async #schedule(queued: QueuedPod): Promise<void> {
    const { info } = queued
    const profile = this.#profileOf(info.pod)
    if (!profile) return this.#queue.remove(info.uid)
    const startedAt = this.#env.clock.now()
    let decision: Decision
    try {
      const extenders = this.#extenders.filter((extender) => extender.isInterested(info))
      decision =
        extenders.length === 0
          ? decide(info, this.#snapshot, profile.framework, this.#env.random)
          : await decideWithExtenders(info, this.#snapshot, profile.framework, this.#env.random, extenders)
      if (!decision.fits) await this.#fail(queued, profile, decision.error, startedAt)
    } catch (error) {
      this.#report(queued, profile, messageOf(error), error)
      return
    }
    if (decision.fits && this.#queue.knows(queued)) {
      const nominated = this.#snapshot.nominationOf(info.uid)
      this.#snapshot.assume(info, decision.node)
      if (nominated !== decision.node) this.#onRoomGivenUp(info.pod, nominated)
      const admission = this.#binding.admit(info, decision.node, profile.framework)
      if (admission === undefined || admission instanceof Promise)
        this.#writes.add(info.uid, () => this.#bind(queued, decision.node, profile, startedAt, admission))
      else this.#undo(queued, profile, decision.node, admission, startedAt)
    }
    showPending(this.#env, this.#queue)
    await this.#writes.room()
  }

  /** Not a verdict: an extender could not be asked, a plugin failed, the binding was not taken. */
  #report(queued: QueuedPod, { writer }: Profile, message: string, cause: unknown): void {
    const { info } = queued
    if (!this.#queue.knows(queued)) return
    this.#env.log.warn({ err: cause, pod: info.key }, message)
    this.#queue.retry(queued)
    this.#writes.add(info.uid, async () => {
      writer.events.event(info.pod, 'Warning', 'FailedScheduling', message)
      await writer.setUnscheduled(info.pod, 'SchedulerError', message)
    })
  }

  /** The pod goes back to where it was before its node was chosen, and it is told why. */
  #undo(queued: QueuedPod, profile: Profile, node: string, failure: BindingFailure, startedAt: number): void {
    const { info } = queued
    const left = this.#binding.undo(info, profile.framework)
    if (this.#stopped) return
    // What it was told while it was assumed there was passed over.
    const latest = this.#informers.of(podKind).get(info.key)
    if (latest?.metadata.uid === info.uid && latest !== info.pod && this.#queue.knows(queued))
      this.#queue.put(podInfo(latest))
    if (failure.isRejection) {
      const rejection = { plugin: failure.plugin, reasons: [failure.reason], resolvable: false }
      const plugins = new Set([failure.plugin])
      this.#turnDown(
        queued,
        profile,
        { nodes: 1, rejections: new Map([[node, rejection]]), plugins },
        startedAt,
      )
    } else this.#report(queued, profile, failure.reason, failure.cause)
    this.#onRoomGivenUp(info.pod, left)
  }

  async #bind(
    queued: QueuedPod,
    node: string,
    profile: Profile,
    startedAt: number,
    wait?: Promise<PermitRejection | undefined>,
  ): Promise<void> {
    const { info } = queued
    const rejection = wait && (await this.#binding.permission(wait))
    if (rejection) return this.#undo(queued, profile, node, rejection, startedAt)
    this.#queue.decided(queued)
    const failure = await this.#binding.bind(info, node, profile.framework)
    if (failure) {
      if (await this.#boundMeanwhile(info)) return
      if (isReason(failure.cause, 'NotFound')) this.#queue.remove(info.uid)
      this.#undo(queued, profile, node, failure, startedAt)
      return
    }
    this.#queue.remove(info.uid)
    profile.writer.events.event(
      info.pod,
      'Normal',
      'Scheduled',
      `Successfully assigned ${info.key} to ${node}`,
    )
    this.#binding.bound(info, node, profile.framework)
    countAttempt(this.#env, 'scheduled', startedAt)
  }

  /** The outcome of a failed binding may be unknown: whoever bound the pod, what is stored counts. */
  async #boundMeanwhile(info: PodInfo): Promise<boolean> {
    try {
      const now = await this.#client.get(podKind, parseKey(info.key))
      return now.metadata.uid === info.uid && now.spec.nodeName !== undefined
    } catch {
      return false
    }
  }

  /** The node is named at once, so that the room the victims leave is kept; all that is written comes behind. */
  async #fail(queued: QueuedPod, profile: Profile, error: FitError, startedAt: number): Promise<void> {
    const { info } = queued
    const { framework } = profile
    const budgets = this.#informers.of(podDisruptionBudget).list()
    const { random } = this.#env
    const preemption = await preemptionFor(
      info,
      error,
      this.#snapshot,
      framework,
      budgets,
      random,
      this.#extenders,
    )
    if (!this.#queue.knows(queued)) return
    const suffix = preemption && !preemption.helps ? `preemption: ${preemption.message}` : undefined
    const chosen = preemption?.helps ? preemption.chosen : undefined
    const isVoid = preemption?.helps === false && preemption.tried
    const losers = chosen ? this.#snapshot.lowerNominatedOn(chosen.node, info.priority) : []
    const nominated = this.#snapshot.nominationOf(info.uid)
    if (chosen) {
      this.#snapshot.nominate(info, chosen.node)
      if (nominated !== chosen.node) this.#onRoomGivenUp(info.pod, nominated)
    } else if (isVoid) this.#unnominate(info)
    for (const loser of losers) this.#unnominate(loser)
    const nomination = chosen?.node ?? (isVoid ? '' : undefined)
    this.#turnDown(queued, profile, error, startedAt, { suffix, nomination, chosen, losers })
  }

  /** Says that the pod fits nowhere, and why; then makes the room that was found for it. */
  #turnDown(
    queued: QueuedPod,
    { framework, writer }: Profile,
    error: FitError,
    startedAt: number,
    { suffix, nomination, chosen, losers = [] }: Aftermath = {},
  ): void {
    const { info } = queued
    if (!this.#queue.knows(queued)) return
    const message = fitErrorMessage(error, suffix)
    this.#queue.giveBack(
      queued,
      [...error.plugins].flatMap((name) => framework.byName.get(name) ?? []),
    )
    this.#writes.add(info.uid, async () => {
      try {
        await writer.setUnscheduled(info.pod, 'Unschedulable', message, nomination)
        writer.events.event(info.pod, 'Warning', 'FailedScheduling', message)
        if (chosen) await writer.evict(info.pod, this.#binding.standing(chosen))
        for (const loser of losers) await writer.takeBackNomination(loser.pod)
      } catch (failure) {
        this.#env.log.debug({ err: failure, pod: info.key }, 'scheduling failed')
        if (isReason(failure, 'NotFound')) this.#queue.remove(info.uid)
        else this.#queue.again(info.uid)
      }
      countAttempt(this.#env, 'unschedulable', startedAt)
    })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** `outOfTree`: plugins beside the built-in ones, which a profile may name. Runs until `stop`. */
export function startScheduler(
  env: Env,
  client: Client,
  informers: Informers,
  configuration?: SchedulerConfiguration,
  outOfTree?: Registry,
): Scheduler {
  const scheduler = new Scheduler(env, client, informers, configuration, outOfTree)
  scheduler.start()
  return scheduler
}
