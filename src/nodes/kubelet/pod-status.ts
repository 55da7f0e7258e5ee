import { findCondition, setCondition } from '../../api/conditions.ts'
import type { V1ContainerStatus, V1PodCondition, V1PodStatus } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { qosClassOf } from '../../api/resource-requests.ts'
import { formatTime } from '../../base/date.ts'
import { allContainers, type ContainerRecord, type Ended, type PodRecord } from './record.ts'

/** The PodStatus that follows from what a kubelet knows (kubelet_pods.go generateAPIPodStatus). Pure. */
export function podStatusOf(pod: Pod, record: PodRecord, hostIP: string, now: number): V1PodStatus {
  const of = (kinds: readonly string[]) =>
    allContainers(pod)
      .filter(({ kind }) => kinds.includes(kind))
      .flatMap(({ container, kind }) => {
        const state = record.containers.get(container.name)
        return state ? [containerStatus(pod, container.image ?? '', kind, state, record)] : []
      })
  const inits = of(['init', 'sidecar'])
  const mains = of(['main'])
  const phase = phaseOf(pod, record)
  const conditions = conditionsOf(pod, record, phase, now)
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions,
    ...(record.failure?.reason ? { reason: record.failure.reason, message: record.failure.message } : {}),
    ...(hostIP ? { hostIP, hostIPs: [{ ip: hostIP }] } : {}),
    ...(record.podIP ? { podIP: record.podIP, podIPs: [{ ip: record.podIP }] } : {}),
    startTime: formatTime(record.startTime),
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    containerStatuses: mains,
    qosClass: qosClassOf(pod.spec),
  }
}

function phaseOf(pod: Pod, { containers, failure }: PodRecord): string {
  const mains = pod.spec.containers.map(({ name }) => containers.get(name))
  const areDown = [...containers.values()].every(({ phase }) => phase === 'exited' || phase === 'waiting')
  if (failure) return areDown ? 'Failed' : (pod.status?.phase ?? 'Pending')
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return pod.status.phase
  const isInitialized = initProgress(pod, containers).incomplete.length === 0
  const anyStarted = mains.some(
    (state) => state?.startedAt !== undefined || state?.exit !== undefined || (state?.restarts ?? 0) > 0,
  )
  if (!isInitialized && !anyStarted) return 'Pending'
  const policy = pod.spec.restartPolicy ?? 'Always'
  const allEnded = mains.every((state) => state?.phase === 'exited')
  if (allEnded && areDown && policy !== 'Always') {
    const anyFailed = mains.some((state) => state?.exit?.code !== 0)
    if (!anyFailed) return 'Succeeded'
    if (policy === 'Never') return 'Failed'
  }
  return anyStarted ? 'Running' : 'Pending'
}

function initProgress(pod: Pod, containers: PodRecord['containers']): { incomplete: string[] } {
  const incomplete = allContainers(pod).flatMap(({ container, kind }) => {
    const state = containers.get(container.name)
    if (kind === 'init') return state?.phase === 'exited' && state.exit?.code === 0 ? [] : [container.name]
    if (kind === 'sidecar') return isStarted(state) ? [] : [container.name]
    return []
  })
  return { incomplete }
}

function isStarted(state: ContainerRecord | undefined): boolean {
  return state?.phase === 'running' && state.probes.startup?.passed !== false
}

function isReady(state: ContainerRecord | undefined): boolean {
  return isStarted(state) && state?.probes.readiness?.passed !== false
}

/** Those the kubelet writes; conditions of others (PodScheduled, DisruptionTarget, readiness gates) are theirs. */
function conditionsOf(
  pod: Pod,
  { containers, podIP }: PodRecord,
  phase: string,
  now: number,
): readonly V1PodCondition[] {
  const { incomplete } = initProgress(pod, containers)
  const watched = allContainers(pod).filter(({ kind }) => kind !== 'init')
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
  const wanted: V1PodCondition[] = [
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
                message: gates
                  .map(
                    ({ conditionType }) =>
                      `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
                  )
                  .join(', '),
              }
            : notReady),
        },
    areReady
      ? { type: 'ContainersReady', status: 'True' }
      : { type: 'ContainersReady', status: 'False', ...notReady },
  ]
  let conditions: readonly V1PodCondition[] = (pod.status?.conditions ?? []).filter(({ type }) =>
    wanted.some((condition) => condition.type === type),
  )
  for (const condition of wanted) {
    const observed = {
      ...condition,
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    }
    const before = findCondition(conditions, condition.type)
    // A reason that no longer holds must not stay behind: the condition is written anew.
    const bare = before && {
      type: before.type,
      status: before.status,
      lastTransitionTime: before.lastTransitionTime,
    }
    conditions = setCondition(
      before && bare
        ? conditions.map((other) => (other === before ? (bare as V1PodCondition) : other))
        : conditions,
      observed as V1PodCondition,
      now,
    )
  }
  return conditions
}

function containerStatus(
  pod: Pod,
  image: string,
  kind: 'init' | 'sidecar' | 'main',
  state: ContainerRecord,
  record: PodRecord,
): V1ContainerStatus {
  const ended = state.exit ? { terminated: terminated(state.exit) } : undefined
  const last = state.lastExit ? { terminated: terminated(state.lastExit) } : undefined
  const base = {
    name: state.name,
    image,
    imageID: state.imageId,
    restartCount: state.restarts,
    ...(state.id ? { containerID: state.id } : {}),
  }
  switch (state.phase) {
    case 'running':
    case 'stopping':
      return {
        ...base,
        ready: kind === 'init' ? false : state.phase === 'running' && isReady(state),
        started: isStarted(state),
        state: { running: { startedAt: formatTime(state.startedAt ?? record.startTime) } },
        lastState: last ?? {},
      }
    case 'exited': {
      // While it waits for its next start it shows as waiting, with the exit as its last state.
      const waits =
        state.notBefore > 0 &&
        !record.failure &&
        pod.metadata.deletionTimestamp === undefined &&
        state.backoffMs > 0
      if (waits)
        return {
          ...base,
          ready: false,
          started: false,
          state: { waiting: { reason: 'CrashLoopBackOff', message: backOffMessage(pod, state) } },
          lastState: ended ?? {},
        }
      return {
        ...base,
        ready: kind === 'init' && state.exit?.code === 0,
        started: false,
        state: ended ?? {},
        lastState: last ?? {},
      }
    }
    default: {
      const isInit = kind === 'main' && initProgress(pod, record.containers).incomplete.length > 0
      const reason = isInit && state.restarts === 0 ? 'PodInitializing' : shownReason(state)
      return {
        ...base,
        ready: false,
        started: false,
        state: { waiting: { reason, ...(state.message ? { message: state.message } : {}) } },
        lastState: last ?? (ended && state.restarts > 0 ? ended : {}),
      }
    }
  }
}

function shownReason({ reason }: ContainerRecord): string {
  return reason === 'ImagePulled' || reason === '' ? 'ContainerCreating' : reason
}

export function backOffMessage(pod: Pod, { backoffMs, name }: ContainerRecord): string {
  const { name: podName, namespace, uid } = pod.metadata
  return `back-off ${backoffText(backoffMs)} restarting failed container=${name} pod=${podName}_${namespace}(${uid})`
}

/** As Go prints it: 10s, 1m20s, 5m0s. */
function backoffText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

function terminated({ code, reason, startedAt, finishedAt, id }: Ended) {
  return {
    exitCode: code,
    reason,
    startedAt: formatTime(startedAt),
    finishedAt: formatTime(finishedAt),
    ...(id ? { containerID: id } : {}),
  }
}
