import type { Node } from '../../api/kinds/node.ts'
import { matchesNodeAffinity, preferredNodeWeight } from '../../api/placement.ts'
import { deepEqual } from '../../base/json.ts'
import { normalizeByMax, type Plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'

const REJECTION = {
  plugin: 'NodeAffinity',
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  resolvable: false,
}

/** spec.nodeSelector and node affinity; a node scores the weights of the preferred terms it matches, 100·sum/max. */
export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  weight: 2,
  preFilter: ({ pod }) =>
    pod.spec.nodeSelector || pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
      ? { state: undefined }
      : 'skip',
  filter: (pod, { node }) => (matches(pod, node) ? undefined : REJECTION),
  preScore: ({ pod }) =>
    pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length
      ? { state: undefined }
      : 'skip',
  score: ({ pod }, { node }) => preferredNodeWeight(pod, node),
  normalize: (scores) => normalizeByMax(scores, false),
  wakes(pod, event) {
    if (event.type === 'node-added') return matches(pod, event.node)
    return (
      event.type === 'node-updated' &&
      !deepEqual(event.node.metadata.labels, event.previous.metadata.labels) &&
      matches(pod, event.node)
    )
  },
}

function matches({ pod }: PodInfo, node: Node): boolean {
  return matchesNodeAffinity(pod, node)
}
