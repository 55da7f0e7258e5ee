import type { AnyPlugin } from '../plugin.ts'
import { balancedAllocation } from './balanced-allocation.ts'
import { defaultBinder } from './default-binder.ts'
import { dynamicResources } from './dynamic-resources.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeDeclaredFeatures } from './node-declared-features.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { nodeVolumeLimits } from './node-volume-limits.ts'
import { resourcesFit } from './resources-fit.ts'
import { schedulingGates } from './scheduling-gates.ts'
import { taintToleration } from './taint-toleration.ts'
import { topologySpread } from './topology-spread.ts'
import { volumeBinding } from './volume-binding.ts'
import { volumeRestrictions } from './volume-restrictions.ts'
import { volumeZone } from './volume-zone.ts'

interface Entry {
  /** Of its scores, by default. */
  readonly weight: number
  // biome-ignore lint/suspicious/noExplicitAny: the arguments of each plugin are its own; the reader of the configuration checks them
  readonly make: (args?: any) => AnyPlugin
}

export type Registry = Readonly<Record<string, Entry>>

/** In kube-scheduler's default order, which decides what reason a node is counted under. One line per plugin. */
export const plugins: Registry = {
  SchedulingGates: { weight: 0, make: () => schedulingGates },
  NodeUnschedulable: { weight: 0, make: () => nodeUnschedulable },
  NodeName: { weight: 0, make: () => nodeName },
  TaintToleration: { weight: 3, make: () => taintToleration },
  NodeAffinity: { weight: 2, make: nodeAffinity },
  NodePorts: { weight: 0, make: () => nodePorts },
  NodeResourcesFit: { weight: 1, make: resourcesFit },
  VolumeRestrictions: { weight: 0, make: () => volumeRestrictions },
  NodeVolumeLimits: { weight: 0, make: () => nodeVolumeLimits },
  VolumeBinding: { weight: 0, make: volumeBinding },
  VolumeZone: { weight: 0, make: () => volumeZone },
  PodTopologySpread: { weight: 2, make: topologySpread },
  InterPodAffinity: { weight: 2, make: interPodAffinity },
  DynamicResources: { weight: 0, make: () => dynamicResources() },
  NodeResourcesBalancedAllocation: { weight: 1, make: balancedAllocation },
  ImageLocality: { weight: 1, make: () => imageLocality },
  DefaultBinder: { weight: 0, make: () => defaultBinder },
  NodeDeclaredFeatures: { weight: 0, make: () => nodeDeclaredFeatures },
}
