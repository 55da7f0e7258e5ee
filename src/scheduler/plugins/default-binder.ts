import { pod as podKind } from '../../api/kinds/pod.ts'
import { parseKey } from '../../api/resource.ts'
import type { Plugin } from '../plugin.ts'

/** POSTs the binding: the pod gets its node in one write. */
export const defaultBinder: Plugin = {
  name: 'DefaultBinder',
  async bind({ pod, uid, key }, node, { client }) {
    await client.createSubresource(podKind, parseKey(key), 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    })
  },
}
