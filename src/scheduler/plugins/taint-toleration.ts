import type { V1Taint } from '../../api/generated/types.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { tolerates } from '../../api/placement.ts'
import { deepEqual } from '../../base/json.ts'
import { isOwn, normalizeByMax, type Plugin } from '../plugin.ts'

const REJECTION = {
  plugin: 'TaintToleration',
  reasons: ['node(s) had untolerated taint(s)'],
  resolvable: false,
}

/** Hard taints filter; each PreferNoSchedule taint that is not tolerated costs (100 − 100·count/max). */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  isLocal: true,
  filter: ({ pod }, { node }) => (hasUntoleratedTaint(pod, node) ? REJECTION : undefined),
  remedy({ pod }, { node }) {
    const taints = (node.spec?.taints ?? []).filter(
      // It goes with the cordon.
      (taint) => isUntolerated(pod, taint) && !(node.spec?.unschedulable && taint.key === CORDON),
    )
    if (taints.length === 0) return { change: '', cost: 0 }
    const named = taints.map(({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`)
    return { change: `tolerate ${named.join(' and ')}`, cost: taints.length }
  },
  score({ pod }, { node }) {
    const taints = node.spec?.taints
    if (!taints) return 0
    return taints.filter(
      (taint) => taint.effect === 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, taint),
    ).length
  },
  normalize: (scores) => normalizeByMax(scores, true),
  hints: {
    'node-added': ({ pod }, { node }) => !hasUntoleratedTaint(pod, node),
    'node-updated': ({ pod }, { node, previous }) =>
      hasUntoleratedTaint(pod, previous) && !hasUntoleratedTaint(pod, node),
    'pod-updated': (pod, event) =>
      isOwn(pod, event) && !deepEqual(event.pod.spec.tolerations, event.previous.spec.tolerations),
  },
}

const CORDON = 'node.kubernetes.io/unschedulable'

/** A NoSchedule or NoExecute taint that the pod does not tolerate. */
export function hasUntoleratedTaint(pod: Pod, node: Node): boolean {
  return node.spec?.taints?.some((taint) => isUntolerated(pod, taint)) ?? false
}

function isUntolerated({ spec }: Pod, taint: V1Taint): boolean {
  const isHard = taint.effect === 'NoSchedule' || taint.effect === 'NoExecute'
  return isHard && !tolerates(spec.tolerations, taint)
}
