import type { Plugin } from '../plugin.ts'
import { type HostPort, podInfo } from '../pod-info.ts'

const REJECTION = {
  plugin: 'NodePorts',
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  resolvable: true,
}

/** hostPorts: one pod per protocol, address and port on a node. */
export const nodePorts: Plugin = {
  name: 'NodePorts',
  isLocal: true,
  preFilter: ({ hostPorts }) => (hostPorts.length === 0 ? 'skip' : { state: undefined }),
  filter: ({ hostPorts }, node) => (hostPorts.some((port) => node.portInUse(port)) ? REJECTION : undefined),
  remedy({ hostPorts }, node) {
    const taken = hostPorts.filter((port) => node.portInUse(port)).map(({ port }) => port)
    return { change: `ask for another hostPort than ${taken.join(' and ')}`, cost: taken.length }
  },
  hints: {
    'node-added': () => true,
    'pod-removed': ({ hostPorts }, { pod }) =>
      podInfo(pod).hostPorts.some((port) => hostPorts.some((wanted) => conflict(port, wanted))),
  },
}

function conflict(a: HostPort, b: HostPort): boolean {
  return (
    a.port === b.port &&
    a.protocol === b.protocol &&
    (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0')
  )
}
