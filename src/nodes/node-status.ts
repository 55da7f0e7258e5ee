import { createHash } from 'node:crypto'
import { findCondition, setCondition } from '../api/conditions.ts'
import type { V1NodeCondition, V1NodeStatus } from '../api/generated/types.ts'
import type { Node } from '../api/kinds/node.ts'
import { formatTime } from '../base/date.ts'
import { deepEqual } from '../base/json.ts'

const KUBELET_VERSION = 'v1.36.0'
const IMAGES_MAX = 50
/** What pods may ask for that not every kubelet of a supported version can do. */
const DECLARED_FEATURES = ['RestartAllContainersOnContainerExits']

/** Where its pods' addresses come from: what the node declares, or a block drawn from its name. */
export function podCidrOf({ metadata, spec }: Node): string {
  if (spec?.podCIDR) return spec.podCIDR
  const [a = 0, b = 0] = createHash('sha256').update(metadata.name).digest()
  return `10.${128 + (a % 64)}.${b}.0/24`
}

/** The address of a simulated node, made up from its pods' block: 10.(x + 13).y.1 for 10.x.y.0/24, within 10.1 to 10.250. */
export function hostIpOf(node: Node): string {
  const [, second = 244, third = 0] = podCidrOf(node).split('.').map(Number)
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

const MEMORY_PRESSURE: (typeof CONDITIONS)[number] = {
  type: 'MemoryPressure',
  status: 'True',
  reason: 'KubeletHasInsufficientMemory',
  message: 'kubelet has insufficient memory available',
}

const DISK_PRESSURE: (typeof CONDITIONS)[number] = {
  type: 'DiskPressure',
  status: 'True',
  reason: 'KubeletHasDiskPressure',
  message: 'kubelet has disk pressure',
}

const SHUTTING_DOWN: (typeof CONDITIONS)[number] = {
  type: 'Ready',
  status: 'False',
  reason: 'KubeletNotReady',
  message: 'node is shutting down',
}

const OURS: ReadonlySet<string> = new Set(CONDITIONS.map(({ type }) => type))

/** Whether two statuses differ in more than what moves all the time: heartbeats, and images with every pull. */
export function isNews(wanted: V1NodeStatus | undefined, posted: V1NodeStatus | undefined): boolean {
  const still = (status: V1NodeStatus | undefined) => ({
    ...status,
    images: [],
    conditions: status?.conditions?.map((condition) => ({ ...condition, lastHeartbeatTime: '' })),
  })
  return !deepEqual(still(wanted), still(posted))
}

const EVENTS: Readonly<Record<string, readonly [whenTrue: string, otherwise: string]>> = {
  Ready: ['NodeReady', 'NodeNotReady'],
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
}

/** Reasons of the events that tell what changed of the node's conditions. The first report tells nothing. Pure. */
export function changesOf(before: V1NodeStatus | undefined, after: V1NodeStatus): string[] {
  return (after.conditions ?? []).flatMap(({ type, status }) => {
    const was = findCondition(before?.conditions, type)?.status
    const [whenTrue, otherwise] = EVENTS[type] ?? []
    const reason = status === 'True' ? whenTrue : otherwise
    return reason === undefined || was === undefined || was === status ? [] : [reason]
  })
}

export interface NodeFacts {
  readonly runtimeVersion: string
  readonly images: readonly { readonly name: string; readonly sizeBytes: number }[]
  readonly now: number
  /** It has too little memory left. */
  readonly isMemoryShort?: boolean | undefined
  /** There is no room left on its disk. */
  readonly isDiskFull?: boolean | undefined
  readonly isShuttingDown?: boolean | undefined
}

/** The status a healthy kubelet posts. Pure; keeps capacity as the node declares it. */
export function nodeStatusOf(
  node: Node,
  { runtimeVersion, images, now, isDiskFull, isMemoryShort, isShuttingDown }: NodeFacts,
): V1NodeStatus {
  let conditions: readonly V1NodeCondition[] = node.status?.conditions ?? []
  const bad = [
    ...(isDiskFull ? [DISK_PRESSURE] : []),
    ...(isMemoryShort ? [MEMORY_PRESSURE] : []),
    ...(isShuttingDown ? [SHUTTING_DOWN] : []),
  ]
  for (const condition of CONDITIONS)
    conditions = setCondition(conditions, bad.find(({ type }) => type === condition.type) ?? condition, now)
  const lastHeartbeatTime = formatTime(now)
  const { name } = node.metadata
  const id = createHash('sha256').update(name).digest('hex').slice(0, 32)
  return {
    ...node.status,
    addresses: [
      { type: 'InternalIP', address: hostIpOf(node) },
      { type: 'Hostname', address: name },
    ],
    allocatable: node.status?.allocatable ?? node.status?.capacity,
    conditions: conditions.map((condition) =>
      OURS.has(condition.type) ? { ...condition, lastHeartbeatTime } : condition,
    ),
    images: images
      .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, IMAGES_MAX)
      .map(({ name, sizeBytes }) => ({ names: [name], sizeBytes })),
    nodeInfo: {
      architecture: 'amd64',
      bootID: id,
      containerRuntimeVersion: runtimeVersion,
      kernelVersion: 'simulated',
      // Kubernetes says nothing here since 1.33.
      kubeProxyVersion: '',
      kubeletVersion: KUBELET_VERSION,
      machineID: id,
      operatingSystem: 'linux',
      osImage: 'Seamark simulated node',
      systemUUID: id,
    },
    declaredFeatures: DECLARED_FEATURES,
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
  }
}
