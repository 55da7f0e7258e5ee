/**
 * What a Deployment reports: counts, and the conditions Available, Progressing and ReplicaFailure with Kubernetes' own
 * reasons and words. Pure; the deadline of a rollout is counted from the Progressing condition's lastUpdateTime, which
 * moves with every sign of progress.
 */
import { findCondition, removeCondition } from '../api/conditions.ts'
import type { V1DeploymentCondition, V1DeploymentStatus } from '../api/generated/types.ts'
import type { Deployment } from '../api/kinds/deployment.ts'
import type { ReplicaSet } from '../api/kinds/replica-set.ts'
import { formatTime, parseTime } from '../base/date.ts'
import { isComplete } from './rollout.ts'
import { amountsOf, availableOf, progressDeadlineMs, replicasOf, sum } from './rollout-amounts.ts'

type Conditions = readonly V1DeploymentCondition[]
type Said = Pick<V1DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>

/** What happened to the new ReplicaSet in this step, said in the Progressing condition. */
export type NewSetNews =
  | { readonly type: 'created' | 'found'; readonly name: string }
  | { readonly type: 'failed'; readonly name: string; readonly error: string }

export interface StatusInput {
  readonly deployment: Deployment
  readonly newSet: ReplicaSet | undefined
  readonly sets: readonly ReplicaSet[]
  readonly news?: NewSetNews | undefined
  /** Paused or just scaled: only the counts follow. */
  readonly isScaling: boolean
  readonly now: number
}

export function deploymentStatus(input: StatusInput): V1DeploymentStatus {
  const { deployment, newSet, sets, now } = input
  const counts = countsOf(newSet, sets)
  let conditions = deployment.status?.conditions ?? []
  const say = (said: Said) => {
    conditions = withCondition(conditions, said, now)
  }
  if (progressDeadlineMs(deployment) === undefined) {
    conditions = removeCondition(conditions, 'Progressing')
  } else {
    const paused = pauseOf(deployment, conditions)
    if (paused) say(paused)
    if (input.news) {
      const news = newsOf(input.news, conditions)
      if (news) say(news)
    }
  }
  const { desired, maxUnavailable } = amountsOf(deployment)
  say(availability(counts.availableReplicas >= desired - maxUnavailable))
  if (!input.isScaling) {
    conditions = withProgress(input, counts, conditions)
    const failure = replicaFailure(newSet, sets)
    if (failure) say({ ...failure, type: 'ReplicaFailure' })
    else conditions = removeCondition(conditions, 'ReplicaFailure')
  }
  const { collisionCount } = deployment.status ?? {}
  return {
    ...counts,
    observedGeneration: deployment.metadata.generation,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions.length > 0 ? { conditions } : {}),
  }
}

interface Counts {
  readonly replicas: number
  readonly updatedReplicas: number
  readonly readyReplicas: number
  readonly availableReplicas: number
  readonly unavailableReplicas: number
  readonly terminatingReplicas: number
}

function countsOf(newSet: ReplicaSet | undefined, sets: readonly ReplicaSet[]): Counts {
  const availableReplicas = sum(sets, availableOf)
  return {
    replicas: sum(sets, ({ status }) => status?.replicas ?? 0),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum(sets, ({ status }) => status?.readyReplicas ?? 0),
    availableReplicas,
    // More may be available than are wanted, while a set is scaled down.
    unavailableReplicas: Math.max(0, sum(sets, replicasOf) - availableReplicas),
    terminatingReplicas: sum(sets, ({ status }) => status?.terminatingReplicas ?? 0),
  }
}

/** As upstream: same status and reason change nothing, not even the message; lastTransitionTime follows the status. */
function withCondition(conditions: Conditions, said: Said, now: number): Conditions {
  const before = findCondition(conditions, said.type)
  if (before && before.status === said.status && before.reason === said.reason) return conditions
  const at = formatTime(now)
  const lastTransitionTime = before?.status === said.status ? before.lastTransitionTime : at
  return [...removeCondition(conditions, said.type), { ...said, lastUpdateTime: at, lastTransitionTime }]
}

function progressing(status: 'True' | 'False' | 'Unknown', reason: string, message: string): Said {
  return { type: 'Progressing', status, reason, message }
}

