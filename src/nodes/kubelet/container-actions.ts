import type { V1Container } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import type { Surroundings } from '../runtimes/surroundings.ts'
import { endContainer, runHook } from './hooks.ts'
import { pullImage } from './image-pull.ts'
import { nextPullBackoffMs } from './next-step.ts'
import type { PodWorkerOptions } from './pod-worker-options.ts'
import { probesOf } from './probing.ts'
import type { ContainerRecord } from './record.ts'
import { environmentReferences, missingReference } from './references.ts'

/** What could not be created is tried again after this time (pod_workers.go backOffPeriod). */
const RETRY_MS = 10_000

/** The pod that is acted for. */
export interface ActingPod {
  readonly pod: Pod
  /** Whoever comes back after a wait may find that the pod is given up. */
  readonly isEnded: boolean
  state(container: string): ContainerRecord | undefined
  set(container: string, change: Partial<ContainerRecord>): void
  event(type: 'Normal' | 'Warning', reason: string, message: string, container: V1Container): void
  /** Why its volumes cannot be mounted as it wants them. */
  mountFault(container: V1Container): string | undefined
  /** What is prepared around a container that is about to start. */
  prepare(container: V1Container): Surroundings
  again(afterMs?: number): void
}

/** Pulls, starts and ends containers beside the worker of their pod, and brings the pod back when something came of it. */
export class ContainerActions {
  readonly #options: PodWorkerOptions
  readonly #for: ActingPod
  /** Of containers that have been told to end, by id; undefined: they have none. */
  #preStops: Map<string, Promise<string | undefined> | undefined> | undefined

  constructor(options: PodWorkerOptions, acting: ActingPod) {
    this.#options = options
    this.#for = acting
  }

