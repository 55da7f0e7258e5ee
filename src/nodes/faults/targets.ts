import { parseDuration } from '../../api/duration.ts'
import type { V1Container } from '../../api/generated/types.ts'
import type { Fault, FaultAction } from '../../api/kinds/fault.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/pods.ts'

/** What a fault falls on. Pure. */
export function hitsNode({ spec }: Fault, { metadata }: Node): boolean {
  const { nodes, zone } = spec.target ?? {}
  if (nodes?.length && !nodes.includes(metadata.name)) return false
  return zone === undefined || metadata.labels?.['topology.kubernetes.io/zone'] === zone
}

export function hitsPod({ spec }: Fault, { metadata }: Pod): boolean {
  const { namespace, pod, podLabels = {} } = spec.target ?? {}
  if (namespace !== undefined && namespace !== metadata.namespace) return false
  if (pod !== undefined && pod !== metadata.name) return false
  return Object.entries(podLabels).every(([key, value]) => metadata.labels?.[key] === value)
}

export function hitsContainer({ spec }: Fault, { name, image }: V1Container): boolean {
  const { container, image: wanted } = spec.target ?? {}
  return (container === undefined || container === name) && (wanted === undefined || wanted === image)
}

/** How long it lasts, in ms. */
export function durationOf({ spec }: Fault): number {
  return parseDuration(spec.duration ?? '') ?? 60_000
}

/** The faults that last now. Asked for each pull, start and probe, and nearly always empty. */
export class ActiveFaults {
  #all: readonly Fault[] = []

  set(all: readonly Fault[]): void {
    this.#all = all
  }

  /** Of one action, on a node. */
  on(action: FaultAction, node: Node | undefined): readonly Fault[] {
    if (this.#all.length === 0 || !node) return []
    return this.#all.filter((fault) => fault.spec.action === action && hitsNode(fault, node))
  }
}
