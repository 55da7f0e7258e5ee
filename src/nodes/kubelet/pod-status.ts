import { findCondition, setCondition } from '../../api/conditions.ts'
import { formatDuration } from '../../api/duration.ts'
import type {
  V1Container,
  V1ContainerStatus,
  V1PodCondition,
  V1PodStatus,
} from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { podRequests } from '../../api/pods.ts'
import { qosClassOf } from '../../api/resource-requests.ts'
import { CONFIG_SOURCE } from '../../api/static-pods.ts'
import { formatTime } from '../../base/date.ts'
import { deepEqual } from '../../base/json.ts'
import {
  allContainers,
  type ContainerKind,
  type ContainerRecord,
  type Ended,
  isDown,
  isInitialized,
  isRunning,
  type PodRecord,
} from './record.ts'
import { RESIZE_CONDITIONS, resizeConditions } from './resize.ts'
import { mayRestartAll, restarts, restartsAll } from './restart-policy.ts'

/** The PodStatus that follows from what a kubelet knows (kubelet_pods.go generateAPIPodStatus). Pure. */
export function podStatusOf(pod: Pod, record: PodRecord, hostIP: string, now: number): V1PodStatus {
  const observed =
    pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }
  if (record.failure?.isRejected) {
    const { reason, message } = record.failure
    const startTime = formatTime(record.startTime)
    return { ...observed, phase: 'Failed', reason, message, startTime, qosClass: qosClassOf(pod.spec) }
  }
  const of = (kinds: readonly string[]) =>
    allContainers(pod)
      .filter(({ kind }) => kinds.includes(kind))
      .flatMap(({ container, kind }) => {
        const state = record.containers.get(container.name)
        return state ? [containerStatus(pod, container.image ?? '', kind, state, record)] : []
      })
  const inits = of(['init', 'sidecar'])
  const mains = of(['main'])
  const ephemerals = of(['ephemeral'])
  const phase = phaseOf(pod, record)
  // Nobody hears of it before all of it has ended (status_manager.go mergePodStatus).
  const failure = areDown(record) ? record.failure : undefined
  const conditions = conditionsOf(pod, record, phase, now)
  return {
    ...observed,
    phase,
    conditions,
    ...(failure?.reason ? { reason: failure.reason, message: failure.message } : {}),
    ...(hostIP ? { hostIP, hostIPs: [{ ip: hostIP }] } : {}),
    ...(record.podIP ? { podIP: record.podIP, podIPs: [{ ip: record.podIP }] } : {}),
    startTime: formatTime(record.startTime),
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    containerStatuses: mains,
    ...(ephemerals.length > 0 ? { ephemeralContainerStatuses: ephemerals } : {}),
    ...(pod.spec.resources ? { allocatedResources: podRequests(pod), resources: pod.spec.resources } : {}),
    qosClass: qosClassOf(pod.spec),
  }
}

/** In the order of kubelet_pods.go getPhase: a pod is pending until each of its main containers has once been started. */
function phaseOf(pod: Pod, record: PodRecord): string {
  const { containers, failure } = record
  const areAllDown = areDown(record)
  const hasSucceeded = ({ name }: V1Container) => containers.get(name)?.exit?.code === 0
  const haveSucceeded = pod.spec.containers.every(
    (container) => containers.get(container.name)?.phase === 'exited' && hasSucceeded(container),
  )
  if (failure) return areAllDown ? 'Failed' : (pod.status?.phase ?? 'Pending')
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return pod.status.phase
  if (pod.metadata.deletionTimestamp !== undefined && areAllDown)
    return haveSucceeded ? 'Succeeded' : 'Failed'
  if (!pod.spec.containers.every(({ name }) => hasRun(containers.get(name)))) return 'Pending'
  const isOver = pod.spec.containers.every((container) => {
    const state = containers.get(container.name)
    return state?.phase === 'exited' && !restarts(pod, container, 'main', state)
  })
  if (!areAllDown || !isOver || restartsAll(pod, containers)) return 'Running'
  return haveSucceeded ? 'Succeeded' : 'Failed'
}

/** It runs, or has run since its pod was made or set back. */
function hasRun(state: ContainerRecord | undefined): boolean {
  if (state === undefined || state.isReset) return false
  if (isRunning(state.phase)) return !state.isStarting || state.lastExit !== undefined
  return state.exit !== undefined || state.restarts > 0
}

export function areDown({ containers }: Pick<PodRecord, 'containers'>): boolean {
  return [...containers.values()].every(({ phase }) => isDown(phase))
}

