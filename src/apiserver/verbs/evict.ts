import { findCondition, setCondition } from '../../api/conditions.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { type PodDisruptionBudget, podDisruptionBudget } from '../../api/kinds/pod-disruption-budget.ts'
import { isPodReady, isPodTerminal } from '../../api/pods.ts'
import type { AnyResource, ObjectKey } from '../../api/resource.ts'
import { compileLabelSelector } from '../../api/selectors.ts'
import { ApiError, type Status } from '../../api/status.ts'
import { formatTime } from '../../base/date.ts'
import { isObject } from '../../base/json.ts'
import { readDeleteOptions } from '../delete-options.ts'
import type { Registry } from '../registry.ts'
import type { RequestContext } from '../request.ts'
import { checkPreconditions, remove } from './delete.ts'
import { change } from './update.ts'

const DISRUPTED_MAX = 2000

/**
 * pods/eviction (policy/v1): deletes the pod if no PodDisruptionBudget forbids it, and takes it off the budget first, so
 * that of two evictions at once only one passes. Throws TooManyRequests when the budget is spent.
 */
export async function evict(
  registry: Registry,
  key: ObjectKey,
  body: unknown,
  context: RequestContext,
): Promise<Status> {
  const sent = readDeleteOptions(isObject(body) ? body['deleteOptions'] : undefined)
  const isDryRun = context.dryRun || sent.dryRun
  const evictionContext = { ...context, dryRun: isDryRun }
  const pod = (await registry.mustFind(podKind, key)).value as Pod
  const preconditions = sent.options.preconditions ?? { uid: pod.metadata.uid }
  checkPreconditions(podKind, pod as unknown as AnyResource, { preconditions })
  if (needsBudget(pod)) await takeFromBudget(registry, pod, evictionContext)
  if (!isDryRun) await markDisrupted(registry, key, pod, context)
  await remove(registry, podKind, key, { ...sent.options, preconditions }, evictionContext)
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
}

/** Pods that are done, or that have not started, disturb nobody. */
function needsBudget(pod: Pod): boolean {
  return (
    !isPodTerminal(pod) && pod.status?.phase !== 'Pending' && pod.metadata.deletionTimestamp === undefined
  )
}

async function takeFromBudget(registry: Registry, pod: Pod, context: RequestContext): Promise<void> {
  const all = await registry.reader.all(podDisruptionBudget, pod.metadata.namespace)
  const budgets = all.filter((budget) =>
    compileLabelSelector(budget.spec.selector)(pod.metadata.labels ?? {}),
  )
  if (budgets.length > 1) {
    throw new ApiError(
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  }
  const [budget] = budgets
  if (!budget) return
  const key = { namespace: budget.metadata.namespace, name: budget.metadata.name }
  await change(registry, podDisruptionBudget, key, 'status', context, {
    next: (old) =>
      spend(old as unknown as PodDisruptionBudget, pod, registry.env.clock.now()) as unknown as AnyResource,
  })
}

/** The budget with one disruption less and the pod remembered; throws when none is left. */
function spend(budget: PodDisruptionBudget, pod: Pod, now: number): PodDisruptionBudget {
  const status = budget.status ?? {}
  const { currentHealthy = 0, desiredHealthy = 0, disruptionsAllowed = 0, disruptedPods = {} } = status
  if (!isPodReady(pod)) {
    const policy = budget.spec.unhealthyPodEvictionPolicy ?? 'IfHealthyBudget'
    if (policy === 'AlwaysAllow' || (currentHealthy >= desiredHealthy && desiredHealthy > 0)) return budget
  }
  const { name } = budget.metadata
  if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0)) {
    throw refused(`The disruption budget ${name} is still being processed by the server.`, 10)
  }
  if (disruptionsAllowed < 0)
    throw new ApiError(
      'Forbidden',
      `poddisruptionbudgets.policy "${name}" is forbidden: pdb disruptions allowed is negative`,
    )
  if (Object.keys(disruptedPods).length > DISRUPTED_MAX)
    throw new ApiError(
      'Forbidden',
      `poddisruptionbudgets.policy "${name}" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller`,
    )
  if (disruptionsAllowed === 0) {
    const reason = findCondition(status.conditions, 'DisruptionAllowed')
    const why =
      reason?.reason === 'SyncFailed'
        ? `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${reason.message}`
        : `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
    throw refused(why, 0)
  }
  const allowed = disruptionsAllowed - 1
  const conditions =
    allowed > 0
      ? status.conditions
      : setCondition(
          status.conditions,
          {
            type: 'DisruptionAllowed',
            status: 'False',
            reason: 'InsufficientPods',
            message: '',
            lastTransitionTime: formatTime(now),
            observedGeneration: status.observedGeneration,
          },
          now,
        )
  return {
    ...budget,
    status: {
      ...status,
      ...(conditions ? { conditions } : {}),
      disruptionsAllowed: allowed,
      disruptedPods: { ...disruptedPods, [pod.metadata.name]: formatTime(now) },
    },
  }
}

function refused(message: string, retryAfterSeconds: number): ApiError {
  return new ApiError(
    'TooManyRequests',
    "Cannot evict pod as it would violate the pod's disruption budget.",
    {
      causes: [{ reason: 'DisruptionBudget', message }],
      details: { retryAfterSeconds },
    },
  )
}

async function markDisrupted(
  registry: Registry,
  key: ObjectKey,
  pod: Pod,
  context: RequestContext,
): Promise<void> {
  await change(registry, podKind, key, 'status', context, {
    uid: pod.metadata.uid,
    next: (old) => {
      const current = old as unknown as Pod
      const conditions = setCondition(
        current.status?.conditions,
        {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'EvictionByEvictionAPI',
          message: 'Eviction API: evicting',
          observedGeneration: current.metadata.generation,
        },
        registry.env.clock.now(),
      )
      return { ...current, status: { ...current.status, conditions } } as unknown as AnyResource
    },
  })
}
