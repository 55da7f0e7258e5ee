import type { Plugin } from '../plugin.ts'

const REJECTION = {
  plugin: 'NodeName',
  reasons: ["node(s) didn't match the requested node name"],
  resolvable: false,
}

/** spec.nodeName, where a pod names its node before it is bound. */
export const nodeName: Plugin = {
  name: 'NodeName',
  isLocal: true,
  filter: ({ pod }, node) => (pod.spec.nodeName && pod.spec.nodeName !== node.name ? REJECTION : undefined),
  remedy: (_, { name }) => ({ change: `set spec.nodeName to "${name}", or leave it out`, cost: 1 }),
  hints: { 'node-added': ({ pod }, { node }) => node.metadata.name === pod.spec.nodeName },
}
