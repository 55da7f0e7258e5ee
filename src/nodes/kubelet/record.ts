import { parseDuration } from '../../api/duration.ts'
import type { V1Container, V1ContainerStatus, V1ResourceRequirements } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { isSidecar } from '../../api/pods.ts'
import { parseTime } from '../../base/date.ts'
import type { ContainerHandle } from '../runtimes/runtime.ts'
import type { ProbeState } from './probe-state.ts'

/** Where one container is in its life, as its kubelet knows it. Replaced, never changed. */
export interface ContainerRecord {
  readonly name: string
  readonly phase: 'waiting' | 'pulling' | 'starting' | 'running' | 'stopping' | 'exited'
  /** It runs, and so does its postStart hook: until that is over it is shown as it was before, and the next one waits. */
  readonly isStarting?: boolean | undefined
  /** What it was started from; the pod may name another one by now. */
  readonly image?: string | undefined
  /** It ends for that: it starts again whatever its policy. */
  readonly isChanged?: boolean | undefined
  /** It has been told to end, and waits until others have. */
  readonly isEnding?: boolean | undefined
  /** It has run, and was set back with all of its pod: its next start counts as a restart, and init containers come first. */
  readonly isReset?: boolean | undefined
  /** Why it waits: ContainerCreating, PodInitializing, CrashLoopBackOff, ErrImagePull, ImagePullBackOff … */
  readonly reason: string
  readonly message: string
  readonly id: string | undefined
  readonly imageId: string
  /** The image that was pulled last for it: its own, or one that it mounts as a volume. */
  readonly pulled?: string | undefined
  readonly restarts: number
  readonly startedAt: number | undefined
  /** What it was given; undefined until it runs, and where nobody wrote it down. */
  readonly resources?: V1ResourceRequirements | undefined
  readonly exit: Ended | undefined
  readonly lastExit: Ended | undefined
  /** Not before this time is it started (or its image pulled) again. Epoch ms. */
  readonly notBefore: number
  readonly backoffMs: number
  /** While it is stopping: killed at this time (epoch ms). */
  readonly stopBy: number
  readonly probes: Readonly<Partial<Record<'startup' | 'readiness' | 'liveness', ProbeState>>>
}

export interface Ended {
  readonly code: number
  readonly reason: string
  readonly startedAt: number
  readonly finishedAt: number
  readonly id: string
  /** What it left to be told of its end. */
  readonly message?: string | undefined
}

/** What a kubelet remembers of a pod. */
export interface PodRecord {
  readonly containers: ReadonlyMap<string, ContainerRecord>
  readonly podIP: string | undefined
  readonly startTime: number
  /** It asks for other sizes than it has, and cannot have them now. */
  readonly resizeWait?: ResizeWait | undefined
  /** A resize that has been told to have begun. */
  readonly isResizing?: boolean | undefined
  /** Why it gets no further. */
  readonly resizeError?: string | undefined
  /** The pod has been given up: it will not run (again). */
  readonly failure?: Failure | undefined
}

/** Why a resize waits: another pod is in its way (Deferred), or the node could never do it (Infeasible). */
export interface ResizeWait {
  readonly reason: string
  readonly message: string
}

export interface Failure {
  readonly reason: string
  readonly message: string
  /** The node refused it: it never had a container. */
  readonly isRejected?: boolean
  /** The node ends it for a reason of its own, as its DisruptionTarget condition says it. */
  readonly disruption?: string
  /** How long its containers have to end; absent: as long as the pod says. */
  readonly graceMs?: number
}

export function newContainer(name: string): ContainerRecord {
  return {
    name,
    phase: 'waiting',
    reason: 'ContainerCreating',
    message: '',
    id: undefined,
    imageId: '',
    restarts: 0,
    startedAt: undefined,
    exit: undefined,
    lastExit: undefined,
    notBefore: 0,
    backoffMs: 0,
    stopBy: Number.POSITIVE_INFINITY,
    probes: {},
  }
}

/** Nothing of it runs. A pull is given up with the pod (the image may still arrive); a start has to be seen through. */
export function isDown(phase: ContainerRecord['phase']): boolean {
  return phase === 'exited' || phase === 'waiting' || phase === 'pulling'
}

export function isRunning(phase: ContainerRecord['phase']): boolean {
  return phase === 'running' || phase === 'stopping'
}

/** Ephemeral containers are what somebody debugs with: they start once, at any time, and hold up nobody. */
export type ContainerKind = 'init' | 'sidecar' | 'main' | 'ephemeral'

export function allContainers(
  pod: Pod,
): readonly { readonly container: V1Container; readonly kind: ContainerKind }[] {
  return [
    ...(pod.spec.initContainers ?? []).map((container) => ({
      container,
      kind: isSidecar(container) ? ('sidecar' as const) : ('init' as const),
    })),
    ...pod.spec.containers.map((container) => ({ container, kind: 'main' as const })),
    ...(pod.spec.ephemeralContainers ?? []).map((container) => ({ container, kind: 'ephemeral' as const })),
  ]
}

/**
 * What was known of a pod before this process began, from its status: containers that ran go on, counts and backoffs
 * stay. A restart of the control plane restarts no container.
 */
