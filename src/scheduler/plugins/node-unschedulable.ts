import { tolerates } from '../../api/placement.ts'
import type { Plugin } from '../plugin.ts'

const REJECTION = { plugin: 'NodeUnschedulable', reasons: ['node(s) were unschedulable'], resolvable: false }
const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** A cordoned node takes only pods that tolerate node.kubernetes.io/unschedulable. */
export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  filter({ pod }, { node }) {
    if (node.spec?.unschedulable !== true) return undefined
    return tolerates(pod.spec.tolerations, TAINT) ? undefined : REJECTION
  },
  wakes(_, event) {
    if (event.type === 'node-added') return event.node.spec?.unschedulable !== true
    return (
      event.type === 'node-updated' &&
      event.previous.spec?.unschedulable === true &&
      event.node.spec?.unschedulable !== true
    )
  },
}
