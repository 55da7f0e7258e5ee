import { parseDuration } from '../../api/duration.ts'
import type { V1Container } from '../../api/generated/types.ts'
import { isPodTerminal, type Pod } from '../../api/pods.ts'
import type { ContainerHandle } from '../runtimes/runtime.ts'
import type { Surroundings } from '../runtimes/surroundings.ts'
import { type ActingPod, ContainerActions } from './container-actions.ts'
import { subPathFault } from './environment.ts'
import { neverPulled, pullBackOff, unreadableName } from './image-pull.ts'
import { nextSteps, type Step } from './next-step.ts'
import { type PodDisk, podDisk } from './pod-disk.ts'
import { areDown, podStatusOf, restartHeldBack } from './pod-status.ts'
import type { PodWorkerOptions } from './pod-worker-options.ts'
import { askProbes, probeEvents, probesOf } from './probing.ts'
import {
  allContainers,
  type ContainerRecord,
  containerStatusOf,
  endedContainers,
  type Failure,
  fieldPathOf,
  isRunning,
  type PodRecord,
  resetContainer,
  withNewContainers,
} from './record.ts'
import { heldAgain, heldBack, mountTimedOut, NOT_HELD } from './references.ts'
import { belowUsage, isResized, isUnderWay, needsRestart, resizeMessage } from './resize.ts'
import { ContainerSurroundings } from './volume-files.ts'

/** A resize that has to wait is tried again this often. */
const RESIZE_RETRY_MS = 10_000

/**
 * One pod on its node: look, decide (nextSteps), do, report. Pulls, starts and stops run beside it and bring the pod
 * back when they end, so that `sync` never waits for one. Status is written only when it says something new.
 */
export class PodWorker implements ActingPod {
  readonly #options: PodWorkerOptions
  readonly #key: string
  readonly #actions: ContainerActions
  #record: PodRecord
  #held = NOT_HELD
  /** What the last write of the status returned: the watch may show an older form for a moment. */
  #written: Pod | undefined
  #pod: Pod
  /** The status of this pod says what this record says. */
  #reported: { readonly pod: Pod; readonly record: PodRecord } | undefined
  #ended = false

  constructor(options: PodWorkerOptions, key: string, pod: Pod, record: PodRecord) {
    this.#options = options
    this.#key = key
    this.#record = record
    this.#pod = pod
    this.#actions = new ContainerActions(options, this)
    for (const { container, state } of this.#running()) {
      const { ready: isReady = false, started: isStarted = false } =
        containerStatusOf(pod, container.name) ?? {}
      const found = { isReady, isStarted, now: options.env.clock.now() }
      this.set(container.name, { probes: probesOf(container, state.startedAt ?? found.now, found) })
    }
  }

  /** The node has taken it: it counts against the node's resources. */
  get isTaken(): boolean {
    return this.#record.failure === undefined
  }

  /** It has not come to its end. */
  get isActive(): boolean {
    return this.isTaken && !isPodTerminal(this.#pod)
  }

  /** Nothing of it runs. */
  get isDown(): boolean {
    return areDown(this.#record)
  }

  /** What it has on the node's disk. */
  disk(): PodDisk {
    const { runtime } = this.#options
    const usage = this.#running().map(({ container, id }) => ({ container, ...runtime.usage(id) }))
    return podDisk(this.#pod, usage, this.#options.files)
  }

  get pod(): Pod {
    return this.#pod
  }

  /** Containers that ran before this process began. */
  found(): { readonly container: V1Container; readonly handle: ContainerHandle }[] {
    return this.#running().map(({ container, state: { id = '', imageId, startedAt = 0 } }) => ({
      container,
      handle: { id, imageId, startedAt },
    }))
  }

