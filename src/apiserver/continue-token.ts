import { badRequest } from '../api/status.ts'

/** Where a paged list goes on: the revision of its first page and the next storage key. Opaque to clients. */
export interface ContinueToken {
  /** -1: the snapshot is compacted; go on with the newest state (an inconsistent continuation, asked for by name). */
  readonly revision: number
  readonly start: string
}

export function formatContinue({ revision, start }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url')
}

/** A token must stay inside the collection it was made for, whatever the client did to it. */
export function parseContinue(text: string, prefix: string): ContinueToken {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as {
      v: unknown
      rv: unknown
      start: unknown
    }
    if (
      v === 'meta.k8s.io/v1' &&
      Number.isInteger(rv) &&
      typeof start === 'string' &&
      start.startsWith(prefix)
    ) {
      return { revision: rv as number, start }
    }
  } catch {
    // Not ours; said below.
  }
  throw badRequest('continue key is not valid: the provided token was not made for this list')
}
