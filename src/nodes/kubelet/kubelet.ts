import type { V1Container } from '../../api/generated/types.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { secret } from '../../api/kinds/secret.ts'
import { isPodTerminal } from '../../api/pods.ts'
import { isReason } from '../../api/status.ts'
import type { Env } from '../../base/env.ts'
import { deepEqual } from '../../base/json.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events.ts'
import type { Informers } from '../../client/informers.ts'
import type { PodAddresses } from '../pod-addresses.ts'
import type { Runtime } from '../runtimes/runtime.ts'
import { nextPullBackoffMs, nextSteps, type Step } from './next-step.ts'
import { podStatusOf } from './pod-status.ts'
import { afterAnswer, isLost, newProbe } from './probe-state.ts'
import { type ContainerRecord, newContainer, type PodRecord, restoreRecord } from './record.ts'
import { environmentReferences, missingReference, volumeReferences } from './references.ts'

export interface KubeletOptions {
  readonly env: Env
  readonly client: Client
  readonly informers: Informers
  readonly runtime: Runtime
  readonly events: EventRecorder
  readonly node: string
  readonly hostIP: string
  readonly addresses: PodAddresses
  /** Asks to be called for this pod again. */
  lookAgain(key: string, afterMs: number): void
}

const KINDS = ['startup', 'readiness', 'liveness'] as const
/** A missing volume source is looked for again this often. */
const MOUNT_RETRY_MS = 2000

/**
 * One node's kubelet: for each pod bound here, look, decide (nextSteps), do, report. Slow things (pulls, starts) run
 * beside it and bring the pod back when they end. `sync` is never called for one pod twice at a time. Whatever it
 * remembers can be restored from the pod's status.
 */
export class Kubelet {
  readonly #options: KubeletOptions
  readonly #records = new Map<string, PodRecord>()
  #stopped = false

  constructor(options: KubeletOptions) {
    this.#options = options
  }

  get node(): string {
    return this.#options.node
  }

  /** Nothing more is written; what runs in the runtime is left to itself. */
  stop(): void {
    this.#stopped = true
  }

  /** The pod is gone from the API: whatever still runs of it is ended. */
  forget(uid: string): void {
    const record = this.#records.get(uid)
    this.#records.delete(uid)
    this.#options.addresses.release(uid)
    for (const { id } of record?.containers.values() ?? []) {
      if (id === undefined) continue
      void this.#options.runtime.stop(id, 0).then(() => this.#options.runtime.remove(id))
    }
  }

