import type { V1Container, V1PodCondition, V1ResourceRequirements } from '../../api/generated/types.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { podRequests } from '../../api/pods.ts'
import { parseQuantity } from '../../api/quantity.ts'
import { deepEqual } from '../../base/json.ts'
import { amountOf, outOfResource, shortagesOf } from './admit.ts'
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
  const [never] = shortagesOf(pod, node, [])
    .filter(({ resource }) => resource === 'memory' || resource === 'cpu')
    .toReversed()
  if (never) {
    const { resource } = never
    const of = (amount: string | undefined) => amountOf(resource, amount ?? '0')
    const [requested, capacity] = [of(podRequests(pod)[resource]), of(node.status?.allocatable?.[resource])]
    const message = `Node didn't have enough capacity: ${resource}, requested: ${requested}, capacity: ${capacity}`
    return { reason: 'Infeasible', message }
  }
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

/** A container does not have its new sizes yet: it has to start anew, or cannot have them while it runs. */
export function isUnderWay({ spec }: Pod, states: ReadonlyMap<string, ContainerRecord>): boolean {
  return spec.containers.some((container) => {
    const resources = states.get(container.name)?.resources
    return resources !== undefined && !deepEqual(sizesOf(container.resources), sizesOf(resources))
  })
}

/** PodResizePending and PodResizeInProgress as they are now; conditions that are not here are not there. Pure. */
export function resizeConditions(
  pod: Pod,
  states: ReadonlyMap<string, ContainerRecord>,
  wait: ResizeWait | undefined,
  error: string | undefined,
) {
  const conditions: Omit<V1PodCondition, 'lastTransitionTime'>[] = []
  if (wait) conditions.push({ type: 'PodResizePending', status: 'True', ...wait })
  if (error !== undefined && !wait)
    return [{ type: 'PodResizeInProgress', status: 'True', reason: 'Error', message: error }]
  if (isUnderWay(pod, states) && !wait) conditions.push({ type: 'PodResizeInProgress', status: 'True' })
  return conditions
}

/**
 * Why a container cannot have less memory now: it uses more (kuberuntime_manager.go validateMemoryResizeAction). In the
 * cases where it starts anew nobody asks. Pure.
 */
export function belowUsage(
  { name, resources }: V1Container,
  before: V1ResourceRequirements | undefined,
  used: number,
): string | undefined {
  const [limit, old] = [resources?.limits?.['memory'], before?.limits?.['memory']]
  if (limit === undefined) return undefined
  const bytes = parseQuantity(limit)
  const isLess = old === undefined || bytes < parseQuantity(old)
  if (!isLess || used < bytes) return undefined
  return `attempting to set container "${name}" memory limit (${bytes}) below current usage (${Math.floor(used)})`
}

/** What an event says of a resize: "started", "completed", "Deferred" …, the sizes asked for, and what is in the way. */
export function resizeMessage(what: string, { spec, metadata }: Pod, error = ''): string {
  const sizes = (list: readonly V1Container[] = []) =>
    list.map(({ name, resources = {} }) => ({ name, resources: sortedSizes(resources) }))
  const { initContainers = [], containers } = spec
  const summary = {
    ...(initContainers.length > 0 ? { initContainers: sizes(initContainers) } : {}),
    containers: sizes(containers),
    generation: metadata.generation ?? 0,
    ...(error === '' ? {} : { error }),
  }
  return `Pod resize ${what}: ${JSON.stringify(summary)}`
}

function sortedSizes({ limits, requests }: V1ResourceRequirements): object {
  const sorted = (list: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(list).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return {
    ...(limits ? { limits: sorted(limits) } : {}),
    ...(requests ? { requests: sorted(requests) } : {}),
  }
}

export const RESIZE_CONDITIONS: readonly string[] = ['PodResizePending', 'PodResizeInProgress']

function sizesOf(resources: V1ResourceRequirements = {}): object {
  return { limits: resources.limits ?? {}, requests: resources.requests ?? {} }
}
