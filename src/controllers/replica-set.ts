/**
 * Keeps as many pods as a ReplicaSet asks for: adopts and releases, makes in slow-start batches, deletes by rank,
 * and reports. What to delete and what to report is decided in pod-set.ts and replica-set-status.ts.
 */
import type { V1ReplicaSetStatus } from '../api/generated/types.ts'
import type { KindRef } from '../api/kind.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { type ReplicaSet, replicaSet } from '../api/kinds/replica-set.ts'
import { replicationController } from '../api/kinds/replication-controller.ts'
import { isPodActive } from '../api/pods.ts'
import { controllerOf, isBeingDeleted, keyOf, type Resource } from '../api/resource.ts'
import { compileLabelSelector, labelSelectorMatches, NOTHING } from '../api/selectors.ts'
import { isNamespaceTerminating, isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import type { Informer } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import { claim, decideClaims } from './adoption.ts'
import { type Controller, type Outcome, type ReconcileContext, restFor, watched } from './controller.ts'
import { podFromTemplate } from './pod-from-template.ts'
import { BURST_MAX, podsToDelete, rejectedPauseMs, slowStart } from './pod-set.ts'
import { nextAvailableInMs, type ReplicaFailure, replicaSetStatus } from './replica-set-status.ts'

export const replicaSetController = replicaController('replicaset', replicaSet, (set) => set)

/** A ReplicationController is a ReplicaSet whose selector is a plain map; its own status and events, the same rules. */
export const replicationControllerController = replicaController(
  'replicationcontroller',
  replicationController,
  (found) => ({
    ...found,
    spec: { ...found.spec, selector: { matchLabels: found.spec.selector ?? {} } },
  }),
  // The only thing its status does not say.
  ({ terminatingReplicas: _, ...status }) => status,
)

/** `asSet` keeps apiVersion, kind and metadata: pods are owned by what is really there. */
function replicaController<R extends Resource>(
  name: string,
  kind: KindRef<R>,
  asSet: (resource: R) => ReplicaSet,
  statusOf: (status: V1ReplicaSetStatus) => V1ReplicaSetStatus = (status) => status,
): Controller<R> {
  return {
    name,
    kind,
    owns: [pod],
    watches: [
      watched({
        kind: pod,
        keys: ({ resource }, informers) => wouldAdopt(resource, informers.of(kind), asSet),
      }),
    ],
    concurrency: 16,
    reconcile: (context, found) => reconcile(context, { kind, statusOf }, found, asSet(found)),
  }
}

async function reconcile<R extends Resource>(
  context: ReconcileContext,
  { kind, statusOf }: { kind: KindRef<R>; statusOf: (status: V1ReplicaSetStatus) => V1ReplicaSetStatus },
  found: R,
  set: ReplicaSet,
): Promise<Outcome> {
  const { client, informers, env } = context
  const { uid = '', namespace = '' } = set.metadata
  const candidates = [
    ...informers.of(pod).byIndex('owner', uid),
    ...informers.of(pod).byIndex('orphan', namespace),
  ]
  const claims = decideClaims(set, candidates.filter(isPodActive), selectorOf(set))
  const active = await claim(client, { owner: kind, child: pod }, found, claims)
  const managed: Managed = isBeingDeleted(set) ? { active } : await manageReplicas(context, set, active)
  const now = env.clock.now()
  const all = informers.of(pod).byIndex('owner', uid)
  const status = statusOf(replicaSetStatus(set, { active: managed.active, all }, managed.failure, now))
  if (!deepEqual(set.status, status)) {
    await client.update(kind, { ...found, status }, { subresource: 'status' })
  }
  if (managed.error) throw managed.error
  const waits = [managed.pauseMs, nextAvailableInMs(managed.active, set.spec.minReadySeconds ?? 0, now)]
  const nextMs = Math.min(...waits.map((ms) => ms ?? Number.POSITIVE_INFINITY))
  return {
    requeueAfterMs: Number.isFinite(nextMs) ? nextMs : undefined,
    restMs: managed.isAtSize ? restFor(all.length) : 0,
  }
}

function selectorOf({ spec: { selector } }: ReplicaSet) {
  const isEmpty = !selector.matchLabels && !selector.matchExpressions?.length
  return isEmpty ? NOTHING : compileLabelSelector(selector)
}

/** A pod that nobody controls concerns every set that selects it. */
function* wouldAdopt<R extends Resource>(
  candidate: Pod,
  sets: Informer<R>,
  asSet: (resource: R) => ReplicaSet,
): Iterable<string> {
  if (controllerOf(candidate)) return
  for (const found of sets.byIndex('namespace', candidate.metadata.namespace ?? ''))
    if (labelSelectorMatches(asSet(found).spec.selector, candidate.metadata.labels)) yield keyOf(found)
}

interface Managed {
  /** There was nothing to make or to delete. */
  readonly isAtSize?: boolean
  /** Nodes rejected the last pods: none is made before. */
  readonly pauseMs?: number
  readonly active: readonly Pod[]
  readonly failure?: ReplicaFailure
  readonly error?: unknown
}

/** The status counts the pods that were there before, as upstream; what was made or deleted is seen next time. */
async function manageReplicas(
  context: ReconcileContext,
  set: ReplicaSet,
  active: readonly Pod[],
): Promise<Managed> {
  const missing = (set.spec.replicas ?? 1) - active.length
  if (missing === 0) return { active, isAtSize: true }
  const all = context.informers.of(pod).byIndex('owner', set.metadata.uid ?? '')
  const pauseMs = missing > 0 ? rejectedPauseMs(all, set.spec.replicas ?? 1, context.env.clock.now()) : 0
  if (pauseMs > 0) return { active, pauseMs }
  const error =
    missing > 0
      ? await createPods(context, set, Math.min(missing, BURST_MAX))
      : await deletePods(context, set, active, Math.min(-missing, BURST_MAX))
  if (!error) return { active }
  const message = error instanceof Error ? error.message : String(error)
  return { active, error, failure: { reason: missing > 0 ? 'FailedCreate' : 'FailedDelete', message } }
}

async function createPods({ client, events }: ReconcileContext, set: ReplicaSet, count: number) {
  const made = podFromTemplate(set.spec.template ?? {}, set)
  const { error } = await slowStart(count, async () => {
    try {
      const { metadata } = await client.create(pod, made)
      events.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${metadata.name}`)
    } catch (error) {
      // The namespace is going away and will take this ReplicaSet with it.
      if (isNamespaceTerminating(error)) return
      events.event(set, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`)
      throw error
    }
  })
  return error
}

async function deletePods(
  { client, events, informers, env }: ReconcileContext,
  set: ReplicaSet,
  active: readonly Pod[],
  count: number,
) {
  const results = await Promise.allSettled(
    podsToDelete(active, relatedPods(informers, set), count, env.clock.now()).map(async (doomed) => {
      const { namespace, name, uid } = doomed.metadata
      try {
        await client.delete(pod, { namespace, name }, { preconditions: { uid } })
        events.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
      } catch (error) {
        if (isReason(error, 'NotFound')) return
        events.event(set, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`)
        throw error
      }
    }),
  )
  return results.find((result) => result.status === 'rejected')?.reason
}

/** The active pods of all ReplicaSets of the same Deployment, or its own when it has none. */
function relatedPods(informers: Informers, set: ReplicaSet): readonly Pod[] {
  const owner = controllerOf(set)
  const sets = owner ? informers.of(replicaSet).byIndex('owner', owner.uid) : [set]
  return sets.flatMap(({ metadata }) => informers.of(pod).byIndex('owner', metadata.uid ?? ''))
}