/** Init containers that have not completed and sidecars that have not started; none once a main container has run. */
function incompleteInits(pod: Pod, record: PodRecord): readonly string[] {
  if (isInitialized(pod, record)) return []
  return allContainers(pod).flatMap(({ container, kind }) => {
    const state = record.containers.get(container.name)
    if (kind === 'init') return state?.phase === 'exited' && state.exit?.code === 0 ? [] : [container.name]
    if (kind === 'sidecar') return isStarted(state) ? [] : [container.name]
    return []
  })
}

function isStarted(state: ContainerRecord | undefined): boolean {
  const isUp = state !== undefined && isRunning(state.phase) && !state.isStarting
  return isUp && state.probes.startup?.passed !== false
}

function isReady(state: ContainerRecord | undefined): boolean {
  return isStarted(state) && state?.probes.readiness?.passed !== false
}

/** Those the kubelet writes; conditions of others (PodScheduled, DisruptionTarget, readiness gates) are theirs. */
function conditionsOf(pod: Pod, record: PodRecord, phase: string, now: number): readonly V1PodCondition[] {
  const { containers, podIP } = record
  const incomplete = incompleteInits(pod, record)
  const watched = allContainers(pod).filter(({ kind }) => kind === 'main' || kind === 'sidecar')
  const unready = watched
    .filter(({ container }) => !isReady(containers.get(container.name)))
    .map(({ container }) => container.name)
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  const completed =
    phase === 'Succeeded'
      ? { reason: 'PodCompleted' }
      : phase === 'Failed'
        ? { reason: 'PodFailed' }
        : undefined
  const gates = (pod.spec.readinessGates ?? []).filter(
    ({ conditionType }) => findCondition(pod.status?.conditions, conditionType)?.status !== 'True',
  )
  const notReady = completed ?? {
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  }
  const areReady = unready.length === 0 && !isOver
  const isInitialized = incomplete.length === 0 || phase === 'Succeeded'
  const wanted: Omit<V1PodCondition, 'lastTransitionTime'>[] = [
    { type: 'PodReadyToStartContainers', status: podIP && !isOver ? 'True' : 'False' },
    isInitialized
      ? { type: 'Initialized', status: 'True', ...(phase === 'Succeeded' ? { reason: 'PodCompleted' } : {}) }
      : {
          type: 'Initialized',
          status: 'False',
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: [${incomplete.join(' ')}]`,
        },
    areReady && gates.length === 0
      ? { type: 'Ready', status: 'True' }
      : {
          type: 'Ready',
          status: 'False',
          ...(areReady
            ? {
                reason: 'ReadinessGatesNotReady',
                message: gates.map(({ conditionType }) => gateMessage(pod, conditionType)).join(', '),
              }
            : notReady),
        },
    areReady
      ? { type: 'ContainersReady', status: 'True' }
      : { type: 'ContainersReady', status: 'False', ...notReady },
    ...resizeConditions(pod, containers, record.resizeWait, record.resizeError),
    ...restartingConditions(pod, record, completed),
    // Nobody else says so of a pod that no scheduler has seen.
    ...(areDown(record) && record.failure?.disruption !== undefined
      ? [
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'TerminationByKubelet',
            message: record.failure.disruption,
          },
        ]
      : []),
    ...(isUnscheduled(pod) ? [{ type: 'PodScheduled', status: 'True' }] : []),
  ]
  let conditions: readonly V1PodCondition[] = (pod.status?.conditions ?? []).filter(({ type }) =>
    wanted.some((condition) => condition.type === type),
  )
  for (const condition of wanted) {
    const observed = {
      ...condition,
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    }
    conditions = setCondition(conditions, observed, now)
  }
  return conditions
}

/** No scheduler has placed it: its author did, or the node itself. */
function isUnscheduled({ metadata, status }: Pod): boolean {
  if (metadata.annotations?.[CONFIG_SOURCE]) return true
  return findCondition(status?.conditions, 'PodScheduled')?.status !== 'True'
}

/** Of a pod whose containers may all start anew when one of them ends. */
function restartingConditions(
  pod: Pod,
  { containers, failure }: PodRecord,
  completed: { readonly reason: string } | undefined,
): Omit<V1PodCondition, 'lastTransitionTime'>[] {
  if (!mayRestartAll(pod)) return []
  const type = 'AllContainersRestarting'
  if (completed || failure || !restartsAll(pod, containers)) return [{ type, status: 'False', ...completed }]
  const message = 'container exited with restart policy rule'
  return [{ type, status: 'True', reason: 'RestartAllContainersStarted', message }]
}

function gateMessage(pod: Pod, type: string): string {
  const status = findCondition(pod.status?.conditions, type)?.status
  return status === undefined
    ? `corresponding condition of pod readiness gate "${type}" does not exist.`
    : `the status of pod readiness gate "${type}" is not "True", but ${status}`
}

function containerStatus(
  pod: Pod,
  image: string,
  kind: ContainerKind,
  state: ContainerRecord,
  record: PodRecord,
): V1ContainerStatus {
  const ended = state.exit ? { terminated: terminated(state.exit) } : undefined
  const last = state.lastExit ? { terminated: terminated(state.lastExit) } : undefined
  const base = {
    name: state.name,
    image: isRunning(state.phase) ? (state.image ?? image) : image,
    imageID: state.imageId,
    restartCount: state.restarts,
    ...(state.id ? { containerID: state.id } : {}),
    ...sizes(state),
  }
  if (isRunning(state.phase) && !state.isStarting) {
    return {
      ...base,
      ready: kind === 'main' || kind === 'sidecar' ? isReady(state) : false,
      started: kind === 'ephemeral' ? false : isStarted(state),
      state: { running: { startedAt: formatTime(state.startedAt ?? record.startTime) } },
      lastState: last ?? {},
    }
  }
  const isGivenUp = record.failure !== undefined || pod.metadata.deletionTimestamp !== undefined
  // It never ran, or cannot be started again for another reason than its end.
  const isAboutToStart = state.phase === 'waiting' && state.reason === 'ImagePulled'
  if (!state.exit || (state.phase === 'waiting' && !isAboutToStart && !isGivenUp)) {
    const reason = shownReason(pod, state)
    const waiting = { reason, ...(state.message ? { message: state.message } : {}) }
    return { ...base, ready: false, started: false, state: { waiting }, lastState: ended ?? last ?? {} }
  }
  // Until it runs again it shows as it ended: as waiting while it is held back, with the end as its last state.
  const isHeldBack = state.backoffMs > 0 && state.notBefore > 0 && !isGivenUp
  if (isHeldBack) {
    const waiting = { reason: 'CrashLoopBackOff', message: backOffMessage(pod, state) }
    return { ...base, ready: false, started: false, state: { waiting }, lastState: ended ?? {} }
  }
  const ready = kind === 'init' && state.exit.code === 0
  return { ...base, ready, started: false, state: ended ?? {}, lastState: last ?? {} }
}

/** What it was given, of what it asked for. */
function sizes({ resources }: ContainerRecord): Pick<V1ContainerStatus, 'allocatedResources' | 'resources'> {
  const { limits, requests } = resources ?? {}
  if (!limits && !requests) return {}
  return {
    ...(requests ? { allocatedResources: requests } : {}),
    resources: { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) },
  }
}

/** With init containers all of a pod's containers are initializing until they are created (kubelet_pods.go). */
function shownReason(pod: Pod, { reason }: ContainerRecord): string {
  if (!CREATING.has(reason)) return reason
  return (pod.spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating'
}

const CREATING: ReadonlySet<string> = new Set(['', 'ImagePulled', 'ContainerCreating', 'PodInitializing'])

/** The event's form of it. */
export function restartHeldBack(
  { metadata: { name: podName, namespace, uid = '' } }: Pod,
  name: string,
): string {
  return `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`
}

function backOffMessage(pod: Pod, { backoffMs, name }: ContainerRecord): string {
  const { name: podName, namespace, uid } = pod.metadata
  return `back-off ${formatDuration(backoffMs)} restarting failed container=${name} pod=${podName}_${namespace}(${uid})`
}

function terminated({ code, reason, message, startedAt, finishedAt, id }: Ended) {
  return {
    exitCode: code,
    reason,
    ...(message ? { message } : {}),
    startedAt: formatTime(startedAt),
    finishedAt: formatTime(finishedAt),
    ...(id ? { containerID: id } : {}),
  }
}

/** Whether the stored status says all of this already; conditions are a part of a longer list. */
export function isWritten(pod: Pod, status: V1PodStatus): boolean {
  const isOver = (pod.status?.conditions ?? []).some(
    ({ type }) => RESIZE_CONDITIONS.includes(type) && !findCondition(status.conditions, type),
  )
  if (isOver) return false
  const stored = pod.status as Readonly<Record<string, unknown>> | undefined
  return Object.entries(status).every(([field, value]) => {
    if (field !== 'conditions') return deepEqual(stored?.[field], value)
    return (status.conditions ?? []).every((condition) =>
      deepEqual(findCondition(pod.status?.conditions, condition.type), condition),
    )
  })
}