function pauseOf({ spec }: Deployment, conditions: Conditions): Said | undefined {
  const reason = findCondition(conditions, 'Progressing')?.reason
  if (reason === 'ProgressDeadlineExceeded') return undefined
  const isPaused = spec.paused ?? false
  if (isPaused === (reason === 'DeploymentPaused')) return undefined
  return isPaused
    ? progressing('Unknown', 'DeploymentPaused', 'Deployment is paused')
    : progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed')
}

function newsOf(news: NewSetNews, conditions: Conditions): Said | undefined {
  const { name } = news
  switch (news.type) {
    case 'created':
      return progressing('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`)
    case 'found': {
      const known = findCondition(conditions, 'Progressing')?.reason
      if (known !== undefined && known !== 'ReplicaSetCreateError') return undefined
      return progressing('True', 'FoundNewReplicaSet', `Found new replica set "${name}"`)
    }
    case 'failed': {
      const message = `Failed to create new replica set "${name}": ${news.error}`
      return progressing('False', 'ReplicaSetCreateError', message)
    }
  }
}

function availability(isAvailable: boolean): Said {
  return isAvailable
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
}

function withProgress(
  { deployment, newSet, now }: StatusInput,
  counts: Counts,
  conditions: Conditions,
): Conditions {
  if (progressDeadlineMs(deployment) === undefined) return conditions
  const current = findCondition(conditions, 'Progressing')
  const wasComplete =
    counts.replicas === counts.updatedReplicas && current?.reason === 'NewReplicaSetAvailable'
  if (wasComplete) return conditions
  const who = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  const observedGeneration = deployment.metadata.generation
  const after = { ...deployment, status: { ...counts, observedGeneration } }
  if (isComplete(after, amountsOf(deployment))) {
    const said = progressing('True', 'NewReplicaSetAvailable', `${who} has successfully progressed.`)
    return withCondition(conditions, said, now)
  }
  if (hasProgressed(deployment.status, counts)) {
    const said = progressing('True', 'ReplicaSetUpdated', `${who} is progressing.`)
    const at = formatTime(now)
    const lastTransitionTime = current?.status === 'True' ? current.lastTransitionTime : at
    const others = removeCondition(conditions, 'Progressing')
    return [...others, { ...said, lastUpdateTime: at, lastTransitionTime }]
  }
  if (deadlineLeftMs(deployment, conditions, now) === 0) {
    const said = progressing('False', 'ProgressDeadlineExceeded', `${who} has timed out progressing.`)
    return withCondition(conditions, said, now)
  }
  return conditions
}

/** More updated, ready or available pods, or fewer old ones, than last reported. */
function hasProgressed(before: V1DeploymentStatus | undefined, after: Counts): boolean {
  const oldBefore = (before?.replicas ?? 0) - (before?.updatedReplicas ?? 0)
  return (
    after.updatedReplicas > (before?.updatedReplicas ?? 0) ||
    after.replicas - after.updatedReplicas < oldBefore ||
    after.readyReplicas > (before?.readyReplicas ?? 0) ||
    after.availableReplicas > (before?.availableReplicas ?? 0)
  )
}

/**
 * Milliseconds until this rollout misses its deadline: 0 when it has, undefined when there is nothing to wait for
 * (no deadline, rollout done, or already reported).
 */
export function deadlineLeftMs(
  deployment: Deployment,
  conditions: Conditions | undefined,
  now: number,
): number | undefined {
  const deadlineMs = progressDeadlineMs(deployment)
  const current = findCondition(conditions, 'Progressing')
  if (deadlineMs === undefined || !current || current.reason === 'NewReplicaSetAvailable') return undefined
  if (current.reason === 'ProgressDeadlineExceeded' || current.reason === 'DeploymentPaused') return undefined
  const since = parseTime(current.lastUpdateTime) ?? now
  return Math.max(0, since + deadlineMs - now)
}

/** The new ReplicaSet's failure, or else any. */
function replicaFailure(newSet: ReplicaSet | undefined, sets: readonly ReplicaSet[]) {
  const candidates = newSet ? [newSet, ...sets] : sets
  for (const { status } of candidates) {
    const failure = findCondition(status?.conditions, 'ReplicaFailure')
    if (failure) return { status: failure.status, reason: failure.reason, message: failure.message }
  }
  return undefined
}
