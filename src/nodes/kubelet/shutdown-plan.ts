import { parseDuration } from '../../api/duration.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import type { KubeletConfiguration } from '../../api/kubelet-configuration.ts'
import { podPriority } from '../../api/pods.ts'
import { SYSTEM_CRITICAL } from '../../api/static-pods.ts'

/** Pods that end together when their node shuts down, and how long the node waits for them. */
export interface ShutdownGroup {
  readonly priority: number
  readonly graceMs: number
  readonly pods: readonly Pod[]
}

/**
 * In which order a node that shuts down ends its pods (kubelet/nodeshutdown groupByPriority): the least important first,
 * each in the highest group that is not above it, or in the lowest. None at all where no grace is set. Pure.
 */
export function shutdownGroups(config: KubeletConfiguration, pods: readonly Pod[]): readonly ShutdownGroup[] {
  const periods = periodsOf(config).toSorted((a, b) => a.priority - b.priority)
  const of = (pod: Pod) => {
    const found = periods.findLastIndex(({ priority }) => priority <= podPriority(pod))
    return Math.max(0, found)
  }
  return periods
    .map((period, i) => ({ ...period, pods: pods.filter((pod) => of(pod) === i) }))
    .filter((group) => group.pods.length > 0)
}

function periodsOf(config: KubeletConfiguration): readonly Omit<ShutdownGroup, 'pods'>[] {
  const { shutdownGracePeriodByPodPriority: periods = [] } = config
  if (periods.length > 0)
    return periods.map(({ priority, shutdownGracePeriodSeconds: seconds }) => ({
      priority,
      graceMs: seconds * 1000,
    }))
  const [all, critical] = [config.shutdownGracePeriod, config.shutdownGracePeriodCriticalPods].map((text) =>
    Math.floor(parseDuration(text ?? '0s') ?? 0),
  ) as [number, number]
  if (all === 0) return []
  return [
    { priority: 0, graceMs: Math.max(0, all - critical) },
    { priority: SYSTEM_CRITICAL, graceMs: critical },
  ]
}

/** What a pod has of it: no longer than it asks for itself. In ms. */
export function graceIn(group: ShutdownGroup, { spec }: Pod): number {
  return Math.min(group.graceMs, (spec.terminationGracePeriodSeconds ?? 30) * 1000)
}
