import { parseTime } from '../base/date.ts'
import { findCondition } from './conditions.ts'
import type { V1Container, V1ContainerStatus, V1Pod } from './generated/types.ts'
import type { Health } from './kind.ts'
import type { Stored } from './resource.ts'
import { type ResourceList, requestsOf } from './resource-requests.ts'

/** What is pure about pods; kubelet, controllers, scheduler and sync read them in the same way. */
export type Pod = Stored<V1Pod>

export const podRequests = (pod: Pod, missing?: ResourceList): ResourceList => requestsOf(pod.spec, missing)

export function podPriority(pod: Pod): number {
  return pod.spec.priority ?? 0
}

export function isPodReady(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, 'Ready')?.status === 'True'
}

/** Ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  return availableIn(pod, minReadySeconds, now) === 0
}

/** Milliseconds until a ready pod counts as available: 0 when it does, undefined when it is not ready. */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  const ready = findCondition(pod.status?.conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadySeconds === 0) return 0
  const since = parseTime(ready.lastTransitionTime)
  return since === undefined ? undefined : Math.max(0, since + minReadySeconds * 1000 - now)
}

/** Succeeded or Failed: it will never run again. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Not terminal and not being deleted: controllers count it. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined
}

export function isSidecar(container: V1Container): boolean {
  return container.restartPolicy === 'Always'
}

export function restartCount(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, status) => sum + status.restartCount, 0)
}

/**
 * What `kubectl get pods` shows as STATUS (printers/internalversion printPod): init progress, waiting and terminated
 * reasons before the phase, Terminating last.
 */
export function podReason(pod: Pod): string {
  const { status, metadata } = pod
  let reason = status?.reason || status?.phase || 'Pending'
  const scheduled = findCondition(status?.conditions, 'PodScheduled')
  if (scheduled?.reason === 'SchedulingGated') reason = 'SchedulingGated'
  const init = initReason(pod)
  if (init !== undefined) reason = init
  if (init === undefined || isInitialized(pod)) {
    let hasRunning = false
    for (const container of [...(status?.containerStatuses ?? [])].reverse()) {
      const { waiting, terminated } = container.state ?? {}
      if (waiting?.reason) reason = waiting.reason
      else if (terminated?.reason) reason = terminated.reason
      else if (terminated)
        reason = terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`
      else if (container.ready && container.state?.running) hasRunning = true
    }
    if (reason === 'Completed' && hasRunning) reason = isPodReady(pod) ? 'Running' : 'NotReady'
  }
  if (metadata.deletionTimestamp) {
    if (status?.reason === 'NodeLost') return 'Unknown'
    if (!isPodTerminal(pod)) return 'Terminating'
  }
  return reason
}

function isInitialized(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, 'Initialized')?.status === 'True'
}

/** "Init:0/2", "Init:CrashLoopBackOff", … or undefined when no init container is in the way. */
function initReason({ status, spec }: Pod): string | undefined {
  const containers = new Map((spec.initContainers ?? []).map((container) => [container.name, container]))
  for (const [i, container] of (status?.initContainerStatuses ?? []).entries()) {
    const { waiting, terminated } = container.state ?? {}
    if (terminated?.exitCode === 0) continue
    const definition = containers.get(container.name)
    if (definition && isSidecar(definition) && container.started) continue
    if (terminated) {
      if (terminated.reason) return `Init:${terminated.reason}`
      return terminated.signal ? `Init:Signal:${terminated.signal}` : `Init:ExitCode:${terminated.exitCode}`
    }
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`
    return `Init:${i}/${(spec.initContainers ?? []).length}`
  }
  return undefined
}

export interface ContainerTrouble {
  readonly container: string
  /** CrashLoopBackOff, ImagePullBackOff, ErrImagePull, CreateContainerConfigError, OOMKilled, Error … */
  readonly reason: string
  readonly message: string
  readonly exitCode?: number
  readonly restarts: number
  readonly init: boolean
}

/** The containers that do not come up, most telling first; what rollback evidence and health messages are made of. */
export function containerTroubles(pod: Pod): readonly ContainerTrouble[] {
  const of =
    (init: boolean) =>
    (status: V1ContainerStatus): ContainerTrouble[] => {
      const { waiting, terminated } = status.state ?? {}
      const last = terminated ?? status.lastState?.terminated
      const exit = last ? { exitCode: last.exitCode } : {}
      const base = { container: status.name, restarts: status.restartCount, init, ...exit }
      if (waiting?.reason && isBadReason(waiting.reason)) {
        return [
          {
            ...base,
            reason: waiting.reason,
            message: troubleMessage(status, waiting.reason, waiting.message, last?.exitCode),
          },
        ]
      }
      if (terminated && terminated.exitCode !== 0) {
        const reason = terminated.reason ?? 'Error'
        return [
          {
            ...base,
            reason,
            message: troubleMessage(status, reason, terminated.message, terminated.exitCode),
          },
        ]
      }
      return []
    }
  return [
    ...(pod.status?.initContainerStatuses ?? []).flatMap(of(true)),
    ...(pod.status?.containerStatuses ?? []).flatMap(of(false)),
  ]
}

function troubleMessage(
  status: V1ContainerStatus,
  reason: string,
  message: string | undefined,
  exitCode: number | undefined,
): string {
  if (exitCode !== undefined) {
    const restarts = status.restartCount === 1 ? '1 restart' : `${status.restartCount} restarts`
    return `${reason}: container "${status.name}" exited ${exitCode} (${restarts})`
  }
  return `${reason}: container "${status.name}"${message ? `: ${message}` : ''}`
}

/** Argo CD's rule: Err…, …Error and …BackOff. */
function isBadReason(reason: string): boolean {
  return reason.startsWith('Err') || reason.endsWith('Error') || reason.endsWith('BackOff')
}

export function podHealth(pod: Pod): Health {
  if (pod.metadata.deletionTimestamp) return { status: 'Progressing', message: 'Pending deletion' }
  const [trouble] = containerTroubles(pod)
  const keepsRunning = (pod.spec.restartPolicy ?? 'Always') === 'Always'
  if (trouble && (keepsRunning || pod.status?.phase === 'Failed'))
    return { status: 'Degraded', message: trouble.message }
  switch (pod.status?.phase) {
    case 'Succeeded':
      return { status: 'Healthy' }
    case 'Failed':
      return { status: 'Degraded', message: pod.status.message ?? pod.status.reason ?? 'Pod failed' }
    case 'Running':
      if (keepsRunning && isPodReady(pod)) return { status: 'Healthy' }
      return {
        status: 'Progressing',
        message:
          findCondition(pod.status.conditions, 'Ready')?.message ?? 'Waiting for the pod to become ready',
      }
    default: {
      const scheduled = findCondition(pod.status?.conditions, 'PodScheduled')
      return {
        status: 'Progressing',
        message: (scheduled?.status === 'False' ? scheduled.message : undefined) ?? 'Pending',
      }
    }
  }
}

/** Unschedulable since this time (epoch ms); undefined when it has a node or has not been tried. */
export function unschedulableSince(pod: Pod): number | undefined {
  const scheduled = findCondition(pod.status?.conditions, 'PodScheduled')
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined
  return parseTime(scheduled.lastTransitionTime)
}
