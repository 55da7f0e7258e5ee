/**
 * Keeps the pods of a StatefulSet, each with its own name and claims. What to do next is decided in stateful-plan.ts;
 * what pods and claims look like in stateful-pod.ts.
 */
import { type ControllerRevision, controllerRevision } from '../api/kinds/controller-revision.ts'
import { persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { type StatefulSet, statefulSet } from '../api/kinds/stateful-set.ts'
import { isPodReady } from '../api/pods.ts'
import { controllerOf, isBeingDeleted, keyOf } from '../api/resource.ts'
import { compileLabelSelector, labelSelectorMatches } from '../api/selectors.ts'
import { isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import { claim, decideClaims } from './adoption.ts'
import { type Controller, type ReconcileContext, restFor, watched } from './controller.ts'
import { REVISION_LABEL, syncHistory, templateOf, trimHistory } from './controller-revisions.ts'
import type { Pauses } from './failure-pauses.ts'
import { ordinalOf, planStatefulSet, type StatefulStep } from './stateful-plan.ts'
import {
  claimOwners,
  hasOtherController,
  isStaleFor,
  POD_INDEX,
  POD_NAME,
  statefulClaims,
  statefulPod,
} from './stateful-pod.ts'

export function statefulSetController(): Controller<StatefulSet> {
  /** By StatefulSet and generation: the pauses of its pods. Lost with a restart. */
  const pauses = new Map<string, { readonly of: string; readonly byPod: Pauses }>()
  return {
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
      // A pod waits for a claim that has to go, and one that has not started gets back the claim somebody deleted.
      watched({
        kind: persistentVolumeClaim,
        keys: ({ type, resource: { metadata } }, informers) =>
          type !== 'deleted'
            ? []
            : informers
                .of(statefulSet)
                .byIndex('namespace', metadata.namespace ?? '')
                .filter((set) =>
                  set.spec.volumeClaimTemplates?.some((template) =>
                    metadata.name.startsWith(`${template.metadata?.name}-${set.metadata.name}-`),
                  ),
                )
                .map(keyOf),
      }),
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
      const key = keyOf(found)
      const of = `${found.metadata.uid}/${found.metadata.generation}`
      const known = pauses.get(key)
      const plan = planStatefulSet({
        set: found,
        pods,
        currentRevision: current.metadata.name,
        updateRevision: history.update.metadata.name,
        pauses: known?.of === of ? known.byPod : undefined,
        now: env.clock.now(),
      })
      if (plan.pauses.size > 0) pauses.set(key, { of, byPod: plan.pauses })
      else pauses.delete(key)
      await keepClaims(context, found, pods, plan.condemned)
      let failure: unknown
      for (const step of plan.steps) {
        try {
          await perform(context, found, step, { current, update: history.update })
        } catch (error) {
          failure ??= error
        }
      }
      try {
        for (const each of plan.kept) await keep(context, found, each)
      } catch (error) {
        failure ??= error
      }
      if (!deepEqual(found.status, plan.status))
        await client.update(statefulSet, { ...found, status: plan.status }, { subresource: 'status' })
      const inUse = new Set([current.metadata.name, history.update.metadata.name])
      for (const { metadata } of pods) inUse.add(metadata.labels?.[REVISION_LABEL] ?? '')
      await trimHistory(context, found, history, inUse)
      if (failure) throw failure
      return { requeueAfterMs: plan.lookAgainInMs, restMs: plan.steps.length > 0 ? 0 : restFor(pods.length) }
    },
    deleted(_, key) {
      pauses.delete(key)
      return Promise.resolve(undefined)
    },
  }
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
  try {
    await client.delete(pod, { namespace, name }, { preconditions: { uid } })
    events.event(set, 'Normal', 'SuccessfulDelete', `delete ${at} successful`)
  } catch (error) {
    if (isReason(error, 'NotFound')) return
    events.event(set, 'Warning', 'FailedDelete', `delete ${at} failed error: ${(error as Error).message}`)
    throw error
  }
}

/** The claims first: the pod refers to them. One that is still to go with a pod of this name is waited for. */
async function create(context: ReconcileContext, set: StatefulSet, wanted: Pod): Promise<void> {
  const { client, events, informers } = context
  const { name } = wanted.metadata
  const claims = statefulClaims(set, ordinalOf(wanted, set))
  const isStale = claims
    .flatMap((each) => informers.of(persistentVolumeClaim).get(keyOf(each)) ?? [])
    .some((each) => isStaleFor(each, wanted))
  if (isStale && set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete') return
  const at = `Pod ${name} in StatefulSet ${set.metadata.name}`
  try {
    await makeClaims(context, set, wanted)
    await client.create(pod, wanted)
    events.event(set, 'Normal', 'SuccessfulCreate', `create ${at} successful`)
  } catch (error) {
    if (!isReason(error, 'AlreadyExists'))
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
    const { name } = made.metadata
    const existing = informers.of(persistentVolumeClaim).get(keyOf(made))
    if (existing && isBeingDeleted(existing)) throw new Error(`pvc ${name} is being deleted`)
    if (existing) continue
    const owners = claimOwners(made, set, wanted, false)
    const withOwners = owners ? { ...made, metadata: { ...made.metadata, ownerReferences: owners } } : made
    const of = `Pod ${wanted.metadata.name} in StatefulSet ${set.metadata.name}`
    try {
      await client.create(persistentVolumeClaim, withOwners)
      events.event(set, 'Normal', 'SuccessfulCreate', `create Claim ${name} ${of} success`)
    } catch (error) {
      if (isReason(error, 'AlreadyExists')) continue
      const why = (error as Error).message
      events.event(set, 'Warning', 'FailedCreate', `create Claim ${name} for ${of} failed error: ${why}`)
      throw new Error(`failed to create PVC ${name}: ${why}`)
    }
  }
}

/** One that has not started has all its claims, one that runs the labels it is found by. */
async function keep(context: ReconcileContext, set: StatefulSet, held: Pod): Promise<void> {
  const { client, events } = context
  if (held.status?.phase === 'Pending') return makeClaims(context, set, held)
  const { namespace, name, uid, labels } = held.metadata
  if (labels?.[POD_NAME] === name || !isPodReady(held)) return
  const own = { [POD_NAME]: name, [POD_INDEX]: String(ordinalOf(held, set)) }
  await client.patch(pod, { namespace, name }, 'merge', { metadata: { uid, labels: own } })
  events.event(
    set,
    'Normal',
    'SuccessfulUpdate',
    `update Pod ${name} in StatefulSet ${set.metadata.name} successful`,
  )
}

/** Claims follow the retention policy: before a pod that takes them with it is deleted, and when it is changed. */
async function keepClaims(
  { client, informers, events }: ReconcileContext,
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
      if (owners && hasOtherController(existing, set, each)) {
        const message = `PersistentVolumeClaim ${metadata.name} has a conflicting OwnerReference that acts as a managing controller, the retention policy is ignored for this claim`
        events.event(set, 'Warning', 'ConflictingController', message)
      }
      if (owners)
        await client.update(persistentVolumeClaim, {
          ...existing,
          metadata: { ...existing.metadata, ownerReferences: owners },
        })
    }
  }
}
