import type { V1Container, V1PodCondition, V1ResourceRequirements } from '../../api/generated/types.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { deepEqual } from '../../base/json.ts'
import { outOfResource } from './admit.ts'
import type { ContainerRecord, ResizeWait } from './record.ts'

/** A container that runs with other sizes than its pod asks for now. Pure. */
export function isResized(container: V1Container, { phase, resources }: ContainerRecord): boolean {
  if (phase !== 'running' || resources === undefined || container.resources === resources) return false
  return !deepEqual(sizesOf(container.resources), sizesOf(resources))
}

/**
 * Whether the node can give a pod what it asks for now (allocation_manager.go canResizePod): undefined when it can;
 * Infeasible when it could not if it were alone, else Deferred. Pure.
 */
export function resizeWait(pod: Pod, node: Node, others: readonly Pod[]): ResizeWait | undefined {
  const alone = outOfResource(pod, node, [])
  if (alone) return { reason: 'Infeasible', message: alone.message }
  const beside = outOfResource(pod, node, others)
  return beside && { reason: 'Deferred', message: beside.message }
}

/** Whether the container has to start anew to have its new sizes (resizePolicy; NotRequired unless it says so). Pure. */
export function needsRestart(container: V1Container, before: V1ResourceRequirements | undefined): boolean {
  return (container.resizePolicy ?? []).some(({ resourceName, restartPolicy }) => {
    if (restartPolicy !== 'RestartContainer') return false
    return (['limits', 'requests'] as const).some(
      (list) => before?.[list]?.[resourceName] !== container.resources?.[list]?.[resourceName],
    )
  })
}

/** PodResizePending and PodResizeInProgress as they are now; conditions that are not here are not there. Pure. */
export function resizeConditions(
  pod: Pod,
  states: ReadonlyMap<string, ContainerRecord>,
  wait: ResizeWait | undefined,
) {
  const conditions: Omit<V1PodCondition, 'lastTransitionTime'>[] = []
  if (wait) conditions.push({ type: 'PodResizePending', status: 'True', ...wait })
  const isUnderWay = pod.spec.containers.some((container) => {
    const state = states.get(container.name)
    const isRestarting = state?.resources !== undefined && state.phase !== 'running'
    return isRestarting && !deepEqual(sizesOf(container.resources), sizesOf(state.resources))
  })
  if (isUnderWay && !wait) conditions.push({ type: 'PodResizeInProgress', status: 'True' })
  return conditions
}

export const RESIZE_CONDITIONS: readonly string[] = ['PodResizePending', 'PodResizeInProgress']

function sizesOf(resources: V1ResourceRequirements = {}): object {
  return { limits: resources.limits ?? {}, requests: resources.requests ?? {} }
}
