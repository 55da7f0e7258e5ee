import { type Node, node as nodeKind } from '../../api/kinds/node.ts'
import type { AnyResource } from '../../api/resource.ts'
import { type Admission, creationOf } from './admission.ts'

const NOT_READY = 'node.kubernetes.io/not-ready'

/** A new node takes no pods until it has said that it is ready: the node lifecycle controller takes the taint off then. */
export const taintNodesByCondition: Admission = {
  name: 'TaintNodesByCondition',
  concerns: creationOf(nodeKind),
  mutate({ object }) {
    const node = object as unknown as Node
    const taints = node.spec?.taints ?? []
    if (taints.some(({ key, effect }) => key === NOT_READY && effect === 'NoSchedule')) return object
    const spec = { ...node.spec, taints: [...taints, { key: NOT_READY, effect: 'NoSchedule' }] }
    return { ...node, spec } as unknown as AnyResource
  },
}
