import type { AnyPlugin } from '../plugin.ts'
import { balancedAllocation } from './balanced-allocation.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { resourcesFit } from './resources-fit.ts'
import { schedulingGates } from './scheduling-gates.ts'
import { taintToleration } from './taint-toleration.ts'

/** In kube-scheduler's default order, which decides what reason a node is counted under. One line per plugin. */
export const plugins: readonly AnyPlugin[] = [
  schedulingGates,
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  resourcesFit,
  balancedAllocation,
]
