import { badRequest } from '../api/status.ts'
import type { ListOptions } from '../client/client.ts'
import type { ResourceRequest } from './request-info.ts'

/** The options of a list or watch, from the query. Throws BadRequest for a limit that is no number. */
export function listOptions({ query, namespace }: ResourceRequest): ListOptions {
  const limit = query.get('limit')
  if (limit !== null && !/^\d{1,9}$/.test(limit))
    throw badRequest(`limit: Invalid value: ${JSON.stringify(limit)}: must be a whole number of at least 0`)
  const match = query.get('resourceVersionMatch') || undefined
  return {
    namespace,
    labelSelector: query.get('labelSelector') ?? undefined,
    fieldSelector: query.get('fieldSelector') ?? undefined,
    limit: limit === null ? undefined : Number(limit),
    continue: query.get('continue') || undefined,
    resourceVersion: query.get('resourceVersion') ?? undefined,
    resourceVersionMatch: match as 'Exact' | 'NotOlderThan' | undefined,
  }
}
