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
}

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
  const of = (name: 'cpu' | 'memory', perRequest: string | undefined) =>
    base[name] + (peak[name] - base[name]) * level + perSecond * parseQuantity(perRequest ?? '0')
  return { cpu: of('cpu', load?.cpuPerRequest), memory: of('memory', load?.memoryPerRequest) }
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
 * out: it comes and goes with the number of replicas.
 */
export function exceedsAfter(
  declared: SimulatedUsage | undefined,
  requests: ResourceList | undefined,
  limit: number,
): number | undefined {
  const { base, peak } = bounds(declared, requests)
  if (base.memory > limit) return 0
  if (peak.memory <= limit) return undefined
  return isAboveAfter(declared ?? {}, (limit - base.memory) / (peak.memory - base.memory))
}

function bounds(declared: SimulatedUsage | undefined, requests: ResourceList | undefined) {
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
