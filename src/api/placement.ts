import type {
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1PreferredSchedulingTerm,
  V1Taint,
  V1Toleration,
} from './generated/types.ts'
import type { Node } from './kinds/node.ts'
import type { Pod } from './pods.ts'
import { compileRequirements, type Labels } from './selectors.ts'

/** Where a pod may go, as far as node and pod alone decide it; shared by scheduler, kubelet admission and eviction. */
export type Taint = Pick<V1Taint, 'key' | 'value' | 'effect'>

/** An empty key with Exists tolerates everything; an empty effect tolerates all effects (v1.Toleration.ToleratesTaint). */
export function toleration(one: V1Toleration, taint: Taint): boolean {
  if (one.effect && one.effect !== taint.effect) return false
  if (one.key && one.key !== taint.key) return false
  if (one.operator === 'Exists') return true
  if (!one.key) return false
  return (
    (one.operator === undefined || one.operator === '' || one.operator === 'Equal') &&
    (one.value ?? '') === (taint.value ?? '')
  )
}

export function tolerates(tolerations: readonly V1Toleration[] | undefined, taint: Taint): boolean {
  return tolerations?.some((one) => toleration(one, taint)) ?? false
}

/** spec.nodeSelector and the required node affinity. */
export function matchesNodeAffinity(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {}))
    if (labels[key] !== value) return false
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node))
}

/** Terms are alternatives; within one all must hold. A term without any requirement matches nothing. */
export function matchesTerm(term: V1NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  return (
    matches(matchExpressions, node.metadata.labels ?? {}) &&
    matches(matchFields, { 'metadata.name': node.metadata.name })
  )
}

/** The sum of the weights of the preferred terms that match. An empty one counts for nothing. */
export function preferredWeight(preferred: readonly V1PreferredSchedulingTerm[], node: Node): number {
  return preferred.reduce(
    (sum, { weight, preference }) => sum + (matchesTerm(preference, node) ? weight : 0),
    0,
  )
}

function matches(requirements: readonly V1NodeSelectorRequirement[], labels: Labels): boolean {
  if (requirements.length === 0) return true
  return compileRequirements(
    requirements.map(({ key, operator, values }) => ({
      key,
      operator: operator as 'In',
      values: values ?? [],
    })),
  )(labels)
}

/** The zone of a node: "" when it has none. */
export function zoneOf(node: { readonly metadata: { readonly labels?: Labels | undefined } }): string {
  return node.metadata.labels?.['topology.kubernetes.io/zone'] ?? ''
}