  /** Its own image, or one that it mounts as a volume. */
  async pull(container: V1Container, image: string): Promise<void> {
    const { env, runtime, node } = this.#options
    const { name } = container
    this.#for.set(name, { phase: 'pulling', pulled: image })
    const failure = await pullImage(env, runtime, node, image, (...event) =>
      this.#for.event(...event, container),
    )
    const state = this.#for.state(name)
    if (!state) return
    if (failure === undefined) {
      // The wait of one that ran before is for its crashes, not for its image.
      const backoffMs = state.exit || state.isReset ? state.backoffMs : 0
      const reason = image === container.image ? 'ImagePulled' : 'ContainerCreating'
      const notBefore = state.exit ? state.notBefore : 0
      this.#for.set(name, { phase: 'waiting', reason, message: '', backoffMs, notBefore })
    } else {
      const backoffMs = nextPullBackoffMs(state)
      const notBefore = env.clock.now() + backoffMs
      this.#for.set(name, {
        phase: 'waiting',
        reason: 'ErrImagePull',
        message: failure,
        backoffMs,
        notBefore,
      })
    }
    this.#for.again()
  }

  /** Starts it, if what its environment names is there. */
  begin(container: V1Container, state: ContainerRecord): void {
    const { sources, env } = this.#options
    const { namespace = '' } = this.#for.pod.metadata
    const missing =
      missingReference(environmentReferences(container), sources.data, namespace) ??
      this.#for.mountFault(container)
    if (missing === undefined) {
      void this.#start(container, state)
      return
    }
    this.#for.event('Warning', 'Failed', `Error: ${missing}`, container)
    this.#for.set(container.name, {
      phase: 'waiting',
      reason: 'CreateContainerConfigError',
      message: missing,
      notBefore: env.clock.now() + RETRY_MS,
    })
    this.#for.again(RETRY_MS)
  }

  async #start(container: V1Container, state: ContainerRecord): Promise<void> {
    const { runtime, node, env } = this.#options
    const { name, image } = container
    if (state.reason !== 'ImagePulled') {
      const message = `Container image "${image}" already present on machine and can be accessed by the pod`
      this.#for.event('Normal', 'Pulled', message, container)
    }
    this.#for.set(name, { phase: 'starting', reason: 'ContainerCreating', message: '' })
    try {
      const surroundings = this.#for.prepare(container)
      const { id, imageId, startedAt } = await runtime.start(node, this.#for.pod, container, surroundings)
      if (this.#for.isEnded) {
        await runtime.stop(id, 0)
        return runtime.remove(id)
      }
      if (state.exit && state.lastExit) runtime.remove(state.lastExit.id)
      this.#for.event('Normal', 'Created', 'Container created', container)
      this.#for.event('Normal', 'Started', 'Container started', container)
      this.#for.set(name, {
        phase: 'running',
        isStarting: container.lifecycle?.postStart !== undefined,
        id,
        image,
        imageId,
        startedAt,
        resources: container.resources,
        notBefore: 0,
        probes: probesOf(container, startedAt),
        ...(state.exit ? { lastExit: state.exit, exit: undefined } : {}),
        ...(state.exit || state.isReset ? { restarts: state.restarts + 1, isReset: false } : {}),
        isChanged: false,
      })
    } catch (error) {
      const { message } = error as Error
      this.#for.event('Warning', 'Failed', `Error: ${message}`, container)
      const notBefore = env.clock.now() + RETRY_MS
      this.#for.set(name, { phase: 'waiting', reason: 'CreateContainerError', message, notBefore })
    }
    this.#for.again()
    await this.#afterStart(container)
  }

  /** A container whose hook fails is ended, and restarted as its policy says. */
  async #afterStart(container: V1Container): Promise<void> {
    const { env, runtime } = this.#options
    const { postStart } = container.lifecycle ?? {}
    const { id, phase } = this.#for.state(container.name) ?? {}
    if (!postStart || id === undefined || phase !== 'running') return
    const failure = await runHook(env, runtime, id, postStart, Number.MAX_SAFE_INTEGER)
    const state = this.#for.state(container.name)
    if (state?.id !== id) return
    // Its probes wait until then.
    const probes = probesOf(container, env.clock.now())
    if (state.phase === 'running') this.#for.set(container.name, { isStarting: false, probes })
    if (failure !== undefined) {
      this.#for.event('Warning', 'FailedPostStartHook', 'PostStartHook failed', container)
      if (state.phase === 'running') this.stop(container, state, this.#graceMs(), 'FailedPostStartHook')
    }
    this.#for.again()
  }

  /** `why`, if it says something, is told as an event. Of one that is stopping: ends it sooner. */
  stop(container: V1Container, { id, phase }: ContainerRecord, graceMs: number, why: string): void {
    if (id === undefined) return
    const isTold = phase === 'stopping' || this.#preStops?.has(id) === true
    if (why !== '' && !isTold) this.#for.event('Normal', 'Killing', why, container)
    this.#for.set(container.name, { phase: 'stopping', stopBy: this.#options.env.clock.now() + graceMs })
    // Its hook has begun with the first stop.
    if (phase !== 'stopping') this.#beginPreStop(container, id, graceMs)
    void this.#terminate(id, graceMs)
  }

  /** It runs on until its turn has come; its hook does not wait for that. */
  announceStop(container: V1Container, { id }: ContainerRecord, graceMs: number): void {
    if (id === undefined) return
    this.#for.event('Normal', 'Killing', `Stopping container ${container.name}`, container)
    this.#for.set(container.name, { isEnding: true })
    this.#beginPreStop(container, id, graceMs)
  }

  /** Once for each container. */
  #beginPreStop(container: V1Container, id: string, graceMs: number): void {
    if (this.#preStops?.has(id)) return
    const { env, runtime } = this.#options
    const { preStop } = container.lifecycle ?? {}
    const hook = preStop && graceMs > 0 ? runHook(env, runtime, id, preStop, graceMs) : undefined
    this.#preStops ??= new Map()
    this.#preStops.set(id, hook)
    void hook?.then((failure) => {
      if (failure === undefined) return
      this.#for.event('Warning', 'FailedPreStopHook', 'PreStopHook failed', container)
    })
  }

  /** Ends it at once, without its hook. */
  kill(container: V1Container, { id }: ContainerRecord): void {
    if (id === undefined) return
    this.#for.set(container.name, { phase: 'stopping', stopBy: this.#options.env.clock.now() })
    void this.#options.runtime.stop(id, 0).then(() => this.#for.again())
  }

  /** An earlier end overtakes the hook. */
  async #terminate(id: string, graceMs: number): Promise<void> {
    const { env, runtime } = this.#options
    await endContainer(env, runtime, id, this.#preStops?.get(id), graceMs)
    this.#preStops?.delete(id)
    this.#for.again()
  }

  #graceMs(): number {
    return (this.#for.pod.spec.terminationGracePeriodSeconds ?? 30) * 1000
  }
}
