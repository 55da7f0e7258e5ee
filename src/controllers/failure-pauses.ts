/**
 * Pauses between pods that fail in the same place: 1 s after the first, twice as long with each that comes within twice
 * the longest, at most 15 minutes. A node that rejects what it is given is not asked in a circle. Pure.
 */
const PAUSE_MS = 1000
const PAUSE_MAX_MS = 15 * 60_000

/** By place (a node, an ordinal): how long a failed pod stays after the one before was removed `at` (epoch ms). */
export type Pauses = ReadonlyMap<string, { readonly ms: number; readonly at: number }>

export function pauseLeftMs(pauses: Pauses | undefined, place: string, now: number): number {
  const pause = pauses?.get(place)
  return pause ? Math.max(0, pause.at + pause.ms - now) : 0
}

/** After failed pods of these places were removed; what is long ago is forgotten. */
export function pausesAfter(pauses: Pauses | undefined, places: readonly string[], now: number): Pauses {
  const known = [...(pauses ?? [])].filter(([, { at }]) => now - at <= 2 * PAUSE_MAX_MS)
  const next = new Map(known)
  for (const place of places) {
    const before = next.get(place)
    next.set(place, { ms: before ? Math.min(PAUSE_MAX_MS, before.ms * 2) : PAUSE_MS, at: now })
  }
  return next
}
