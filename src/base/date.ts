/** Kubernetes' two wire forms of time, and back. The instant is always an argument (see clock.ts). */

/** metav1.Time: whole seconds, UTC. `formatTime(0)` is "1970-01-01T00:00:00Z". */
export function formatTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1000)
  if (second !== formatted.second)
    formatted = { second, text: `${new Date(epochMs).toISOString().slice(0, 19)}Z` }
  return formatted.text
}

/** What happens happens mostly in the same second. */
let formatted = { second: 0, text: '1970-01-01T00:00:00Z' }

/** metav1.MicroTime: six decimals, UTC. */
export function formatMicroTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 23)}000Z`
}

/** Epoch milliseconds of an RFC 3339 time; undefined for a missing or unreadable one. */
export function parseTime(text: string | null | undefined): number | undefined {
  if (!text) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

/** The Date that libraries want to be given. */
export function dateOf(epochMs: number): Date {
  return new Date(epochMs)
}
