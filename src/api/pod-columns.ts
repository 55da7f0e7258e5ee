import { parseTime } from '../base/date.ts'
import { ageColumn, nameColumn } from './age.ts'
import { findCondition, isConditionTrue } from './conditions.ts'
import { humanDuration } from './duration.ts'
import type { V1ContainerStatus } from './generated/types.ts'
import type { Column } from './kind.ts'
import { isPodReady, isPodTerminal, type Pod, sidecarsOf } from './pods.ts'

/** What `kubectl get pods` prints (printers/internalversion printPod), which reads a pod's statuses in one pass. */
interface PodSummary {
  /** Containers and sidecars that run and are ready, and all of them. */
  readonly ready: number
  readonly total: number
  /** STATUS: Init:0/2, CrashLoopBackOff, Completed, Terminating … */
  readonly reason: string
  /** Of init containers while the pod initialises, of containers and sidecars afterwards. */
  readonly restarts: number
  /** Epoch ms; when the last of them ended. */
  readonly lastRestart: number | undefined
}

function summarizePod(pod: Pod): PodSummary {
  const { spec, status, metadata } = pod
  const init = summarizeInit(pod)
  let reason = init.reason ?? phaseReason(pod)
  let counted = init.statuses
  let ready = init.ready
  if (init.reason === undefined || isConditionTrue(status?.conditions, 'Initialized')) {
    const containers = status?.containerStatuses ?? []
    counted = [...init.sidecars, ...containers]
    // The first container that has something to say is the one that counts.
    reason = containers.map(containerReason).find((said) => said !== undefined) ?? reason
    const running = containers.filter(
      (container) => containerReason(container) === undefined && isUp(container),
    )
    ready += running.length
    if (reason === 'Completed' && running.length > 0) reason = isPodReady(pod) ? 'Running' : 'NotReady'
  }
  if (metadata.deletionTimestamp !== undefined) {
    if (status?.reason === 'NodeLost') reason = 'Unknown'
    else if (!isPodTerminal(pod)) reason = 'Terminating'
  }
  const total = spec.containers.length + sidecarsOf(spec).length
  return { ready, total, reason, restarts: sumOfRestarts(counted), lastRestart: lastEnd(counted) }
}

/** The STATUS column alone. */
export function podReason(pod: Pod): string {
  return summarizePod(pod).reason
}

function phaseReason({ status }: Pod): string {
  const isGated = findCondition(status?.conditions, 'PodScheduled')?.reason === 'SchedulingGated'
  return isGated ? 'SchedulingGated' : status?.reason || status?.phase || 'Pending'
}

interface InitSummary {
  /** Undefined when no init container is in the way. */
  readonly reason: string | undefined
  /** Of all init containers up to the one that is in the way. */
  readonly statuses: readonly V1ContainerStatus[]
  readonly sidecars: readonly V1ContainerStatus[]
  readonly ready: number
}

function summarizeInit({ status, spec }: Pod): InitSummary {
  const sidecarNames = new Set(sidecarsOf(spec).map(({ name }) => name))
  const statuses: V1ContainerStatus[] = []
  let reason: string | undefined
  let ready = 0
  for (const [i, container] of (status?.initContainerStatuses ?? []).entries()) {
    statuses.push(container)
    if (container.state?.terminated?.exitCode === 0) continue
    if (sidecarNames.has(container.name) && container.started) {
      if (container.ready) ready += 1
      continue
    }
    const { waiting, terminated } = container.state ?? {}
    const isInitializing = !terminated && (!waiting?.reason || waiting.reason === 'PodInitializing')
    reason = `Init:${isInitializing ? `${i}/${(spec.initContainers ?? []).length}` : containerReason(container)}`
    break
  }
  return { reason, statuses, ready, sidecars: statuses.filter(({ name }) => sidecarNames.has(name)) }
}

/** Why a container does not run; undefined when it does, or waits without a reason. */
function containerReason({ state }: V1ContainerStatus): string | undefined {
  if (state?.waiting?.reason) return state.waiting.reason
  if (!state?.terminated) return undefined
  const { reason, signal, exitCode } = state.terminated
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)
}

function isUp({ ready, state }: V1ContainerStatus): boolean {
  return ready && state?.running !== undefined
}

function sumOfRestarts(statuses: readonly V1ContainerStatus[]): number {
  return statuses.reduce((sum, { restartCount }) => sum + restartCount, 0)
}

function lastEnd(statuses: readonly V1ContainerStatus[]): number | undefined {
  const ends = statuses.flatMap(({ lastState }) => parseTime(lastState?.terminated?.finishedAt) ?? [])
  return ends.length === 0 ? undefined : Math.max(...ends)
}

function restartsText(pod: Pod, now: number): string {
  const { restarts, lastRestart } = summarizePod(pod)
  if (restarts === 0 || lastRestart === undefined) return String(restarts)
  return `${restarts} (${humanDuration(now - lastRestart)} ago)`
}

function readyText(pod: Pod): string {
  const { ready, total } = summarizePod(pod)
  return `${ready}/${total}`
}

function gatesText({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const met = gates.filter(({ conditionType }) => isConditionTrue(status?.conditions, conditionType))
  return `${met.length}/${gates.length}`
}

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  {
    name: 'Ready',
    type: 'string',
    description: 'The aggregate readiness state of this pod for accepting traffic.',
    value: readyText,
  },
  {
    name: 'Status',
    type: 'string',
    description: 'The aggregate status of the containers in this pod.',
    value: podReason,
  },
  {
    name: 'Restarts',
    type: 'string',
    description:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    value: restartsText,
  },
  ageColumn,
  {
    name: 'IP',
    type: 'string',
    priority: 1,
    description:
      'podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.',
    value: ({ status }) => status?.podIPs?.[0]?.ip || status?.podIP || '<none>',
  },
  {
    name: 'Node',
    type: 'string',
    priority: 1,
    description: 'NodeName indicates in which node this pod is scheduled.',
    value: ({ spec }) => spec.nodeName || '<none>',
  },
  {
    name: 'Nominated Node',
    type: 'string',
    priority: 1,
    description: 'nominatedNodeName is set only when this pod preempts other pods on the node.',
    value: ({ status }) => status?.nominatedNodeName || '<none>',
  },
  {
    name: 'Readiness Gates',
    type: 'string',
    priority: 1,
    description: 'If specified, all readiness gates will be evaluated for pod readiness.',
    value: gatesText,
  },
]
