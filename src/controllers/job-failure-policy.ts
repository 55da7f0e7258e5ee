/** What a Job's podFailurePolicy says of a failed pod (pod_failure_policy.go). Pure. */
import type { V1ContainerStatus, V1PodFailurePolicyRule } from '../api/generated/types.ts'
import type { Job } from '../api/kinds/job.ts'
import type { Pod } from '../api/kinds/pod.ts'

export interface FailureVerdict {
  /** Count is what a Job without a policy does. */
  readonly action: 'Count' | 'Ignore' | 'FailJob' | 'FailIndex'
  /** For FailJob: what the condition says. */
  readonly message?: string
}

/** The first rule that matches decides. */
export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  if (pod.status?.phase !== 'Failed') return { action: 'Count' }
  for (const [i, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const why = matching(rule, pod)
    if (why === undefined) continue
    const action = rule.action as FailureVerdict['action']
    return action === 'FailJob'
      ? { action, message: `${why} matching ${action} rule at index ${i}` }
      : { action }
  }
  return { action: 'Count' }
}

function matching({ onExitCodes, onPodConditions }: V1PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`
  if (onExitCodes) {
    const { containerName, operator, values } = onExitCodes
    const statuses = [
      ...(pod.status?.containerStatuses ?? []),
      ...(pod.status?.initContainerStatuses ?? []),
    ].filter((status) => containerName === undefined || status.name === containerName)
    for (const status of statuses) {
      const code = exitCodeOf(status)
      if (code === undefined || code === 0) continue
      if (values.includes(code) === (operator === 'In'))
        return `Container ${status.name} for pod ${name} failed with exit code ${code}`
    }
    return undefined
  }
  for (const { type, status } of pod.status?.conditions ?? []) {
    const isMeant = onPodConditions?.some(
      (pattern) => pattern.type === type && (pattern.status ?? 'True') === status,
    )
    if (isMeant) return `Pod ${name} has condition ${type}`
  }
  return undefined
}

function exitCodeOf({ state }: V1ContainerStatus): number | undefined {
  return state?.terminated?.exitCode
}
