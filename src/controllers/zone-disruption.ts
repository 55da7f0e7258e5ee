/**
 * How fast nodes may lose their pods. When most nodes of a zone went silent together, the fault is more likely in
 * between than in the nodes; when all did, nobody is evicted at all. Pure; rates in nodes per second.
 */
export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption'

export interface ZoneCounts {
  readonly ready: number
  readonly notReady: number
}

const EVICTION_RATE = 0.1
const SECONDARY_RATE = 0.01
const UNHEALTHY_SHARE = 0.55
const LARGE_ZONE = 50

/** 3 of 5 silent (60%) is a partial disruption; 2 of 3 are not, since they are fewer than 3. */
export function zoneState({ ready, notReady }: ZoneCounts): ZoneState {
  if (ready === 0 && notReady > 0) return 'FullDisruption'
  return notReady > 2 && notReady / (ready + notReady) >= UNHEALTHY_SHARE ? 'PartialDisruption' : 'Normal'
}

/** By zone; 0 stops evictions there. */
export function evictionRates(zones: ReadonlyMap<string, ZoneCounts>): Map<string, number> {
  const states = new Map([...zones].map(([zone, counts]) => [zone, zoneState(counts)]))
  const isTotal = isTotalDisruption(zones)
  return new Map(
    [...zones].map(([zone, { ready, notReady }]) => {
      if (isTotal) return [zone, 0]
      if (states.get(zone) !== 'PartialDisruption') return [zone, EVICTION_RATE]
      return [zone, ready + notReady > LARGE_ZONE ? SECONDARY_RATE : 0]
    }),
  )
}

/** Every zone is silent: it is us, or the network, and no node is to blame. */
export function isTotalDisruption(zones: ReadonlyMap<string, ZoneCounts>): boolean {
  return zones.size > 0 && [...zones.values()].every((counts) => zoneState(counts) === 'FullDisruption')
}

/** One node at once, then one each 1/rate seconds. */
export class EvictionPace {
  #nextAt = 0

  /** Whether one more may go now; a rate of 0 lets none go. */
  take(rate: number, now: number): boolean {
    if (rate <= 0 || now < this.#nextAt) return false
    this.#nextAt = now + 1000 / rate
    return true
  }
}
