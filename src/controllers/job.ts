/**
 * Runs Jobs to their end. What to do is decided in job-plan.ts; a pod's finalizer is taken off only after the status that
 * counts it has been written.
 */
import { type Job, job } from '../api/kinds/job.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { controllerOf, keyOf, parseKey } from '../api/resource.ts'
import { compileLabelSelector, labelSelectorMatches } from '../api/selectors.ts'
import { isNamespaceTerminating, isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import { claim, decideClaims, letGo } from './adoption.ts'
import { type Controller, type ReconcileContext, restFor, watched } from './controller.ts'
import { isFinished, type JobPlan, planJob } from './job-plan.ts'
import { isTracked, jobPod, TRACKING } from './job-pod.ts'
import type { Failures } from './job-pods.ts'
import { BURST_MAX, slowStart } from './pod-set.ts'

const JOB_NAME = 'batch.kubernetes.io/job-name'
const MANAGED_HERE = 'kubernetes.io/job-controller'

export function jobController(): Controller<Job> {
  /** By Job: failures its pause is counted by, also of pods that are gone. Lost with a restart, as upstream. */
  const failures = new Map<string, { readonly uid: string | undefined; readonly since: Failures }>()
  return {
    name: 'job',
    kind: job,
    owns: [pod],
    watches: [
      // A pod that lost its Job keeps its finalizer until somebody takes it off.
      watched({
        kind: pod,
        keys: ({ resource }, informers) => {
          if (controllerOf(resource)) return []
          const { labels, namespace = '' } = resource.metadata
          const name = labels?.[JOB_NAME]
          const adopting = informers
            .of(job)
            .byIndex('namespace', namespace)
            .filter(({ spec }) => labelSelectorMatches(spec.selector, labels))
          const lost = name !== undefined && isTracked(resource) ? [`${namespace}/${name}`] : []
          return [...adopting.map(keyOf), ...lost]
        },
      }),
    ],
    async reconcile(context, found) {
      if ((found.spec.managedBy ?? MANAGED_HERE) !== MANAGED_HERE) return undefined
      const key = keyOf(found)
      if (isFinished(found)) {
        failures.delete(key)
        await releaseLost(context, keyOf(found), found.metadata.uid)
        await release(context, context.informers.of(pod).byIndex('owner', found.metadata.uid ?? ''))
        return undefined
      }
      const pods = await claimPods(context, found)
      const own = new Set(pods.map(({ metadata }) => metadata.uid))
      await releaseLost(context, keyOf(found), found.metadata.uid, own)
      const known = failures.get(key)
      const before = known?.uid === found.metadata.uid ? known?.since : undefined
      const plan = planJob({ job: found, pods, failures: before, now: context.env.clock.now() })
      if (plan.failures.size > 0) failures.set(key, { uid: found.metadata.uid, since: plan.failures })
      else failures.delete(key)
      const failure = await perform(context, found, plan)
      if (!deepEqual(found.status, plan.status))
        await context.client.update(job, { ...found, status: plan.status }, { subresource: 'status' })
      for (const { type, reason, message } of plan.events) context.events.event(found, type, reason, message)
      await release(context, plan.release)
      if (failure) throw failure
      return {
        requeueAfterMs: plan.lookAgainInMs,
        restMs: plan.create.length >= BURST_MAX ? 0 : restFor(pods.length),
      }
    },
    async deleted(context, key) {
      failures.delete(key)
      await releaseLost(context, key, undefined)
      return undefined
    },
  }
}

/** Also those that nobody controls and that its selector finds: of manualSelector, or that lost their reference. */
async function claimPods({ client, informers }: ReconcileContext, found: Job): Promise<readonly Pod[]> {
  const all = informers.of(pod)
  const candidates = [
    ...all.byIndex('owner', found.metadata.uid ?? ''),
    ...all.byIndex('orphan', found.metadata.namespace ?? ''),
  ]
  const claims = decideClaims(found, candidates, compileLabelSelector(found.spec.selector))
  return await claim(client, { owner: job, child: pod }, found, claims, TRACKING)
}

async function perform(context: ReconcileContext, found: Job, plan: JobPlan): Promise<unknown> {
  const { client, events } = context
  const removals = await Promise.allSettled(
    plan.remove.map(async (doomed) => {
      const { namespace, name, uid } = doomed.metadata
      try {
        // Without its finalizer it is not counted: it did not fail, it is not wanted.
        if (!plan.hasFailed) await release(context, [doomed])
        await client.delete(pod, { namespace, name }, { preconditions: { uid } })
        events.event(found, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
      } catch (error) {
        if (isReason(error, 'NotFound')) return
        events.event(found, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`)
        throw error
      }
    }),
  )
  const waiting = [...plan.create]
  const { error } = await slowStart(waiting.length, async () => {
    const { index, failures } = waiting.shift() ?? {}
    try {
      const made = await client.create(pod, jobPod(found, index, failures))
      events.event(found, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`)
    } catch (error) {
      // It will take this Job with it: there is nothing to tell.
      if (isNamespaceTerminating(error)) return
      events.event(found, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`)
      throw error
    }
  })
  return error ?? removals.find((result) => result.status === 'rejected')?.reason
}

async function release({ client }: ReconcileContext, pods: readonly Pod[]): Promise<void> {
  const tracked = pods.filter(isTracked)
  await Promise.all(
    tracked.map((each) => letGo(client, pod, each, { '$deleteFromPrimitiveList/finalizers': [TRACKING] })),
  )
}

/** Pods of this name's Job that is no more, or that were orphaned. */
async function releaseLost(
  context: ReconcileContext,
  key: string,
  uid: string | undefined,
  own: ReadonlySet<string | undefined> = new Set(),
): Promise<void> {
  const { namespace, name } = parseKey(key)
  const pods = context.informers.of(pod)
  // Those with a selector of their own may lack the label; they are looked for when their Job has gone.
  const candidates =
    uid === undefined
      ? pods.byIndex('namespace', namespace ?? '')
      : pods.byIndex('label', `${namespace}/${JOB_NAME}=${name}`)
  const lost = candidates.filter((each) => {
    if (own.has(each.metadata.uid)) return false
    const owner = controllerOf(each)
    if (!owner) return each.metadata.labels?.[JOB_NAME] === name
    return owner.kind === job.kind && owner.name === name && owner.uid !== uid
  })
  await release(context, lost)
}
