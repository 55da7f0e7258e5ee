import type { Plugin } from '../plugin.ts'

const REJECTION = {
  plugin: 'NodePorts',
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  resolvable: true,
}

/** hostPorts: one pod per protocol, address and port on a node. */
export const nodePorts: Plugin = {
  name: 'NodePorts',
  preFilter: ({ hostPorts }) => (hostPorts.length === 0 ? 'skip' : { state: undefined }),
  filter: ({ hostPorts }, node) => (hostPorts.some((port) => node.portInUse(port)) ? REJECTION : undefined),
  wakes(_, event) {
    if (event.type === 'node-added') return true
    return event.type === 'pod-removed' && hasHostPort(event.pod.spec)
  },
}

function hasHostPort(spec: {
  readonly containers: readonly {
    readonly ports?: readonly { readonly hostPort?: number | undefined }[] | undefined
  }[]
  readonly hostNetwork?: boolean | undefined
}): boolean {
  return (
    spec.hostNetwork === true || spec.containers.some(({ ports }) => ports?.some(({ hostPort }) => hostPort))
  )
}