  /** Brings the pod one step on. Throws what the API throws; the caller tries again. */
  async sync(key: string, pod: Pod): Promise<void> {
    if (this.#stopped) return
    const uid = pod.metadata.uid ?? ''
    const { env } = this.#options
    if (isPodTerminal(pod) && !this.#records.has(uid) && pod.metadata.deletionTimestamp === undefined) return
    this.#adopt(pod, uid)
    this.#observe(uid)
    this.#askProbes(pod, uid)
    const missing = this.#missingVolume(pod)
    const record = this.#record(uid)
    const plan = nextSteps({
      pod,
      record,
      hasImage: (image) => this.#options.runtime.hasImage(this.node, image),
      now: env.clock.now(),
    })
    const isHeld =
      missing !== undefined && pod.metadata.deletionTimestamp === undefined && !anyStarted(record)
    for (const step of plan.steps)
      if (!(isHeld && (step.do === 'pull' || step.do === 'start'))) await this.#perform(key, pod, uid, step)
    if (plan.steps.some((step) => step.do === 'release')) return
    await this.#report(pod, uid)
    const lookAt = Math.min(this.#nextProbeAt(uid), plan.lookAt)
    if (isHeld) this.#options.lookAgain(key, MOUNT_RETRY_MS)
    const changed = plan.steps.some((step) => step.do === 'fail-pod' || step.do === 'back-off')
    if (changed) this.#options.lookAgain(key, 0)
    else if (lookAt !== Number.POSITIVE_INFINITY)
      this.#options.lookAgain(key, Math.max(1, lookAt - env.clock.now()))
  }

  #record(uid: string): PodRecord {
    const record = this.#records.get(uid)
    if (!record) throw new Error(`No record of pod ${uid}`)
    return record
  }

  #set(uid: string, name: string, change: Partial<ContainerRecord>): void {
    const record = this.#records.get(uid)
    const before = record?.containers.get(name)
    if (!record || !before) return
    this.#records.set(uid, {
      ...record,
      containers: new Map(record.containers).set(name, { ...before, ...change }),
    })
  }

  /** First sight of a pod: restored from its status, given an address. */
  #adopt(pod: Pod, uid: string): void {
    if (this.#records.has(uid)) return
    const { env, runtime, addresses, hostIP } = this.#options
    const restored = restoreRecord(pod, env.clock.now())
    const podIP = restored.podIP ?? (pod.spec.hostNetwork ? hostIP : addresses.take(uid))
    if (podIP && !pod.spec.hostNetwork) addresses.keep(uid, podIP)
    this.#records.set(uid, { ...restored, podIP })
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
      const state = restored.containers.get(container.name)
      if (state?.phase !== 'running' || state.id === undefined || state.startedAt === undefined) continue
      runtime.adopt(this.node, pod, container, {
        id: state.id,
        imageId: state.imageId,
        startedAt: state.startedAt,
      })
      const ready = pod.status?.containerStatuses?.find(({ name }) => name === container.name)?.ready === true
      this.#set(uid, container.name, { probes: this.#probesOf(container, state.startedAt, ready) })
    }
  }

  #probesOf(container: V1Container, startedAt: number, wasReady = false): ContainerRecord['probes'] {
    const probes: { -readonly [K in keyof ContainerRecord['probes']]: ContainerRecord['probes'][K] } = {}
    for (const kind of KINDS) {
      const probe = container[`${kind}Probe`]
      if (!probe) continue
      const state = newProbe(probe, kind, startedAt)
      probes[kind] = wasReady ? { ...state, passed: true, nextAt: this.#options.env.clock.now() } : state
    }
    return probes
  }

  /** Takes note of containers that ended. */
  #observe(uid: string): void {
    for (const state of this.#record(uid).containers.values()) {
      if ((state.phase !== 'running' && state.phase !== 'stopping') || state.id === undefined) continue
      const exit = this.#options.runtime.find(state.id)?.exit
      if (!exit) continue
      const ended = {
        code: exit.code,
        reason: exit.reason,
        startedAt: state.startedAt ?? exit.at,
        finishedAt: exit.at,
        id: state.id,
      }
      this.#options.runtime.remove(state.id)
      this.#set(uid, state.name, {
        phase: 'exited',
        exit: ended,
        lastExit: state.lastExit,
        notBefore: 0,
        probes: {},
      })
    }
  }

  #askProbes(pod: Pod, uid: string): void {
    const now = this.#options.env.clock.now()
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
      const state = this.#record(uid).containers.get(container.name)
      if (state?.phase !== 'running' || state.id === undefined) continue
      for (const kind of KINDS) {
        const probe = container[`${kind}Probe`]
        const before = this.#record(uid).containers.get(container.name)?.probes[kind]
        if (!probe || !before || before.nextAt > now) continue
        // Until the startup probe has passed the others wait; having passed it is never asked again.
        const startup = this.#record(uid).containers.get(container.name)?.probes.startup
        if (kind !== 'startup' && startup && !startup.passed) {
          this.#setProbe(uid, container.name, kind, { ...before, nextAt: Math.max(now + 1, startup.nextAt) })
          continue
        }
        if (kind === 'startup' && before.passed) {
          this.#setProbe(uid, container.name, kind, { ...before, nextAt: Number.POSITIVE_INFINITY })
          continue
        }
        const answer = this.#options.runtime.probe(state.id, kind)
        const after = afterAnswer(before, probe, answer, now)
        this.#setProbe(uid, container.name, kind, after)
        const name = kind[0]?.toUpperCase() + kind.slice(1)
        if (!answer.ok)
          this.#options.events.event(pod, 'Warning', 'Unhealthy', `${name} probe failed: ${answer.message}`)
        if (kind !== 'readiness' && isLost(after, probe)) {
          this.#options.events.event(
            pod,
            'Normal',
            'Killing',
            `Container ${container.name} failed ${kind} probe, will be restarted`,
          )
        }
      }
    }
  }

  #setProbe(
    uid: string,
    name: string,
    kind: (typeof KINDS)[number],
    state: NonNullable<ContainerRecord['probes']['startup']>,
  ): void {
    const before = this.#record(uid).containers.get(name)
    this.#set(uid, name, { probes: { ...before?.probes, [kind]: state } })
  }

  #nextProbeAt(uid: string): number {
    let at = Number.POSITIVE_INFINITY
    for (const { phase, probes } of this.#record(uid).containers.values()) {
      if (phase === 'running') for (const { nextAt } of Object.values(probes)) at = Math.min(at, nextAt)
    }
    return at
  }

  #missingVolume(pod: Pod): string | undefined {
    for (const reference of volumeReferences(pod)) {
      const missing = missingReference(
        [reference],
        (kind, name) => this.#dataOf(pod, kind, name),
        pod.metadata.namespace ?? '',
      )
      if (missing === undefined) continue
      this.#options.events.event(
        pod,
        'Warning',
        'FailedMount',
        `MountVolume.SetUp failed for volume "${reference.volume}" : ${missing}`,
      )
      return missing
    }
    return undefined
  }

  #dataOf(
    pod: Pod,
    kind: 'ConfigMap' | 'Secret',
    name: string,
  ): Readonly<Record<string, unknown>> | undefined {
    const { informers } = this.#options
    const key = `${pod.metadata.namespace}/${name}`
    const found = kind === 'ConfigMap' ? informers.of(configMap).get(key) : informers.of(secret).get(key)
    return found && { ...found.data, ...('binaryData' in found ? found.binaryData : {}) }
  }

  async #perform(key: string, pod: Pod, uid: string, step: Step): Promise<void> {
    const { env, events } = this.#options
    switch (step.do) {
      case 'pull':
        this.#set(uid, step.container.name, { phase: 'pulling' })
        void this.#pull(key, pod, uid, step.container)
        return
      case 'start': {
        const missing = missingReference(
          environmentReferences(step.container),
          (kind, name) => this.#dataOf(pod, kind, name),
          pod.metadata.namespace ?? '',
        )
        if (missing !== undefined) {
          events.event(pod, 'Warning', 'Failed', `Error: ${missing}`)
          this.#set(uid, step.container.name, {
            phase: 'waiting',
            reason: 'CreateContainerConfigError',
            message: missing,
            notBefore: env.clock.now() + MOUNT_RETRY_MS,
          })
          this.#options.lookAgain(key, MOUNT_RETRY_MS)
          return
        }
        void this.#start(key, pod, uid, step.container)
        return
      }
      case 'stop': {
        const state = this.#record(uid).containers.get(step.container.name)
        if (state?.id === undefined) return
        if (step.why === '')
          events.event(pod, 'Normal', 'Killing', `Stopping container ${step.container.name}`)
        this.#set(uid, step.container.name, { phase: 'stopping' })
        await this.#options.runtime.stop(state.id, step.graceMs)
        this.#options.lookAgain(key, 0)
        return
      }
      case 'back-off': {
        const state = this.#record(uid).containers.get(step.container.name)
        if (!state) return
        const from = state.exit?.finishedAt ?? env.clock.now()
        this.#set(uid, step.container.name, { backoffMs: step.ms, notBefore: Math.max(1, from + step.ms) })
        if (step.ms > 0) {
          const { name, namespace } = pod.metadata
          events.event(
            pod,
            'Warning',
            'BackOff',
            `Back-off restarting failed container ${step.container.name} in pod ${name}_${namespace}(${uid})`,
          )
        }
        return
      }
      case 'fail-pod':
        this.#records.set(uid, {
          ...this.#record(uid),
          failure: { reason: step.reason, message: step.message },
        })
        return
      case 'release':
        await this.#release(pod, uid)
    }
  }

  async #pull(key: string, pod: Pod, uid: string, container: V1Container): Promise<void> {
    const { env, events, runtime } = this.#options
    const image = container.image ?? ''
    const startedAt = env.clock.now()
    events.event(pod, 'Normal', 'Pulling', `Pulling image "${image}"`)
    try {
      const bytes = await runtime.pull(this.node, image)
      const took = env.clock.now() - startedAt
      events.event(
        pod,
        'Normal',
        'Pulled',
        `Successfully pulled image "${image}" in ${took}ms (${took}ms including waiting). Image size: ${bytes} bytes.`,
      )
      this.#set(uid, container.name, { phase: 'waiting', reason: 'ImagePulled', message: '', backoffMs: 0 })
    } catch (error) {
      const { message } = error as Error
      const state = this.#records.get(uid)?.containers.get(container.name)
      if (!state) return
      const backoffMs = nextPullBackoffMs(state)
      events.event(pod, 'Warning', 'Failed', `Failed to pull image "${image}": ${message}`)
      events.event(pod, 'Warning', 'Failed', 'Error: ErrImagePull')
      const isFirst = state.backoffMs === 0
      const reason = isFirst ? 'ErrImagePull' : 'ImagePullBackOff'
      const text = isFirst ? message : `Back-off pulling image "${image}": ErrImagePull: ${message}`
      if (!isFirst) events.event(pod, 'Normal', 'BackOff', `Back-off pulling image "${image}"`)
      this.#set(uid, container.name, {
        phase: 'waiting',
        reason,
        message: text,
        backoffMs,
        notBefore: env.clock.now() + backoffMs,
      })
    }
    this.#options.lookAgain(key, 0)
  }

  async #start(key: string, pod: Pod, uid: string, container: V1Container): Promise<void> {
    const { events, runtime } = this.#options
    const state = this.#records.get(uid)?.containers.get(container.name)
    if (!state) return
    const again = state.exit !== undefined
    if (!again && state.reason !== 'ImagePulled')
      events.event(pod, 'Normal', 'Pulled', `Container image "${container.image}" already present on machine`)
    this.#set(uid, container.name, {
      phase: 'starting',
      reason: 'ContainerCreating',
      message: '',
      ...(again ? { restarts: state.restarts + 1, lastExit: state.exit, exit: undefined } : {}),
    })
    try {
      const handle = await runtime.start(this.node, pod, container)
      if (!this.#records.has(uid)) {
        await runtime.stop(handle.id, 0)
        runtime.remove(handle.id)
        return
      }
      events.event(pod, 'Normal', 'Created', `Container created`)
      events.event(pod, 'Normal', 'Started', `Container started`)
      this.#set(uid, container.name, {
        phase: 'running',
        id: handle.id,
        imageId: handle.imageId,
        startedAt: handle.startedAt,
        notBefore: 0,
        probes: this.#probesOf(container, handle.startedAt),
      })
    } catch (error) {
      this.#set(uid, container.name, {
        ...newContainer(container.name),
        restarts: state.restarts,
        reason: 'CreateContainerError',
        message: (error as Error).message,
        notBefore: this.#options.env.clock.now() + MOUNT_RETRY_MS,
      })
    }
    this.#options.lookAgain(key, 0)
  }

  /** Everything has ended: the status says so once more, then the object goes. */
  async #release(pod: Pod, uid: string): Promise<void> {
    const { client } = this.#options
    const { namespace, name } = pod.metadata
    try {
      await client.delete(podKind, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } })
    } catch (error) {
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
    }
    // With finalizers the object stays; nothing of it runs any more either way.
    this.#options.addresses.release(uid)
  }

  async #report(pod: Pod, uid: string): Promise<void> {
    const { client, env, hostIP } = this.#options
    const status = podStatusOf(pod, this.#record(uid), hostIP, env.clock.now())
    if (Object.entries(status).every(([field, value]) => isWritten(pod, field, value))) return
    const { namespace, name } = pod.metadata
    // A reason that holds no longer must go: in a patch what is not named stays.
    const conditions = status.conditions?.map((condition) => ({ reason: null, message: null, ...condition }))
    const patch = { metadata: { uid }, status: { ...status, conditions } }
    await client.patch(podKind, { namespace, name }, 'strategic', patch, { subresource: 'status' })
  }
}

/** Whether the stored status says this already; conditions are a part of a longer list. */
function isWritten(pod: Pod, field: string, value: unknown): boolean {
  const stored = (pod.status as Readonly<Record<string, unknown>> | undefined)?.[field]
  if (field !== 'conditions') return deepEqual(stored, value)
  const conditions = (stored ?? []) as readonly { readonly type: string }[]
  return (value as readonly { readonly type: string }[]).every((condition) =>
    deepEqual(
      conditions.find(({ type }) => type === condition.type),
      condition,
    ),
  )
}

function anyStarted({ containers }: PodRecord): boolean {
  return [...containers.values()].some(({ startedAt }) => startedAt !== undefined)
}
