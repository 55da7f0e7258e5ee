import { setCondition } from '../api/conditions.ts'
import type { V1NodeCondition, V1NodeStatus } from '../api/generated/types.ts'
import type { Node } from '../api/kinds/node.ts'

export const KUBELET_VERSION = 'v1.36.0'
const IMAGES_MAX = 50

/** The node's address, made up from its name's place in the world of simulated nodes: 10.1.x.y by podCIDR 10.244.N.0/24. */
export function hostIpOf(node: Node): string {
  const third = Number(node.spec?.podCIDR?.split('.')[2] ?? 0)
  const second = Number(node.spec?.podCIDR?.split('.')[1] ?? 244)
  return `10.${1 + ((second + 12) % 250)}.${third}.1`
}

const CONDITIONS: readonly Omit<V1NodeCondition, 'lastHeartbeatTime' | 'lastTransitionTime'>[] = [
  {
    type: 'MemoryPressure',
    status: 'False',
    reason: 'KubeletHasSufficientMemory',
    message: 'kubelet has sufficient memory available',
  },
  {
    type: 'DiskPressure',
    status: 'False',
    reason: 'KubeletHasNoDiskPressure',
    message: 'kubelet has no disk pressure',
  },
  {
    type: 'PIDPressure',
    status: 'False',
    reason: 'KubeletHasSufficientPID',
    message: 'kubelet has sufficient PID available',
  },
  { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
]

export interface NodeFacts {
  readonly runtimeVersion: string
  readonly images: readonly { readonly names: readonly string[]; readonly sizeBytes: number }[]
  readonly now: number
}

/** The status a healthy kubelet posts. Pure; keeps capacity as the node declares it. */
export function nodeStatusOf(node: Node, { runtimeVersion, images, now }: NodeFacts): V1NodeStatus {
  let conditions: readonly V1NodeCondition[] = node.status?.conditions ?? []
  for (const condition of CONDITIONS) conditions = setCondition(conditions, condition, now)
  const { name } = node.metadata
  const id = Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32)
  return {
    ...node.status,
    addresses: [
      { type: 'InternalIP', address: hostIpOf(node) },
      { type: 'Hostname', address: name },
    ],
    allocatable: node.status?.allocatable ?? node.status?.capacity,
    conditions,
    images: images.slice(0, IMAGES_MAX),
    nodeInfo: {
      architecture: 'amd64',
      bootID: id,
      containerRuntimeVersion: runtimeVersion,
      kernelVersion: 'simulated',
      kubeProxyVersion: KUBELET_VERSION,
      kubeletVersion: KUBELET_VERSION,
      machineID: id,
      operatingSystem: 'linux',
      osImage: 'Seamark simulated node',
      systemUUID: id,
    },
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
  }
}
