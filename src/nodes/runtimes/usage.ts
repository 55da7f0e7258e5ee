import { amountAt, isAboveAfter, levelAt } from '../../api/curves.ts'
import { parseQuantity } from '../../api/quantity.ts'
import type { ResourceList } from '../../api/resource-requests.ts'
import type { SimulatedUsage } from '../../api/simulated-usage.ts'
import type { NamedAmount } from '../../client/node-connection.ts'

interface Usage {
  /** Cores. */
  readonly cpu: number
  /** Bytes. */
  readonly memory: number
  /** Bytes written beside volumes. */
  readonly storage: number
  /** Bytes written into the first emptyDir. */
  readonly emptyDir: number
  /** Files. */
  readonly inodes: number
}

export const NO_USAGE: Usage = { cpu: 0, memory: 0, storage: 0, emptyDir: 0, inodes: 0 }

/** Of a container without requests whose image declares nothing. */
const SMALL = { cpu: '10m', memory: '20Mi' } as const

/**
 * What a container uses after running for `ranMs`: its own, between base and peak, and what `perSecond` requests cost.
 * Undeclared: a tenth of the requested CPU, half of the memory. Pure.
 */
export function usageAt(
  declared: SimulatedUsage | undefined,
  requests: ResourceList | undefined,
  ranMs: number,
  perSecond: number,
): Usage {
  const level = levelAt(declared ?? {}, ranMs)
  const { base, peak } = bounds(declared, requests)
  const { load } = declared ?? {}
  const of = (name: keyof Usage, perRequest = '0') =>
    base[name] + (peak[name] - base[name]) * level + perSecond * parseQuantity(perRequest)
  return {
    cpu: of('cpu', load?.cpuPerRequest),
    memory: of('memory', load?.memoryPerRequest),
    storage: Math.floor(of('storage')),
    emptyDir: Math.floor(of('emptyDir')),
    inodes: Math.floor(of('inodes')),
  }
}

/** The figures it exposes then. */
export function figuresAt(
  declared: SimulatedUsage | undefined,
  ranMs: number,
  perSecond: number,
): readonly NamedAmount[] {
  return (declared?.metrics ?? []).map((metric) => {
    const { name, labels, value = '0', peak, perRequest = '0' } = metric
    const own = amountAt(
      metric,
      parseQuantity(value),
      peak === undefined ? undefined : parseQuantity(peak),
      ranMs,
    )
    return { name, ...(labels ? { labels } : {}), value: own + perSecond * parseQuantity(perRequest) }
  })
}

/**
 * Milliseconds of running after which a container's memory is over `limit`; undefined: never. The load's share is left
 * out: it comes and goes with the number of replicas. `volumeMax`: what it writes into its first emptyDir is memory, up
 * to that many bytes.
 */
export function exceedsAfter(
  declared: SimulatedUsage | undefined,
  requests: ResourceList | undefined,
  limit: number,
  volumeMax = 0,
): number | undefined {
  const { base, peak } = bounds(declared, requests)
  const total = (level: number) =>
    base.memory +
    (peak.memory - base.memory) * level +
    Math.min(volumeMax, base.emptyDir + (peak.emptyDir - base.emptyDir) * level)
  if (total(0) > limit) return 0
  if (total(1) <= limit) return undefined
  const [grows, fills] = [peak.memory - base.memory, peak.emptyDir - base.emptyDir]
  // Until the volume is full both grow, then only the rest does.
  const both = volumeMax > 0 ? (limit - base.memory - base.emptyDir) / (grows + fills) : 1
  const isFull = volumeMax === 0 || base.emptyDir + fills * both > volumeMax
  return isAboveAfter(declared ?? {}, isFull ? (limit - volumeMax - base.memory) / grows : both)
}

function bounds(declared: SimulatedUsage | undefined, requests: ResourceList | undefined) {
  const base: Usage = {
    cpu: amount(declared?.cpu) ?? parseQuantity(requests?.['cpu'] ?? SMALL.cpu) / 10,
    memory: amount(declared?.memory) ?? parseQuantity(requests?.['memory'] ?? SMALL.memory) / 2,
    storage: amount(declared?.storage) ?? 0,
    emptyDir: amount(declared?.emptyDir) ?? 0,
    inodes: amount(declared?.inodes) ?? 0,
  }
  const { peak } = declared ?? {}
  return {
    base,
    peak: {
      cpu: amount(peak?.cpu) ?? base.cpu,
      memory: amount(peak?.memory) ?? base.memory,
      storage: amount(peak?.storage) ?? base.storage,
      emptyDir: amount(peak?.emptyDir) ?? base.emptyDir,
      inodes: amount(peak?.inodes) ?? base.inodes,
    },
  }
}

function amount(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseQuantity(text)
}
