/**
 * Keeps the status of PodDisruptionBudgets, which evictions are decided by. The eviction handler writes it as well;
 * every write here holds only for the version that was read, so that neither takes back what the other did.
 */
import { deployment } from '../api/kinds/deployment.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { type PodDisruptionBudget, podDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { replicaSet } from '../api/kinds/replica-set.ts'
import { isPodReady, isPodTerminal } from '../api/pods.ts'
import { controllerOf, isBeingDeleted, keyOf, type Resource } from '../api/resource.ts'
import { compileLabelSelector, labelSelectorMatches } from '../api/selectors.ts'
import { deepEqual } from '../base/json.ts'
import type { InformerChange } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import { decideBudget, failedBudget, needsScale } from './budget.ts'
import { type Controller, ownerKey, watched } from './controller.ts'

export const disruptionController: Controller<PodDisruptionBudget> = {
  name: 'disruption',
  kind: podDisruptionBudget,
  watches: [
    watched({ kind: pod, keys: podConcerns }),
    watched({ kind: replicaSet, keys: scaleConcerns }),
    watched({ kind: deployment, keys: scaleConcerns }),
  ],
  async reconcile({ client, informers, events, env }, budget) {
    const now = env.clock.now()
    const matches = compileLabelSelector(budget.spec.selector)
    const pods = informers
      .of(pod)
      .byIndex('namespace', budget.metadata.namespace ?? '')
      .filter(({ metadata }) => matches(metadata.labels ?? {}))
    if (pods.length === 0) events.event(budget, 'Normal', 'NoPods', 'No matching pods found')
    const found = needsScale(budget) ? scaleOf(informers, pods) : { scale: 0 }
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
    const decision = decideBudget({ budget, pods, scale: found.scale, now })
    for (const name of decision.notDeleted) {
      const doomed = pods.find(({ metadata }) => metadata.name === name)
      const message = `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`
      if (doomed) events.event(doomed, 'Warning', 'NotDeleted', message)
    }
    await write(decision.status)
    return decision.lookAgainAt === undefined ? undefined : { requeueAfterMs: decision.lookAgainAt - now }
  },
}

/** Pods that no controller has do not count: nobody would replace them. */
function scaleOf(
  informers: Informers,
  pods: readonly Pod[],
): { readonly scale: number } | { readonly failure: string } {
  const scales = new Map<string, number>()
  for (const each of pods) {
    const owner = controllerOf(each)
    if (!owner) continue
    const setKey = ownerKey(each, replicaSet)
    const set = setKey === undefined ? undefined : informers.of(replicaSet).get(setKey)
    if (set?.metadata.uid !== owner.uid)
      return { failure: `found no controllers for pod "${each.metadata.name}"` }
    const aboveKey = ownerKey(set, deployment)
    const above = aboveKey === undefined ? undefined : informers.of(deployment).get(aboveKey)
    const scaled = above ?? set
    scales.set(scaled.metadata.uid ?? keyOf(scaled), scaled.spec.replicas ?? 1)
  }
  return { scale: [...scales.values()].reduce((total, replicas) => total + replicas, 0) }
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
