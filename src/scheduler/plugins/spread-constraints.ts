import type { V1TopologySpreadConstraint } from '../../api/generated/types.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { replicaSet } from '../../api/kinds/replica-set.ts'
import { replicationController } from '../../api/kinds/replication-controller.ts'
import { service } from '../../api/kinds/service.ts'
import { statefulSet } from '../../api/kinds/stateful-set.ts'
import { matchesNodeAffinity } from '../../api/placement.ts'
import { controllerOf } from '../../api/resource.ts'
import { compileLabelSelector, mapSelectorMatches } from '../../api/selectors.ts'
import { labelsOfAll } from '../by-label.ts'
import type { PodGroup } from '../pod-counts.ts'
import type { PodInfo } from '../pod-info.ts'
import type { Snapshot } from '../snapshot.ts'
import { withLabelKeys } from '../terms.ts'
import type { SpreadCounts } from '../topology.ts'
import { hasUntoleratedTaint } from './taint-toleration.ts'

/** A topology spread constraint of one pod, made ready. */
export interface SpreadConstraint {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly isHard: boolean
  readonly group: PodGroup
  /** 1 when the pod itself is counted by its constraint. */
  readonly self: number
  /** Whether the node's pods and domain count, by nodeAffinityPolicy (Honor) and nodeTaintsPolicy (Ignore). */
  readonly isCounted: (node: Node) => boolean
  /** Tells conditions like `isCounted` apart. */
  readonly rule: string
}

/** Of the pod itself, or else the defaults of the profile over what selects the pod (services, its owner). */
export function constraintsOf(
  pod: PodInfo,
  defaults: readonly V1TopologySpreadConstraint[],
  snapshot: Snapshot,
): readonly SpreadConstraint[] {
  const own = pod.pod.spec.topologySpreadConstraints
  if (own?.length) return own.map((constraint) => compile(constraint, pod))
  if (defaults.length === 0) return []
  const selector = defaultSelector(pod.pod, snapshot)
  if (!selector) return []
  return defaults.map((constraint) => compile({ ...constraint, labelSelector: selector }, pod))
}

function compile(constraint: V1TopologySpreadConstraint, info: PodInfo): SpreadConstraint {
  const { topologyKey, maxSkew, minDomains, whenUnsatisfiable } = constraint
  const { pod, namespace } = info
  const selector = withLabelKeys(constraint.labelSelector, pod, constraint.matchLabelKeys)
  const selects = compileLabelSelector(selector)
  const honorsAffinity = constraint.nodeAffinityPolicy !== 'Ignore'
  const honorsTaints = constraint.nodeTaintsPolicy === 'Honor'
  return {
    topologyKey,
    maxSkew,
    minDomains: minDomains ?? 1,
    isHard: whenUnsatisfiable === 'DoNotSchedule',
    group: {
      key: `spread ${namespace} ${JSON.stringify(selector)}`,
      labels: labelsOfAll(selector),
      matches: (other) =>
        other.namespace === namespace && !other.isTerminating && selects(other.pod.metadata.labels ?? {}),
    },
    self: selects(pod.metadata.labels ?? {}) ? 1 : 0,
    isCounted: (node) =>
      (!honorsAffinity || matchesNodeAffinity(pod, node)) &&
      (!honorsTaints || !hasUntoleratedTaint(pod, node)),
    rule: JSON.stringify([
      honorsAffinity && [
        pod.spec.nodeSelector,
        pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
      ],
      honorsTaints && pod.spec.tolerations,
    ]),
  }
}

/** The counts of a constraint. With `keys` only nodes that have all these labels count. */
export function countsOf(
  { group, topologyKey, rule, isCounted }: SpreadConstraint,
  keys: readonly string[],
  snapshot: Snapshot,
): SpreadCounts {
  return snapshot.counts.spread(group, topologyKey, `${keys.join()} ${rule}`, (node) => {
    const labels = node.metadata.labels ?? {}
    return keys.every((key) => labels[key] !== undefined) && isCounted(node)
  })
}

/** What the services that select the pod and its owner select by; undefined when there is neither. */
function defaultSelector(pod: Pod, { objects }: Snapshot) {
  const { namespace = '', labels = {} } = pod.metadata
  const matchLabels: Record<string, string> = {}
  for (const { spec } of objects.list(service, namespace))
    if (spec.type !== 'ExternalName' && mapSelectorMatches(spec.selector, labels))
      Object.assign(matchLabels, spec.selector)
  const owner = controllerOf(pod)
  const key = `${namespace}/${owner?.name}`
  if (owner?.kind === 'ReplicationController')
    Object.assign(matchLabels, objects.get(replicationController, key)?.spec.selector)
  const owned =
    owner?.kind === 'ReplicaSet'
      ? objects.get(replicaSet, key)?.spec.selector
      : owner?.kind === 'StatefulSet'
        ? objects.get(statefulSet, key)?.spec.selector
        : undefined
  const expressions = [
    ...Object.entries(owned?.matchLabels ?? {}).map(([key, value]) => ({
      key,
      operator: 'In',
      values: [value],
    })),
    ...(owned?.matchExpressions ?? []),
  ]
  if (Object.keys(matchLabels).length + expressions.length === 0) return undefined
  return { matchLabels, matchExpressions: expressions }
}
