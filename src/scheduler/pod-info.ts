import type { Pod } from '../api/kinds/pod.ts'
import { podPriority, podRequests } from '../api/pods.ts'
import { parseTime } from '../base/date.ts'
import { type Amounts, amountsOf } from './amounts.ts'

export interface HostPort {
  readonly protocol: string
  readonly ip: string
  readonly port: number
}

/** What the scheduler wants to know of a pod, worked out once per version of it. */
export interface PodInfo {
  readonly pod: Pod
  readonly uid: string
  /** "namespace/name" */
  readonly key: string
  readonly priority: number
  readonly requests: Amounts
  /** With 100m and 200Mi for each container that asks for no cpu or memory (GetNonzeroRequests). */
  readonly nonZeroMilliCpu: number
  readonly nonZeroMemory: number
  readonly hostPorts: readonly HostPort[]
  /** Epoch ms; when it began to run, or now if it has not: preemption spares the older of equals. */
  readonly startedAt: number | undefined
}

const known = new WeakMap<Pod, PodInfo>()

export function podInfo(pod: Pod): PodInfo {
  let info = known.get(pod)
  if (!info) {
    info = describe(pod)
    known.set(pod, info)
  }
  return info
}

function describe(pod: Pod): PodInfo {
  const requests = amountsOf(podRequests(pod))
  const nonZero = amountsOf(podRequests(pod, { cpu: '100m', memory: '200Mi' }))
  return {
    pod,
    uid: pod.metadata.uid ?? '',
    key: `${pod.metadata.namespace}/${pod.metadata.name}`,
    priority: podPriority(pod),
    requests,
    nonZeroMilliCpu: nonZero.milliCpu,
    nonZeroMemory: nonZero.memory,
    hostPorts: [
      ...(pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
      ...pod.spec.containers,
    ].flatMap(({ ports }) =>
      (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
        hostPort ? [{ protocol: protocol ?? 'TCP', ip: hostIP || '0.0.0.0', port: hostPort }] : [],
      ),
    ),
    startedAt: parseTime(pod.status?.startTime),
  }
}
