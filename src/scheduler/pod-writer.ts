import { findCondition, setCondition } from '../api/conditions.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { keyOf, parseKey } from '../api/resource.ts'
import { ApiError, isReason } from '../api/status.ts'
import type { Env } from '../base/env.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../client/events.ts'
import { retryOnConflict } from '../client/on-conflict.ts'
import type { PodInfo } from './pod-info.ts'
import type { Candidate } from './preemption.ts'

const STATUS = { subresource: 'status' } as const

/** What the scheduler says of pods in the API: conditions, nominations, evictions. One for each profile. */
export class PodWriter {
  readonly #env: Env
  readonly #client: Client
  readonly #name: string
  readonly events: EventRecorder

  constructor(env: Env, client: Client, name: string, events: EventRecorder) {
    this.#env = env
    this.#client = client
    this.#name = name
    this.events = events
  }

  /** `nominatedNodeName` '' takes a nomination back; undefined leaves it. Writes nothing that is so already. */
  async setUnscheduled(
    pod: Pod,
    reason: 'Unschedulable' | 'SchedulingGated' | 'SchedulerError',
    message: string,
    nominatedNodeName?: string,
  ): Promise<void> {
    const before = findCondition(pod.status?.conditions, 'PodScheduled')
    const isNominated =
      nominatedNodeName === undefined || (pod.status?.nominatedNodeName ?? '') === nominatedNodeName
    if (before?.status === 'False' && before.reason === reason && before.message === message && isNominated)
      return
    const [condition] = setCondition(
      before ? [before] : [],
      { type: 'PodScheduled', status: 'False', reason, message, observedGeneration: pod.metadata.generation },
      this.#env.clock.now(),
    )
    const nomination =
      nominatedNodeName === undefined
        ? {}
        : { nominatedNodeName: nominatedNodeName === '' ? null : nominatedNodeName }
    await this.#patchStatus(pod, { conditions: [condition], ...nomination })
  }

  async setGated(pod: Pod): Promise<void> {
    const message = 'Scheduling is blocked due to non-empty scheduling gates'
    await this.setUnscheduled(pod, 'SchedulingGated', message)
  }

  /** A pod of higher priority takes the node that this one was waiting for. */
  async takeBackNomination(pod: Pod): Promise<void> {
    try {
      await this.#patchStatus(pod, { nominatedNodeName: null })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  /** The victims go, gracefully, each with the reason in its status first. */
  async evict(pod: Pod, { node, victims }: Candidate): Promise<void> {
    await Promise.all(victims.map((victim) => this.#evictOne(pod, victim, node)))
  }

  async #evictOne(pod: Pod, victim: PodInfo, node: string): Promise<void> {
    try {
      await retryOnConflict(async () => {
        if (!victim.isTerminating) await this.#setDisrupted(victim.pod)
        await this.#client.delete(podKind, parseKey(victim.key), { preconditions: { uid: victim.uid } })
      })
    } catch (error) {
      if (isReason(error, 'NotFound')) return
      // Another pod has the name by now, or writes of others never end.
      const now = await this.#client.get(podKind, parseKey(victim.key)).catch(() => undefined)
      if (now?.metadata.uid !== victim.uid) return
      throw error
    }
    this.events.event(
      victim.pod,
      'Normal',
      'Preempted',
      `Preempted by pod ${pod.metadata.uid} on node ${node}`,
    )
  }

  async #setDisrupted(victim: Pod): Promise<void> {
    const conditions = setCondition(
      victim.status?.conditions,
      {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: `${this.#name}: preempting to accommodate a higher priority pod`,
      },
      this.#env.clock.now(),
    )
    await this.#patchStatus(victim, { conditions })
  }

  async #patchStatus(pod: Pod, status: object): Promise<void> {
    await this.#client.patch(
      podKind,
      parseKey(keyOf(pod)),
      'strategic',
      { metadata: { uid: pod.metadata.uid }, status },
      STATUS,
    )
  }
}
