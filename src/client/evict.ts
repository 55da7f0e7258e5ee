import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { ApiError, isReason } from '../api/status.ts'
import type { Client } from './client.ts'

/** Asks that a pod go, as far as its budgets allow. Resolves with why it may not now; undefined: it goes, or is gone. */
export async function evict(client: Client, { metadata }: Pod): Promise<string | undefined> {
  const { namespace, name } = metadata
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
  try {
    await client.createSubresource(podKind, { namespace, name }, 'eviction', eviction)
    return undefined
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return isReason(error, 'NotFound') ? undefined : error.message
  }
}
