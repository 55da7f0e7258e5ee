import { tolerates } from '../../api/placement.ts'
import { deepEqual } from '../../base/json.ts'
import { isOwn, type Plugin } from '../plugin.ts'

const REJECTION = { plugin: 'NodeUnschedulable', reasons: ['node(s) were unschedulable'], resolvable: false }
const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** A cordoned node takes only pods that tolerate node.kubernetes.io/unschedulable. */
export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  isLocal: true,
  filter({ pod }, { node }) {
    if (node.spec?.unschedulable !== true) return undefined
    return tolerates(pod.spec.tolerations, TAINT) ? undefined : REJECTION
  },
  remedy: (_, { name }) => ({ change: `uncordon node "${name}"`, cost: 1 }),
  hints: {
    'node-added': (_, { node }) => node.spec?.unschedulable !== true,
    'node-updated': (_, { node, previous }) =>
      previous.spec?.unschedulable === true && node.spec?.unschedulable !== true,
    'pod-updated': (pod, event) =>
      isOwn(pod, event) && !deepEqual(event.pod.spec.tolerations, event.previous.spec.tolerations),
  },
}
