import { ApiError } from '../../api/status.ts'
import { futureRevision } from './mvcc.ts'

/** The refusals that every engine words alike. */
export function storeClosed(): ApiError {
  return new ApiError('ServiceUnavailable', 'The store is closed')
}

/** After a write that failed its outcome is unknown, so nothing may be decided on top of it (guarantee 11). */
export function writesRefused(cause: unknown): ApiError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ApiError(
    'ServiceUnavailable',
    `The store could not write to its disk (${why}) and refuses writes until restarted; check free space and the disk`,
    { cause },
  )
}

export function assertCompactable(revision: number, current: number): void {
  if (!Number.isSafeInteger(revision) || revision < 0)
    throw new ApiError('BadRequest', `Invalid revision ${revision}: must be a whole number, 0 or more`)
  if (revision > current) throw futureRevision(revision, current)
}
