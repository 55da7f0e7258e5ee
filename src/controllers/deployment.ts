/**
 * Rolls a Deployment's pods over to its template through ReplicaSets. Fetches, lets rollout.ts decide one step and
 * deployment-status.ts the words, performs, writes the status. Steps follow one another through what they change.
 */
import { type Deployment, deployment } from '../api/kinds/deployment.ts'
import { pod } from '../api/kinds/pod.ts'
import { type ReplicaSet, replicaSet } from '../api/kinds/replica-set.ts'
import { isPodTerminal } from '../api/pods.ts'
import { controllerOf, isBeingDeleted, keyOf } from '../api/resource.ts'
import { compileLabelSelector, labelSelectorMatches } from '../api/selectors.ts'
import { isNamespaceTerminating, isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import type { Client } from '../client/client.ts'
import type { Informers } from '../client/informers.ts'
import { claim, decideClaims } from './adoption.ts'
import { type Controller, ownerKey, type ReconcileContext, watched } from './controller.ts'
import { deadlineLeftMs, deploymentStatus, type NewSetNews } from './deployment-status.ts'
import { findNewSet, isSetOf, newSetOf, REVISION, scaledSet, syncedNewSet } from './revisions.ts'
import { byCreation, decideRollout, type Scale } from './rollout.ts'
import { amountsOf, replicasOf } from './rollout-amounts.ts'

export const deploymentController: Controller<Deployment> = {
  name: 'deployment',
  kind: deployment,
  owns: [replicaSet],
  watches: [
    watched({ kind: replicaSet, keys: ({ resource }, informers) => wouldAdopt(resource, informers) }),
    // Recreate waits for the last old pod to be gone.
    watched({
      kind: pod,
      keys: ({ type, resource }, informers) => {
        const isEnd = type === 'deleted' || isPodTerminal(resource)
        const setKey = isEnd ? ownerKey(resource, replicaSet) : undefined
        const set = setKey === undefined ? undefined : informers.of(replicaSet).get(setKey)
        const key = set && ownerKey(set, deployment)
        return key === undefined ? [] : [key]
      },
    }),
  ],
  concurrency: 16,
  async reconcile(context, found) {
    const { client, events, env } = context
    const { selector } = found.spec
    if (!selector.matchLabels && !selector.matchExpressions?.length) {
      const message = 'This deployment is selecting all pods. A non-empty selector is required.'
      events.event(found, 'Warning', 'SelectingAll', message)
      return undefined
    }
    const owned = await claimSets(context, found)
    const step = isBeingDeleted(found)
      ? { newSet: findNewSet(found, owned), sets: owned, isScaling: true }
      : await takeStep(context, found, owned)
    const now = env.clock.now()
    const status = deploymentStatus({ ...step, deployment: found, now })
    const current = step.newSet ? numbered(found, step.newSet) : found
    if (current !== found || !deepEqual(found.status, status))
      await client.update(deployment, { ...current, status }, { subresource: 'status' })
    const leftMs = deadlineLeftMs(found, status.conditions, now)
    // Times are stored in whole seconds: one more is sure to be past the deadline.
    return leftMs === undefined ? undefined : { requeueAfterMs: leftMs + 1000 }
  },
}

/** Oldest first. */
async function claimSets({ client, informers }: ReconcileContext, found: Deployment): Promise<ReplicaSet[]> {
  const sets = informers.of(replicaSet)
  const candidates = [
    ...sets.byIndex('owner', found.metadata.uid ?? ''),
    ...sets.byIndex('orphan', found.metadata.namespace ?? ''),
  ]
  const claims = decideClaims(found, candidates, compileLabelSelector(found.spec.selector))
  const owned = await claim(client, { owner: deployment, child: replicaSet }, found, claims)
  return owned.toSorted(byCreation)
}

function* wouldAdopt(set: ReplicaSet, informers: Informers): Iterable<string> {
  if (controllerOf(set)) return
  for (const candidate of informers.of(deployment).byIndex('namespace', set.metadata.namespace ?? '')) {
    if (labelSelectorMatches(candidate.spec.selector, set.metadata.labels)) yield keyOf(candidate)
  }
}

interface Step {
  readonly newSet: ReplicaSet | undefined
  readonly sets: readonly ReplicaSet[]
  readonly news?: NewSetNews | undefined
  readonly isScaling: boolean
}

async function takeStep(
  context: ReconcileContext,
  found: Deployment,
  owned: readonly ReplicaSet[],
): Promise<Step> {
  const { client, informers } = context
  const foundSet = findNewSet(found, owned)
  const oldSets = owned.filter((set) => set !== foundSet)
  const newSet = foundSet && (await synced(client, found, foundSet, oldSets))
  const rollout = decideRollout({
    deployment: found,
    newSet,
    oldSets,
    hasOldPods: found.spec.strategy?.type === 'Recreate' && hasUnfinishedPods(informers, oldSets),
  })
  if (rollout.create) return await create(context, found, oldSets, rollout.create.replicas)
  const scaled = new Map<string, ReplicaSet>()
  for (const scale of rollout.scale)
    scaled.set(scale.set.metadata.name, await scaleSet(context, found, scale))
  for (const set of rollout.remove) await removeSet(client, set)
  const after = (set: ReplicaSet) => scaled.get(set.metadata.name) ?? set
  return {
    newSet: newSet && after(newSet),
    sets: [...oldSets, ...(newSet ? [newSet] : [])].filter((set) => !rollout.remove.includes(set)).map(after),
    news: newSet && !rollout.isScaling ? { type: 'found', name: newSet.metadata.name } : undefined,
    isScaling: rollout.isScaling,
  }
}

function hasUnfinishedPods(informers: Informers, sets: readonly ReplicaSet[]): boolean {
  return sets.some(({ metadata }) =>
    informers
      .of(pod)
      .byIndex('owner', metadata.uid ?? '')
      .some((each) => !isPodTerminal(each)),
  )
}

async function synced(
  client: Client,
  found: Deployment,
  newSet: ReplicaSet,
  oldSets: readonly ReplicaSet[],
): Promise<ReplicaSet> {
  const wanted = syncedNewSet(found, newSet, oldSets)
  return wanted === newSet ? newSet : await client.update(replicaSet, wanted)
}

/** The Deployment carries the revision of its new ReplicaSet; written with the status, it makes no generation of its own. */
function numbered(found: Deployment, newSet: ReplicaSet): Deployment {
  const revision = newSet.metadata.annotations?.[REVISION]
  if (revision === undefined || found.metadata.annotations?.[REVISION] === revision) return found
  const annotations = { ...found.metadata.annotations, [REVISION]: revision }
  return { ...found, metadata: { ...found.metadata, annotations } }
}

async function scaleSet(
  { client, events }: ReconcileContext,
  found: Deployment,
  { set, replicas }: Scale,
): Promise<ReplicaSet> {
  const before = replicasOf(set)
  const scaled = await client.update(replicaSet, scaledSet(set, amountsOf(found), replicas))
  if (before !== replicas) {
    const direction = replicas > before ? 'up' : 'down'
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`
    events.event(found, 'Normal', 'ScalingReplicaSet', message)
  }
  return scaled
}

async function removeSet(client: Client, set: ReplicaSet): Promise<void> {
  const { namespace, name, uid, resourceVersion } = set.metadata
  try {
    await client.delete(replicaSet, { namespace, name }, { preconditions: { uid, resourceVersion } })
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
  }
}

async function create(
  { client, events, env }: ReconcileContext,
  found: Deployment,
  oldSets: readonly ReplicaSet[],
  replicas: number,
): Promise<Step> {
  const wanted = newSetOf(found, oldSets, amountsOf(found), replicas)
  const { name } = wanted.metadata
  try {
    const made = await client.create(replicaSet, wanted)
    if (replicas > 0)
      events.event(
        found,
        'Normal',
        'ScalingReplicaSet',
        `Scaled up replica set ${name} from 0 to ${replicas}`,
      )
    return {
      newSet: made,
      sets: [...oldSets, made],
      news: { type: 'created', name },
      isScaling: false,
    }
  } catch (error) {
    if (isReason(error, 'AlreadyExists')) await resolveCollision(client, found, wanted)
    else if (!isReason(error, 'Conflict') && !isReason(error, 'Timeout') && !isNamespaceTerminating(error)) {
      const failed: NewSetNews = { type: 'failed', name, error: (error as Error).message }
      const now = env.clock.now()
      const status = deploymentStatus({
        deployment: found,
        newSet: undefined,
        sets: oldSets,
        news: failed,
        isScaling: true,
        now,
      })
      events.event(
        found,
        'Warning',
        'ReplicaSetCreateError',
        `Failed to create new replica set "${name}": ${failed.error}`,
      )
      if (!deepEqual(found.status, status))
        await client.update(deployment, { ...found, status }, { subresource: 'status' })
    }
    throw error
  }
}

/** The name is taken: by our own set that the view lacks (then the retry finds it), or by another template. */
async function resolveCollision(client: Client, found: Deployment, wanted: ReplicaSet): Promise<void> {
  const { namespace, name } = wanted.metadata
  const taken = await client.get(replicaSet, { namespace, name })
  if (controllerOf(taken)?.uid === found.metadata.uid && isSetOf(found, taken)) return
  const status = { ...found.status, collisionCount: (found.status?.collisionCount ?? 0) + 1 }
  await client.update(deployment, { ...found, status }, { subresource: 'status' })
}
