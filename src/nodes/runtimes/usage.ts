import { parseDuration } from '../../api/duration.ts'
import type { SimulatedImage } from '../../api/kinds/simulated-image.ts'
import { parseQuantity } from '../../api/quantity.ts'
import type { ResourceList } from '../../api/resource-requests.ts'

type DeclaredUsage = NonNullable<SimulatedImage['spec']['usage']>

export interface Usage {
  /** Cores. */
  readonly cpu: number
  /** Bytes. */
  readonly memory: number
}

/** Of a container without requests whose image declares nothing. */
const SMALL = { cpu: '10m', memory: '20Mi' } as const
const PERIOD = '10m'

/**
 * What a container uses after running for `ranMs`: a level between its base and its peak (constant: the base; ramp: from
 * one to the other in a period, then it stays; sine: there and back each period), and its share of a load that all
 * `sharers` containers of the image bear together. Undeclared: a tenth of the requested CPU, half of the memory. Pure.
 */
export function usageAt(
  declared: DeclaredUsage | undefined,
  requests: ResourceList | undefined,
  ranMs: number,
  sharers: number,
): Usage {
  const level = levelAt(declared, ranMs)
  const { base, peak } = bounds(declared, requests)
  const { load } = declared ?? {}
  const share = load ? (load.requestsPerSecond * (load.follows ? level : 1)) / Math.max(1, sharers) : 0
  const of = (name: 'cpu' | 'memory', perRequest: string | undefined) =>
    base[name] + (peak[name] - base[name]) * level + share * parseQuantity(perRequest ?? '0')
  return { cpu: of('cpu', load?.cpuPerRequest), memory: of('memory', load?.memoryPerRequest) }
}

/**
 * Milliseconds of running after which a container's memory is over `limit`; undefined: never. The load's share is left
 * out: it comes and goes with the number of replicas.
 */
export function exceedsAfter(
  declared: DeclaredUsage | undefined,
  requests: ResourceList | undefined,
  limit: number,
): number | undefined {
  const { base, peak } = bounds(declared, requests)
  if (base.memory > limit) return 0
  if (peak.memory <= limit) return undefined
  const part = (limit - base.memory) / (peak.memory - base.memory)
  const periodMs = periodOf(declared)
  switch (declared?.pattern) {
    case 'ramp':
      return Math.ceil(periodMs * part) + 1
    case 'sine':
      return Math.ceil((periodMs * Math.acos(1 - 2 * part)) / (2 * Math.PI)) + 1
    default:
      return undefined
  }
}

/** 0 at the base, 1 at the peak. */
function levelAt(declared: DeclaredUsage | undefined, ranMs: number): number {
  const periodMs = periodOf(declared)
  switch (declared?.pattern) {
    case 'ramp':
      return Math.min(1, ranMs / periodMs)
    case 'sine':
      return (1 - Math.cos((2 * Math.PI * ranMs) / periodMs)) / 2
    default:
      return 0
  }
}

function bounds(declared: DeclaredUsage | undefined, requests: ResourceList | undefined) {
  const base = {
    cpu:
      declared?.cpu === undefined
        ? parseQuantity(requests?.['cpu'] ?? SMALL.cpu) / 10
        : parseQuantity(declared.cpu),
    memory:
      declared?.memory === undefined
        ? parseQuantity(requests?.['memory'] ?? SMALL.memory) / 2
        : parseQuantity(declared.memory),
  }
  const { peak } = declared ?? {}
  return {
    base,
    peak: {
      cpu: peak?.cpu === undefined ? base.cpu : parseQuantity(peak.cpu),
      memory: peak?.memory === undefined ? base.memory : parseQuantity(peak.memory),
    },
  }
}

function periodOf(declared: DeclaredUsage | undefined): number {
  return Math.max(1, parseDuration(declared?.period ?? PERIOD) ?? 1)
}
