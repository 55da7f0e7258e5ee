import type { InventoryEntry } from '../api/kinds/application.ts'

/** Fewer than this may always go; more only when they are less than half, or with consent. */
const FREE_MAX = 10

export interface PruneQuestion {
  readonly before: readonly InventoryEntry[]
  readonly after: readonly InventoryEntry[]
  /** The commit whose mass delete a human allowed (annotation seamark.dev/allow-mass-delete on the Application). */
  readonly allowed: string | undefined
  readonly commit: string
}

export type PruneDecision =
  | { readonly verdict: 'prune'; readonly gone: readonly InventoryEntry[] }
  /** Too much at once: nothing is deleted until somebody says so. */
  | { readonly verdict: 'ask'; readonly gone: readonly InventoryEntry[]; readonly message: string }

/**
 * What left the source is deleted; but not everything at once by accident. Deleting all, or more than half of more than
 * 10 objects, needs consent. Pure. It is asked only after a commit has been read and rendered whole: an error is never
 * taken for an empty source.
 */
export function decidePrune({ before, after, allowed, commit }: PruneQuestion): PruneDecision {
  const kept = new Set(after.map(({ id }) => id))
  const gone = before.filter(({ id }) => !kept.has(id))
  const isAll = gone.length === before.length && gone.length > 1
  const isMass = gone.length > FREE_MAX && gone.length * 2 > before.length
  if (
    !(isAll || isMass) ||
    (allowed !== undefined && (commit === allowed || (commit.startsWith(allowed) && allowed.length >= 7)))
  )
    return { verdict: 'prune', gone }
  const message = `Commit ${commit.slice(0, 7)} would delete ${gone.length} of ${before.length} objects; allow it with the annotation seamark.dev/allow-mass-delete=${commit.slice(0, 12)} on the Application`
  return { verdict: 'ask', gone, message }
}