  /** Containers that ended, the last two ends of each, as long as their logs are kept. */
  ended(): ReturnType<PodWorker['found']> {
    return endedContainers(this.#pod, this.#record)
  }

  surroundings(container: V1Container): Surroundings {
    const { node, hostIP, sources, files } = this.#options
    const place = { node, hostIP, podIP: this.#record.podIP ?? '', allocatable: this.#options.allocatable() }
    return new ContainerSurroundings(this, container, place, sources, files)
  }

  /** It runs no longer, and never again. */
  giveUp(failure: Failure): void {
    this.#record = { ...this.#record, failure }
  }

  /** Nothing more is done or written. */
  stop(): void {
    this.#ended = true
  }

  /** Ends and forgets all its containers. */
  end(): void {
    this.#ended = true
    const { runtime } = this.#options
    for (const { id, lastExit } of this.#record.containers.values()) {
      if (lastExit) runtime.remove(lastExit.id)
      if (id !== undefined) void runtime.stop(id, 0).then(() => runtime.remove(id))
    }
  }

  async sync(seen: Pod): Promise<void> {
    if (this.#ended) return
    const pod = this.#newest(seen)
    this.#pod = pod
    this.#record = withNewContainers(this.#record, pod)
    this.#observe()
    this.#probe()
    this.#resize(pod)
    const { env, runtime, node, lookAgain, settings } = this.#options
    const record = this.#record
    const isHeld = this.#isHeld(pod)
    const plan = nextSteps({
      pod,
      record,
      hasImage: (image) => runtime.hasImage(node, image),
      now: env.clock.now(),
      backoffMaxMs: parseDuration(settings().crashLoopBackOff?.maxContainerRestartPeriod ?? ''),
    })
    const steps = isHeld ? plan.steps.filter((step) => step.do !== 'pull' && step.do !== 'start') : plan.steps
    for (const step of steps) if (step.do !== 'release') this.#perform(step)
    await this.#report(pod)
    if (steps.some((step) => step.do === 'release')) return this.#options.reports.release(pod)
    if (isHeld) lookAgain(this.#key, Math.max(1, this.#held.until - env.clock.now()))
    if (steps.some((step) => ADVANCES.has(step.do))) lookAgain(this.#key, 0)
    else if (plan.lookAt !== Number.POSITIVE_INFINITY)
      lookAgain(this.#key, Math.max(1, plan.lookAt - env.clock.now()))
  }

  #newest(seen: Pod): Pod {
    const version = ({ metadata }: Pod) => Number(metadata.resourceVersion ?? 0)
    if (this.#written && version(this.#written) > version(seen)) return this.#written
    this.#written = undefined
    return seen
  }

  set(name: string, change: Partial<ContainerRecord>): void {
    const before = this.#record.containers.get(name)
    if (!before) return
    const containers = new Map(this.#record.containers).set(name, { ...before, ...change })
    this.#record = { ...this.#record, containers }
  }

  #running(): { readonly container: V1Container; readonly state: ContainerRecord; readonly id: string }[] {
    return allContainers(this.#pod).flatMap(({ container }) => {
      const state = this.#record.containers.get(container.name)
      const isUp = state !== undefined && isRunning(state.phase)
      return isUp && state.id !== undefined ? [{ container, state, id: state.id }] : []
    })
  }

  /** Takes note of containers that ended. They stay in the runtime, for their logs, until the next but one starts. */
  #observe(): void {
    for (const { container, state, id } of this.#running()) {
      const exit = this.#options.runtime.find(id)?.exit
      if (!exit) continue
      const { at, ...how } = exit
      const ended = { ...how, startedAt: state.startedAt ?? at, finishedAt: at, id }
      this.set(container.name, {
        phase: 'exited',
        exit: ended,
        notBefore: 0,
        probes: {},
        stopBy: Number.POSITIVE_INFINITY,
        isStarting: false,
        isEnding: false,
      })
    }
  }

  #probe(): void {
    const { env, runtime } = this.#options
    for (const { container, state, id } of this.#running()) {
      if (state.isStarting) continue
      const { probes, failed } = askProbes(container, state, env.clock.now(), (probe) =>
        runtime.probe(id, probe, this.#record.podIP ?? ''),
      )
      this.set(container.name, { probes })
      for (const each of failed)
        for (const event of probeEvents(container, each)) this.event(...event, container)
    }
  }

  /** Gives containers the sizes their pod asks for now, as soon as the node can. */
  #resize(pod: Pod): void {
    const { runtime, resizeWait, lookAgain } = this.#options
    const resized = this.#running().filter(({ container, state }) => isResized(container, state))
    const wait = resized.length > 0 && this.isTaken ? resizeWait(pod) : undefined
    const before = this.#record
    const tell = (type: 'Normal' | 'Warning', reason: string, what: string, error?: string) =>
      this.event(type, `Resize${reason}`, resizeMessage(what, pod, error))
    if (wait && wait.reason !== before.resizeWait?.reason)
      tell('Warning', wait.reason, wait.reason, wait.message)
    if (wait ?? before.resizeWait) this.#record = { ...before, resizeWait: wait }
    if (wait) {
      lookAgain(this.#key, RESIZE_RETRY_MS)
      return
    }
    const errors: string[] = []
    if (resized.length > 0 && !before.isResizing) tell('Normal', 'Started', 'started')
    for (const { container, state, id } of resized) {
      if (needsRestart(container, state.resources)) {
        const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000
        this.#actions.stop(container, state, graceMs, `Container ${container.name} resize requires restart`)
        continue
      }
      const error = belowUsage(container, state.resources, runtime.usage(id).memory)
      if (error !== undefined) {
        errors.push(error)
        continue
      }
      runtime.resize(id, container)
      this.set(container.name, { resources: container.resources })
    }
    const [error] = errors
    if (error !== undefined && error !== before.resizeError) tell('Warning', 'Error', 'error', error)
    if (error !== undefined) lookAgain(this.#key, RESIZE_RETRY_MS)
    const isResizing =
      (resized.length > 0 || before.isResizing === true) && isUnderWay(pod, this.#record.containers)
    if ((resized.length > 0 || before.isResizing) && !isResizing) tell('Normal', 'Completed', 'completed')
    if (resized.length > 0 || before.isResizing)
      this.#record = { ...this.#record, isResizing, resizeError: error }
  }

  /** Before the first container: all volumes are there, and an address. */
  #isHeld(pod: Pod): boolean {
    if (pod.metadata.deletionTimestamp !== undefined || this.#record.failure) return false
    const { sources, takeAddress, env } = this.#options
    const now = env.clock.now()
    if (now < this.#held.until) return true
    const { podIP, why } = heldBack(pod, this.#record, sources.data, takeAddress)
    this.#record = { ...this.#record, podIP }
    this.#held = why ? heldAgain(this.#held, why, now) : NOT_HELD
    if (why) this.event('Warning', ...why)
    if (this.#held.isLong) this.event('Warning', ...mountTimedOut(pod, sources.data))
    return why !== undefined
  }

  event(type: 'Normal' | 'Warning', reason: string, message: string, container?: V1Container): void {
    if (this.#ended || this.#options.isCut()) return
    const fieldPath = container && fieldPathOf(this.#pod, container.name)
    this.#options.events.event(this.#pod, type, reason, message, fieldPath)
  }

  #perform(step: Exclude<Step, { do: 'release' }>): void {
    if (step.do === 'fail-pod') {
      const { reason, message } = step
      if (reason !== '') this.event('Normal', reason, message)
      this.#record = { ...this.#record, failure: { reason, message } }
      return
    }
    if (step.do === 'restart-all') {
      this.#reset()
      return
    }
    const { container } = step
    const { name, image = '' } = container
    const state = this.#record.containers.get(name)
    if (!state) return
    switch (step.do) {
      case 'pull':
        void this.#actions.pull(container, step.image)
        return
      case 'pull-back-off':
      case 'refuse-name':
      case 'refuse-pull': {
        const { events, ...why } =
          step.do === 'pull-back-off'
            ? pullBackOff(state.pulled ?? image, state.message)
            : step.do === 'refuse-name'
              ? unreadableName(step.image, step.why)
              : neverPulled(step.image)
        for (const event of events) this.event(...event, container)
        this.set(name, why)
        return
      }
      case 'announce-stop':
        this.#actions.announceStop(container, state, step.graceMs)
        return
      case 'kill':
        this.#actions.kill(container, state)
        return
      case 'start':
        this.#actions.begin(container, state)
        return
      case 'stop':
        this.#actions.stop(
          container,
          state,
          step.graceMs,
          step.why === ''
            ? `Stopping container ${name}`
            : step.why === 'change'
              ? `Container ${name} definition changed, will be restarted`
              : '',
        )
        if (step.why === 'change') this.set(name, { isChanged: true })
        return
      case 'back-off': {
        const from = state.exit?.finishedAt ?? this.#options.env.clock.now()
        this.set(name, { backoffMs: step.ms, notBefore: Math.max(1, from + step.ms) })
        if (step.ms > 0) this.event('Warning', 'BackOff', restartHeldBack(this.#pod, name), container)
      }
    }
  }

  /** All but what somebody debugs with begins at the beginning. */
  #reset(): void {
    for (const { container, kind } of allContainers(this.#pod)) {
      const state = this.#record.containers.get(container.name)
      if (kind === 'ephemeral' || !state) continue
      if (state.exit && state.lastExit) this.#options.runtime.remove(state.lastExit.id)
      this.set(container.name, resetContainer(state))
    }
  }

  get isEnded(): boolean {
    return this.#ended
  }

  state(container: string): ContainerRecord | undefined {
    return this.#record.containers.get(container)
  }

  mountFault(container: V1Container): string | undefined {
    if (!container.volumeMounts?.some(({ subPathExpr }) => subPathExpr)) return undefined
    const { env, serviceEnv } = this.surroundings(container)
    return subPathFault(container, { ...serviceEnv, ...env })
  }

  prepare(container: V1Container): Surroundings {
    this.#options.files.renew(container.name)
    return this.surroundings(container)
  }

  again(afterMs = 0): void {
    if (!this.#ended) this.#options.lookAgain(this.#key, afterMs)
  }

  async #report(pod: Pod): Promise<void> {
    const { reports, env, hostIP } = this.#options
    const record = this.#record
    // Its own write comes back as news, and says what it said.
    if (this.#reported?.pod === pod && this.#reported.record === record) return
    const status = podStatusOf(pod, record, hostIP, env.clock.now())
    const written = await reports.status(pod, status)
    this.#written = written ?? this.#written
    this.#reported = { pod: written ?? pod, record }
  }
}

/** Steps after which there is more to decide at once. */
const ADVANCES: ReadonlySet<Step['do']> = new Set(['fail-pod', 'back-off', 'pull-back-off', 'restart-all'])
