/**
 * Keeps the status of PodDisruptionBudgets, which evictions are decided by. The eviction handler writes it as well;
 * every write here holds only for the version that was read, so that neither takes back what the other did.
 */
import type { AnyKind, KindRef } from '../api/kind.ts'
import { deployment } from '../api/kinds/deployment.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { type PodDisruptionBudget, podDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { replicaSet } from '../api/kinds/replica-set.ts'
import { replicationController } from '../api/kinds/replication-controller.ts'
import { statefulSet } from '../api/kinds/stateful-set.ts'
import { isPodReady, isPodTerminal } from '../api/pods.ts'
import {
  type AnyResource,
  controllerOf,
  isBeingDeleted,
  keyOf,
  type OwnerReference,
  parseApiVersion,
  type Resource,
} from '../api/resource.ts'
import { compileLabelSelector, goSelector, labelSelectorMatches } from '../api/selectors.ts'
import { isReason, qualified } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import type { InformerChange } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import { decideBudget, failedBudget, needsScale } from './budget.ts'
import { type Controller, ownerKey, type ReconcileContext, restFor, watched } from './controller.ts'

/** Their sizes are known as they change; those of other kinds are asked for with each look. */
const SCALED = [replicaSet, deployment, statefulSet, replicationController]

export const disruptionController = (kinds: () => readonly AnyKind[]): Controller<PodDisruptionBudget> => ({
  name: 'disruption',
  kind: podDisruptionBudget,
  watches: [
    watched({ kind: pod, keys: podConcerns }),
    ...SCALED.map((kind) => watched({ kind: kind as KindRef<Scaled>, keys: scaleConcerns })),
  ],
  async reconcile(context, budget) {
    const { client, informers, events, env } = context
    const now = env.clock.now()
    const matches = compileLabelSelector(budget.spec.selector)
    const pods = informers
      .of(pod)
      .byIndex('namespace', budget.metadata.namespace ?? '')
      .filter(({ metadata }) => matches(metadata.labels ?? {}))
    if (pods.length === 0) events.event(budget, 'Normal', 'NoPods', 'No matching pods found')
    const found = needsScale(budget) ? await scaleOf(context, pods, kinds()) : { scale: 0, unmanaged: [] }
    const write = async (status: PodDisruptionBudget['status']) => {
      if (deepEqual(budget.status, status)) return
      await client.update(podDisruptionBudget, { ...budget, status }, { subresource: 'status' })
    }
    if ('failure' in found) {
      const message = `Failed to calculate the number of expected pods: ${found.failure}`
      events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', message)
      await write(failedBudget(budget, found.failure, now))
      return undefined
    }
    if (found.unmanaged.length > 0) events.event(budget, 'Warning', 'UnmanagedPods', unmanaged(budget))
    const decision = decideBudget({ budget, pods, scale: found.scale, now })
    for (const name of decision.notDeleted) {
      const doomed = pods.find(({ metadata }) => metadata.name === name)
      const message = `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`
      if (doomed) events.event(doomed, 'Warning', 'NotDeleted', message)
    }
    await write(decision.status)
    return {
      requeueAfterMs: decision.lookAgainAt === undefined ? undefined : decision.lookAgainAt - now,
      restMs: restFor(pods.length),
    }
  },
})

function unmanaged({ spec: { selector } }: PodDisruptionBudget): string {
  const which = `(selector: ${goSelector(selector)})`
  return `Pods selected by this PodDisruptionBudget ${which} were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`
}

/** Pods that no controller has do not count: nobody would replace them. */
async function scaleOf(
  context: ReconcileContext,
  pods: readonly Pod[],
  kinds: readonly AnyKind[],
): Promise<{ readonly scale: number; readonly unmanaged: readonly Pod[] } | { readonly failure: string }> {
  const known = new Set<string>()
  const scales = new Map<string, number>()
  for (const each of pods) {
    const owner = controllerOf(each)
    if (!owner || known.has(owner.uid)) continue
    known.add(owner.uid)
    const found = builtInScale(context.informers, each) ?? (await otherScale(context, each, owner, kinds))
    if (typeof found === 'string') return { failure: found }
    if (!found) return { failure: `found no controllers for pod "${each.metadata.name}"` }
    scales.set(found.uid, found.replicas)
  }
  return {
    scale: [...scales.values()].reduce((total, replicas) => total + replicas, 0),
    unmanaged: pods.filter((each) => !controllerOf(each)),
  }
}

interface Scale {
  readonly uid: string
  readonly replicas: number
}

/** Of a ReplicaSet the Deployment above it decides. */
function builtInScale(informers: Informers, owned: Pod): Scale | undefined {
  for (const kind of SCALED) {
    const key = ownerKey(owned, kind as KindRef)
    const set = key === undefined ? undefined : informers.of(kind as KindRef<Scaled>).get(key)
    if (set?.metadata.uid !== controllerOf(owned)?.uid || !set) continue
    const above = ownerKey(set, deployment)
    const scaled = (above === undefined ? undefined : informers.of(deployment).get(above)) ?? set
    return { uid: scaled.metadata.uid ?? keyOf(scaled), replicas: scaled.spec.replicas ?? 1 }
  }
  return undefined
}

/** Of any other kind that can be scaled; a text says why it cannot. */
async function otherScale(
  { client }: ReconcileContext,
  { metadata: { namespace } }: Pod,
  owner: OwnerReference,
  kinds: readonly AnyKind[],
): Promise<Scale | string | undefined> {
  const { group } = parseApiVersion(owner.apiVersion)
  const kind = kinds.find((each) => each.group === group && each.kind === owner.kind)
  if (!kind) return `no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`
  const { scale } = kind.subresources
  if (!scale) return `${qualified(kind)} does not implement the scale subresource`
  try {
    const found = await client.get<AnyResource>(kind, { namespace, name: owner.name })
    return found.metadata.uid === owner.uid
      ? { uid: owner.uid, replicas: scale.specReplicas(found) }
      : undefined
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  }
}

function podConcerns({ resource, previous }: InformerChange<Pod>, informers: Informers): string[] {
  if (previous && deepEqual(factsOf(previous), factsOf(resource))) return []
  return informers
    .of(podDisruptionBudget)
    .byIndex('namespace', resource.metadata.namespace ?? '')
    .filter(
      ({ spec }) =>
        labelSelectorMatches(spec.selector, resource.metadata.labels) ||
        (previous && labelSelectorMatches(spec.selector, previous.metadata.labels)),
    )
    .map(keyOf)
}

function factsOf(found: Pod): unknown {
  return [
    found.metadata.labels,
    isPodReady(found),
    isPodTerminal(found),
    isBeingDeleted(found),
    controllerOf(found),
  ]
}

type Scaled = Resource & { readonly spec: { readonly replicas?: number | undefined } }

function scaleConcerns({ resource, previous }: InformerChange<Scaled>, informers: Informers): string[] {
  if (previous && previous.spec.replicas === resource.spec.replicas) return []
  return informers
    .of(podDisruptionBudget)
    .byIndex('namespace', resource.metadata.namespace ?? '')
    .map(keyOf)
}
