/**
 * Keeps the ConfigMap that says since when uses of old tokens are noted, and once a day does what legacy-tokens.ts
 * decides about those that nobody uses.
 */
import { configMap } from '../api/kinds/config-map.ts'
import { pod } from '../api/kinds/pod.ts'
import { type Secret, secret } from '../api/kinds/secret.ts'
import { serviceAccount } from '../api/kinds/service-account.ts'
import { INVALID_SINCE } from '../api/service-account-secrets.ts'
import { isReason } from '../api/status.ts'
import { every } from '../base/clock.ts'
import { WorkQueue } from '../base/work-queue.ts'
import type { Client } from '../client/client.ts'
import type { Loop } from './controller.ts'
import { dayOf, planLegacyTokens, today } from './legacy-tokens.ts'

const PERIOD_MS = 24 * 3_600_000
const TRACKING = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' }

export const legacyTokenCleanerLoop: Loop = {
  name: 'legacy-service-account-token-cleaner',
  start({ client: given, informers, env }) {
    const client = given.as('legacy-service-account-token-cleaner')
    const queue = new WorkQueue(env.clock, {
      backoffMaxMs: 30_000,
      async work() {
        const now = env.clock.now()
        const trackedSince = await keepTracking(client, now)
        const kinds = [informers.of(secret), informers.of(serviceAccount), informers.of(pod)] as const
        await Promise.all(kinds.map(({ synced }) => synced))
        const [secrets, accounts, pods] = [kinds[0].list(), kinds[1].list(), kinds[2].list()]
        const plan = planLegacyTokens({ secrets, accounts, pods, trackedSince, now })
        for (const each of plan.mark) await mark(client, each, today(now))
        for (const each of plan.remove) await remove(client, each)
      },
      // The namespace is made a moment after the start.
      onError: (_, error) => env.log.debug({ err: error }, 'old tokens are looked at again'),
    })
    queue.add('tokens')
    const cancel = every(env.clock, PERIOD_MS, () => queue.add('tokens'))
    return {
      async stop() {
        cancel()
        await queue.close()
      },
    }
  },
}

/** The day it says; today when it says none, or one to come. */
async function keepTracking(client: Client, now: number): Promise<string> {
  const data = { since: today(now) }
  const held = await client.get(configMap, TRACKING).catch((error: unknown) => {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  })
  const since = held?.data?.['since']
  if (since !== undefined && (dayOf(since) ?? Number.POSITIVE_INFINITY) <= now) return since
  if (held) await client.update(configMap, { ...held, data })
  else await client.create(configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata: TRACKING, data })
  return data.since
}

async function mark(client: Client, { metadata }: Secret, day: string): Promise<void> {
  const { namespace, name, uid } = metadata
  const patch = { metadata: { uid, labels: { [INVALID_SINCE]: day } } }
  await client.patch(secret, { namespace, name }, 'merge', patch).catch(unlessChanged)
}

async function remove(client: Client, { metadata }: Secret): Promise<void> {
  const { namespace, name, resourceVersion } = metadata
  await client
    .delete(secret, { namespace, name }, { preconditions: { resourceVersion } })
    .catch(unlessChanged)
}

/** Whoever changed it meanwhile has it looked at again tomorrow. */
function unlessChanged(error: unknown): void {
  if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
}
