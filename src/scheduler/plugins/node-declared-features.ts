import type { V1Container } from '../../api/generated/types.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { deepEqual } from '../../base/json.ts'
import { isOwn, type Plugin } from '../plugin.ts'

const REJECTION = {
  plugin: 'NodeDeclaredFeatures',
  reasons: ["node(s) didn't match Pod's required features"],
  resolvable: false,
}

/** What a pod needs that not every kubelet of a supported version can do, by the name the node declares it under. */
const FEATURES: Readonly<Record<string, (pod: Pod) => boolean>> = {
  RestartAllContainersOnContainerExits: ({ spec }) =>
    [...spec.containers, ...(spec.initContainers ?? [])].some(restartsAll),
  UserNamespacesHostNetworkSupport: ({ spec }) => spec.hostNetwork === true && spec.hostUsers === false,
}

/** status.declaredFeatures of a node must have every feature that the pod makes use of. */
export const nodeDeclaredFeatures: Plugin<readonly string[]> = {
  name: 'NodeDeclaredFeatures',
  preFilter({ pod }) {
    const features = featuresOf(pod)
    return features.length === 0 ? 'skip' : { state: features }
  },
  filter: (_, { node }, features) => (missingFrom(node, features).length === 0 ? undefined : REJECTION),
  remedy: (_, { node }, features) => ({
    change: `run a kubelet with ${missingFrom(node, features).join(' and ')} on node "${node.metadata.name}"`,
    cost: 1,
  }),
  hints: {
    'node-added': () => true,
    'node-updated': (_, { node, previous }) =>
      !deepEqual(node.status?.declaredFeatures ?? [], previous.status?.declaredFeatures ?? []),
    'pod-updated': (pod, event) =>
      isOwn(pod, event) && !deepEqual(featuresOf(event.pod), featuresOf(event.previous)),
  },
}

function featuresOf(pod: Pod): readonly string[] {
  return Object.keys(FEATURES).filter((name) => FEATURES[name]?.(pod))
}

function missingFrom({ status }: Node, features: readonly string[]): readonly string[] {
  return features.filter((feature) => !status?.declaredFeatures?.includes(feature))
}

function restartsAll({ restartPolicyRules }: V1Container): boolean {
  return restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers') ?? false
}