export function restoreRecord(pod: Pod, now: number): PodRecord {
  const restored = allContainers(pod).map(({ container }) =>
    restoreContainer(container.name, containerStatusOf(pod, container.name), now),
  )
  return {
    containers: new Map(
      (isInitializingAgain(pod) ? restored.map(asReset) : restored).map((state) => [state.name, state]),
    ),
    podIP: pod.status?.podIP || undefined,
    startTime: parseTime(pod.status?.startTime) ?? now,
    ...(pod.status?.phase === 'Failed' && pod.status.reason
      ? { failure: { reason: pod.status.reason, message: pod.status.message ?? '' } }
      : {}),
  }
}

/** All of it was set back: init containers have to run again, and what has run waits for them. */
function isInitializingAgain(pod: Pod): boolean {
  const ran = pod.spec.containers.every(({ name }) => {
    const { state, lastState } = containerStatusOf(pod, name) ?? {}
    return state?.waiting && lastState?.terminated
  })
  return (
    ran &&
    allContainers(pod).some(({ container: { name }, kind }) => {
      const { state } = containerStatusOf(pod, name) ?? {}
      return kind === 'init' && state?.terminated?.exitCode !== 0
    })
  )
}

function asReset(state: ContainerRecord): ContainerRecord {
  if (state.phase !== 'waiting' || !state.exit) return state
  return { ...state, isReset: true, lastExit: state.exit, exit: undefined }
}

/** As if it had never run, but for what is counted. */
export function resetContainer(state: ContainerRecord): ContainerRecord {
  const { name, restarts, imageId, exit, lastExit, backoffMs } = state
  const isReset = exit !== undefined || state.isReset === true
  return { ...newContainer(name), restarts, imageId, backoffMs, lastExit: exit ?? lastExit, isReset }
}

/** The last two ends of each container. */
export function endedContainers(
  pod: Pod,
  { containers }: Pick<PodRecord, 'containers'>,
): { readonly container: V1Container; readonly handle: ContainerHandle }[] {
  return allContainers(pod).flatMap(({ container }) => {
    const { exit, lastExit, imageId = '' } = containers.get(container.name) ?? {}
    return [lastExit, exit].flatMap((ended) => {
      if (!ended?.id) return []
      const { id, startedAt, finishedAt, ...how } = ended
      return [{ container, handle: { id, imageId, startedAt, exit: { ...how, at: finishedAt } } }]
    })
  })
}

/** What the pod's status says of one of its containers, of any kind. */
export function containerStatusOf({ status }: Pod, name: string): V1ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = status ?? {}
  const statuses = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses]
  return statuses.find((each) => each.name === name)
}

/** How events name a container: "spec.containers{app}". */
export function fieldPathOf({ spec }: Pod, name: string): string {
  const fields = ['initContainers', 'ephemeralContainers'] as const
  const field = fields.find((each) => spec[each]?.some((container) => container.name === name))
  return `spec.${field ?? 'containers'}{${name}}`
}

/** With a record of each container that was added while the pod runs. */
export function withNewContainers(record: PodRecord, pod: Pod): PodRecord {
  const added = (pod.spec.ephemeralContainers ?? []).filter(({ name }) => !record.containers.has(name))
  if (added.length === 0) return record
  const containers = new Map(record.containers)
  for (const { name } of added) containers.set(name, newContainer(name))
  return { ...record, containers }
}

const BACKOFF_MIN_MS = 10_000

/** "back-off 2m40s restarting failed container=…" says how far the backoff had come. */
function backoffOf(message = ''): number {
  return parseDuration(/^back-off (\S+) /.exec(message)?.[1] ?? '') ?? BACKOFF_MIN_MS
}

/** Init containers have done their part: a main container has been started, which happens only then. */
export function isInitialized(pod: Pod, { containers }: Pick<PodRecord, 'containers'>): boolean {
  return pod.spec.containers.some(({ name }) => {
    const state = containers.get(name)
    if (state === undefined || state.isReset) return false
    return state.startedAt !== undefined || state.exit !== undefined || state.restarts > 0
  })
}

function restoreContainer(name: string, status: V1ContainerStatus | undefined, now: number): ContainerRecord {
  const base = newContainer(name)
  if (!status) return base
  const lastExit = endedOf(status.lastState?.terminated)
  const known = { ...base, restarts: status.restartCount, imageId: status.imageID ?? '', lastExit }
  const { running, terminated, waiting } = status.state ?? {}
  if (running)
    return {
      ...known,
      phase: 'running',
      image: status.image,
      id: status.containerID,
      startedAt: parseTime(running.startedAt) ?? now,
      resources: status.resources,
    }
  if (terminated) return { ...known, phase: 'exited', id: status.containerID, exit: endedOf(terminated) }
  const { reason = base.reason, message = '' } = waiting ?? {}
  // What ran before is the end that its next start counts as a restart of.
  const held = { ...known, id: status.containerID, exit: lastExit, lastExit: undefined, reason, message }
  if (reason !== 'CrashLoopBackOff') return held
  const backoffMs = backoffOf(message)
  return { ...held, phase: 'exited', backoffMs, notBefore: (lastExit?.finishedAt ?? now) + backoffMs }
}

type Terminated = NonNullable<NonNullable<V1ContainerStatus['state']>['terminated']>

function endedOf(terminated: Terminated | undefined): Ended | undefined {
  if (!terminated) return undefined
  return {
    code: terminated.exitCode,
    reason: terminated.reason ?? 'Error',
    startedAt: parseTime(terminated.startedAt) ?? 0,
    finishedAt: parseTime(terminated.finishedAt) ?? 0,
    id: terminated.containerID ?? '',
    ...(terminated.message ? { message: terminated.message } : {}),
  }
}
