import type { AnyKind } from '../api/kind.ts'
import type { AnyResource } from '../api/resource.ts'
import { ApiError } from '../api/status.ts'
import type { DiffEntry, Refusal } from './apply.ts'
import type { ChangeCounts, CommitInfo, Failure, Place } from './progress.ts'
import { type Target, titleOf } from './target.ts'

/** A stage of a sync that the commit itself made fail; carries what is said of it everywhere. */
export class StageError extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

export const NO_CHANGES: ChangeCounts = { created: 0, configured: 0, unchanged: 0, pruned: 0 }

/** Kinds whose objects tell how an owned one is doing. */
export const CHILD_KINDS = (kinds: readonly AnyKind[]) =>
  kinds.filter(
    ({ kind, group }) => (kind === 'Pod' && group === '') || (kind === 'ReplicaSet' && group === 'apps'),
  )

export function countsOf(entries: readonly DiffEntry[], pruned: number): ChangeCounts {
  const count = (change: string) => entries.filter((entry) => entry.change === change).length
  return { created: count('created'), configured: count('configured'), unchanged: count('unchanged'), pruned }
}

export function shown({ id, subject }: CommitInfo): string {
  return subject ? `${id.slice(0, 7)} "${subject}"` : id.slice(0, 7)
}

export function firstOf(places: readonly Place[]): string {
  const [first] = places
  const more = places.length > 1 ? ` (and ${places.length - 1} more)` : ''
  return `${first?.message ?? ''}${more}`
}

export async function stage<T>(reason: Failure['reason'], run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof ApiError) throw new StageError({ reason, message: error.message, places: [] })
    throw error
  }
}

export function refusedStage(reason: 'DiffFailed' | 'ApplyFailed', refused: readonly Refusal[]): StageError {
  const [first] = refused
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more objects)` : ''
  return new StageError({
    reason,
    message: `${first?.message ?? ''}${more}`,
    resource: first && titleOf(first.target.object),
    places: refused.flatMap(({ places }) => places),
  })
}

export function unhealthy(target: Target, message: string, field: string | undefined): StageError {
  const resource = titleOf(target.object)
  return new StageError({
    reason: 'NotHealthy',
    message: `${resource}: ${message}`,
    resource,
    places: [target.manifest.placeOf(field, message)],
  })
}

export function specOf({ metadata, status: _status, ...rest }: AnyResource): object {
  return {
    ...rest,
    labels: metadata.labels,
    annotations: metadata.annotations,
    going: metadata.deletionTimestamp,
  }
}
