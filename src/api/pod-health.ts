import { findCondition } from './conditions.ts'
import type { V1ContainerStatus } from './generated/types.ts'
import type { Health } from './kind.ts'
import { isPodReady, type Pod } from './pods.ts'

/**
 * How a pod is doing, by Argo CD's rules (gitops-engine health_pod.go), and why: the containers that do not come up are
 * what health messages and the evidence of a rollback are made of.
 */
export interface ContainerTrouble {
  readonly container: string
  /** CrashLoopBackOff, ImagePullBackOff, ErrImagePull, CreateContainerConfigError, OOMKilled, Error … */
  readonly reason: string
  /** `CrashLoopBackOff: container "app" exited 1 (3 restarts)` */
  readonly message: string
  readonly exitCode?: number
  readonly restarts: number
  readonly init: boolean
}

/** The containers that wait for a bad reason or have failed, in the order in which they start. */
export function containerTroubles(pod: Pod): readonly ContainerTrouble[] {
  return [
    ...(pod.status?.initContainerStatuses ?? []).flatMap((status) => troubleOf(status, true)),
    ...(pod.status?.containerStatuses ?? []).flatMap((status) => troubleOf(status, false)),
  ]
}

export function podHealth(pod: Pod): Health {
  const { metadata, spec, status } = pod
  if (metadata.deletionTimestamp) return { status: 'Progressing', message: 'Pending deletion' }
  const [trouble] = containerTroubles(pod)
  const keepsRunning = (spec.restartPolicy || 'Always') === 'Always'
  if (trouble && (keepsRunning || status?.phase === 'Failed'))
    return { status: 'Degraded', message: trouble.message }
  switch (status?.phase) {
    case 'Succeeded':
      return { status: 'Healthy' }
    case 'Failed':
      return { status: 'Degraded', message: status.message || status.reason || 'Pod failed' }
    case 'Running':
      return keepsRunning ? runningHealth(pod) : { status: 'Progressing', message: 'Running to completion' }
    default: {
      const scheduled = findCondition(status?.conditions, 'PodScheduled')
      const why = scheduled?.status === 'False' ? scheduled.message : undefined
      return { status: 'Progressing', message: why || 'Pending' }
    }
  }
}

function runningHealth(pod: Pod): Health {
  if (isPodReady(pod)) return { status: 'Healthy' }
  for (const status of pod.status?.containerStatuses ?? []) {
    const last = status.lastState?.terminated
    if (last)
      return { status: 'Degraded', message: exitMessage(status, last.reason || 'Error', last.exitCode) }
  }
  const ready = findCondition(pod.status?.conditions, 'Ready')
  return { status: 'Progressing', message: ready?.message || 'Waiting for the pod to become ready' }
}

function troubleOf(status: V1ContainerStatus, init: boolean): readonly ContainerTrouble[] {
  const { waiting, terminated } = status.state ?? {}
  const base = { container: status.name, restarts: status.restartCount, init }
  if (waiting?.reason && isBadReason(waiting.reason)) {
    const { reason, message = '' } = waiting
    const last = status.lastState?.terminated
    if (last && reason === 'CrashLoopBackOff')
      return [
        { ...base, reason, exitCode: last.exitCode, message: exitMessage(status, reason, last.exitCode) },
      ]
    const detail = message === '' ? '' : `: ${message}`
    return [{ ...base, reason, message: `${reason}: container "${status.name}"${detail}` }]
  }
  if (terminated && terminated.exitCode !== 0) {
    const { exitCode, reason = 'Error' } = terminated
    return [{ ...base, reason, exitCode, message: exitMessage(status, reason, exitCode) }]
  }
  return []
}

function exitMessage({ name, restartCount }: V1ContainerStatus, reason: string, exitCode: number): string {
  return `${reason}: container "${name}" exited ${exitCode} (${restartCount} restart${restartCount === 1 ? '' : 's'})`
}

/** Argo CD's rule, Err…, …Error and …BackOff; and the kubelet's one bad reason that is called otherwise. */
function isBadReason(reason: string): boolean {
  return /^Err|Error$|BackOff$/.test(reason) || reason === 'InvalidImageName'
}
