/**
 * Keeps the pods of a StatefulSet, each with its own name and claims. What to do next is decided in stateful-plan.ts;
 * what pods and claims look like in stateful-pod.ts.
 */
import { type ControllerRevision, controllerRevision } from '../api/kinds/controller-revision.ts'
import { persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { type StatefulSet, statefulSet } from '../api/kinds/stateful-set.ts'
import { controllerOf, isBeingDeleted, keyOf } from '../api/resource.ts'
import { compileLabelSelector, labelSelectorMatches } from '../api/selectors.ts'
import { isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import { claim, decideClaims } from './adoption.ts'
import { type Controller, type ReconcileContext, watched } from './controller.ts'
import { REVISION_LABEL, syncHistory, templateOf, trimHistory } from './controller-revisions.ts'
import { ordinalOf, planStatefulSet, type StatefulStep } from './stateful-plan.ts'
import { claimOwners, statefulClaims, statefulPod } from './stateful-pod.ts'

export const statefulSetController: Controller<StatefulSet> = {
  name: 'statefulset',
  kind: statefulSet,
  owns: [pod, controllerRevision],
  watches: [
    watched({
      kind: pod,
      keys: ({ resource }, informers) =>
        controllerOf(resource)
          ? []
          : informers
              .of(statefulSet)
              .byIndex('namespace', resource.metadata.namespace ?? '')
              .filter(
                (set) =>
                  ordinalOf(resource, set) >= 0 &&
                  labelSelectorMatches(set.spec.selector, resource.metadata.labels),
              )
              .map(keyOf),
    }),
    // The own writes of claims are waited for as well.
    watched({ kind: persistentVolumeClaim, keys: () => [] }),
  ],
  async reconcile(context, found) {
    const { client, informers, env } = context
    const matches = compileLabelSelector(found.spec.selector)
    const history = await syncHistory(context, statefulSet, found, matches)
    const candidates = [
      ...informers.of(pod).byIndex('owner', found.metadata.uid ?? ''),
      ...informers.of(pod).byIndex('orphan', found.metadata.namespace ?? ''),
    ].filter((each) => ordinalOf(each, found) >= 0)
    const pods = await claim(
      client,
      { owner: statefulSet, child: pod },
      found,
      decideClaims(found, candidates, matches),
    )
    const current =
      history.all.find(({ metadata }) => metadata.name === found.status?.currentRevision) ?? history.update
    const plan = planStatefulSet({
      set: found,
      pods,
      currentRevision: current.metadata.name,
      updateRevision: history.update.metadata.name,
      now: env.clock.now(),
    })
    await keepClaims(context, found, pods, plan.condemned)
    let failure: unknown
    for (const step of plan.steps) {
      try {
        await perform(context, found, step, { current, update: history.update })
      } catch (error) {
        failure ??= error
      }
    }
    if (!deepEqual(found.status, plan.status))
      await client.update(statefulSet, { ...found, status: plan.status }, { subresource: 'status' })
    const inUse = new Set([current.metadata.name, history.update.metadata.name])
    for (const { metadata } of pods) inUse.add(metadata.labels?.[REVISION_LABEL] ?? '')
    await trimHistory(context, found, history, inUse)
    if (failure) throw failure
    return plan.lookAgainInMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainInMs }
  },
}

interface Both {
  readonly current: ControllerRevision
  readonly update: ControllerRevision
}

async function perform(
  context: ReconcileContext,
  set: StatefulSet,
  step: StatefulStep,
  revisions: Both,
): Promise<void> {
  if (step.type === 'create') {
    const revision = revisions[step.revision]
    return create(context, set, statefulPod(set, templateOf(revision), revision.metadata.name, step.ordinal))
  }
  const { client, events } = context
  const { namespace, name, uid } = step.pod.metadata
  const at = `Pod ${name} in StatefulSet ${set.metadata.name}`
  if (step.why === 'failed')
    events.event(
      set,
      'Warning',
      'RecreatingFailedPod',
      `StatefulSet ${keyOf(set)} is recreating failed Pod ${name}`,
    )
  try {
    await client.delete(pod, { namespace, name }, { preconditions: { uid } })
    events.event(set, 'Normal', 'SuccessfulDelete', `delete ${at} successful`)
  } catch (error) {
    if (isReason(error, 'NotFound')) return
    events.event(set, 'Warning', 'FailedDelete', `delete ${at} failed error: ${(error as Error).message}`)
    throw error
  }
}

/** The claims first: the pod refers to them. */
async function create(context: ReconcileContext, set: StatefulSet, wanted: Pod): Promise<void> {
  const { client, events } = context
  const { name } = wanted.metadata
  await makeClaims(context, set, wanted)
  const at = `Pod ${name} in StatefulSet ${set.metadata.name}`
  try {
    await client.create(pod, wanted)
    events.event(set, 'Normal', 'SuccessfulCreate', `create ${at} successful`)
  } catch (error) {
    events.event(set, 'Warning', 'FailedCreate', `create ${at} failed error: ${(error as Error).message}`)
    throw error
  }
}

async function makeClaims(
  { client, events, informers }: ReconcileContext,
  set: StatefulSet,
  wanted: Pod,
): Promise<void> {
  for (const made of statefulClaims(set, ordinalOf(wanted, set))) {
    if (informers.of(persistentVolumeClaim).get(keyOf(made))) continue
    const owners = claimOwners(made, set, wanted, false)
    const withOwners = owners ? { ...made, metadata: { ...made.metadata, ownerReferences: owners } } : made
    const at = `Claim ${made.metadata.name} Pod ${wanted.metadata.name} in StatefulSet ${set.metadata.name}`
    try {
      await client.create(persistentVolumeClaim, withOwners)
      events.event(set, 'Normal', 'SuccessfulCreate', `create ${at} success`)
    } catch (error) {
      if (isReason(error, 'AlreadyExists')) continue
      events.event(set, 'Warning', 'FailedCreate', `create ${at} failed error: ${(error as Error).message}`)
      throw error
    }
  }
}

/** Claims follow the retention policy: before a pod that takes them with it is deleted, and when it is changed. */
async function keepClaims(
  { client, informers }: ReconcileContext,
  set: StatefulSet,
  pods: readonly Pod[],
  condemned: readonly Pod[],
): Promise<void> {
  if (!set.spec.volumeClaimTemplates?.length || isBeingDeleted(set)) return
  for (const each of pods) {
    for (const { metadata } of statefulClaims(set, ordinalOf(each, set))) {
      const existing = informers.of(persistentVolumeClaim).get(keyOf({ metadata }))
      if (!existing || isBeingDeleted(existing)) continue
      const owners = claimOwners(existing, set, each, condemned.includes(each))
      if (owners)
        await client.update(persistentVolumeClaim, {
          ...existing,
          metadata: { ...existing.metadata, ownerReferences: owners },
        })
    }
  }
}
