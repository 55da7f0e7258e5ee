import type { Fault } from '../../api/kinds/fault.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { hitsContainer, hitsNode, hitsPod } from '../../nodes/faults/targets.ts'

const NAMES_MAX = 8
const ZONE = 'topology.kubernetes.io/zone'

/** Whether it says nothing of where: such a fault falls on everything. */
export function isEverywhere({ spec }: Fault): boolean {
  const { namespace: _, ...narrow } = spec.target ?? {}
  return Object.values(narrow).every((value) => value === undefined)
}

/** Why a fault would fall on nothing, and what there is instead; undefined: it falls on something, or may later. Pure. */
export function whyOnNothing(fault: Fault, nodes: readonly Node[], pods: readonly Pod[]): string | undefined {
  const { action, target = {} } = fault.spec
  const names = nodes.map(({ metadata }) => metadata.name)
  const strange = target.nodes?.find((name) => !names.includes(name))
  if (strange !== undefined) return `No node "${strange}": there are ${some(names)}`
  if (target.zone !== undefined && !nodes.some((node) => hitsNode(fault, node))) {
    const zones = nodes.flatMap(({ metadata }) => metadata.labels?.[ZONE] ?? [])
    return `No node in zone "${target.zone}": there are ${some([...new Set(zones)])}`
  }
  if (action !== 'CrashContainer' && action !== 'FlapProbe') return undefined
  const hit = pods.filter((pod) => hitsPod(fault, pod))
  if (hit.length === 0)
    return `${whichPods(fault)}: there are ${some(pods.map(({ metadata }) => metadata.name))}`
  const containers = hit.flatMap(({ spec }) => [...(spec.initContainers ?? []), ...spec.containers])
  if (containers.some((container) => hitsContainer(fault, container))) return undefined
  if (target.container !== undefined && containers.every(({ name }) => name !== target.container))
    return `No container "${target.container}": there are ${some([...new Set(containers.map(({ name }) => name))])}`
  const images = containers.map(({ image = '' }) => image)
  return `No container of image "${target.image}": there are ${some([...new Set(images)])}`
}

function whichPods({ spec: { target = {} } }: Fault): string {
  const where = target.namespace === undefined ? '' : ` in namespace "${target.namespace}" (-n gives another)`
  if (target.pod !== undefined) return `No pod "${target.pod}"${where}`
  const labels = Object.entries(target.podLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  return `No pod${where} with ${labels.join(',') || 'any name'}`
}

function some(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const rest = names.length - NAMES_MAX
  return `${names.slice(0, NAMES_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}
