import type { Node } from '../../api/kinds/node.ts'
import { tolerates } from '../../api/placement.ts'
import { deepEqual } from '../../base/json.ts'
import { normalizeByMax, type Plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'

const REJECTION = {
  plugin: 'TaintToleration',
  reasons: ['node(s) had untolerated taint(s)'],
  resolvable: false,
}

/** Hard taints filter; each PreferNoSchedule taint that is not tolerated costs (100 − 100·count/max). */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  weight: 3,
  filter: (pod, { node }) => (isTainted(pod, node) ? REJECTION : undefined),
  score: ({ pod }, { node }) =>
    (node.spec?.taints ?? []).filter(
      (taint) => taint.effect === 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, taint),
    ).length,
  normalize: (scores) => normalizeByMax(scores, true),
  wakes(pod, event) {
    if (event.type === 'node-added') return !isTainted(pod, event.node)
    if (event.type === 'node-updated')
      return !deepEqual(event.node.spec?.taints, event.previous.spec?.taints) && !isTainted(pod, event.node)
    return event.type === 'pod-updated'
  },
}

function isTainted({ pod }: PodInfo, node: Node): boolean {
  return (node.spec?.taints ?? []).some(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !tolerates(pod.spec.tolerations, taint),
  )
}
