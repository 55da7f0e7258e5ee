/** Gives each node that has none a network for its pods (spec.podCIDR), as kube-controller-manager's range allocator. */
import { type Node, node } from '../api/kinds/node.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { type Controller, watched } from './controller.ts'
import type { PodNetworks } from './pod-networks.ts'

const hasNone = ({ spec }: Node): boolean => !spec.podCIDR

export function nodeIpamController(networks: PodNetworks): Controller<Node> {
  return {
    name: 'node-ipam',
    kind: node,
    watches: [
      // The network of a node that is gone is free for one that found none.
      watched({
        kind: node,
        keys: ({ type }, informers) =>
          type === 'deleted'
            ? informers
                .of(node)
                .list()
                .filter(hasNone)
                .map(({ metadata }) => metadata.name)
            : [],
      }),
    ],
    async reconcile({ client, informers, events }, found) {
      if (!hasNone(found) || isBeingDeleted(found)) return undefined
      const { name } = found.metadata
      const [podCIDR] = networks.take(informers.of(node).list(), [name])
      if (podCIDR === undefined) {
        const message = `Node ${name} status is now: CIDRNotAvailable`
        events.event(found, 'Normal', 'CIDRNotAvailable', message)
        return undefined
      }
      await client.update(node, { ...found, spec: { ...found.spec, podCIDR, podCIDRs: [podCIDR] } })
      return undefined
    },
  }
}
