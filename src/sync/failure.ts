import { ApiError, type StatusReason } from '../api/status.ts'
import type { Failure, Place } from './progress.ts'

/** What ended an attempt. With `retry` it is the world's fault, not the commit's: the same commit is tried again. */
export class StageError extends Error {
  override readonly name = 'StageError'
  readonly failure: Failure
  readonly retry: boolean

  constructor(failure: Failure, options: { readonly retry?: boolean } = {}) {
    super(failure.message)
    this.failure = failure
    this.retry = options.retry ?? false
  }
}

/** Reasons that pass by themselves: nothing is wrong with what was asked. */
const TRANSIENT: ReadonlySet<StatusReason> = new Set([
  'Expired',
  'InternalError',
  'ServerTimeout',
  'ServiceUnavailable',
  'Timeout',
  'TooManyRequests',
])

export function isTransient(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false
  // An object that changed while it was being written, not a field that somebody else owns.
  if (error.reason === 'Conflict') return error.causes.length === 0
  return TRANSIENT.has(error.reason)
}

/** A namespace that is not there yet, or still going; an account that a controller is about to make. */
export function mayPass(error: ApiError): boolean {
  if (isTransient(error)) return true
  if (error.reason === 'NotFound') return error.details?.kind === 'namespaces'
  return (
    error.reason === 'Forbidden' &&
    (/being terminated/.test(error.message) || /service ?account .*not found/i.test(error.message))
  )
}

/** "the first message (and 3 more)" */
export function firstOf(places: readonly Place[], noun = ''): string {
  const more = places.length > 1 ? ` (and ${places.length - 1} more${noun})` : ''
  return `${places[0]?.message ?? ''}${more}`
}
