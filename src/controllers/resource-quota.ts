/**
 * Keeps the status of ResourceQuotas: what they allow, and what is used. Admission charges what is made, in the same
 * write; this controller counts anew when a quota changes and when something that counts is gone or has ended.
 */
import type { AnyKind, KindRef } from '../api/kind.ts'
import { type ResourceQuota, resourceQuota } from '../api/kinds/resource-quota.ts'
import { isAbout, totalUsage, usageOf } from '../api/quota-usage.ts'
import { keyOf, type Resource } from '../api/resource.ts'
import { qualified } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import type { InformerChange } from '../client/informer.ts'
import { type Controller, type ReconcileContext, watched } from './controller.ts'

/** A namespace that is emptied is counted ten times a second, not once for each pod. */
const COUNT_EVERY_MS = 100
const RESYNC_MS = 5 * 60_000
/** Kinds that came after the start are not watched: quotas of those are counted as often as this. */
const UNWATCHED_MS = 5000
/** Written all the time and bounded by nobody. */
const UNBOUNDED = new Set(['events', 'leases', 'endpoints', 'endpointslices'])

interface Count {
  /** Grows with everything that gives something back. */
  readonly dirty: number
  readonly counted: number
  /** Epoch ms. */
  readonly at: number
}

export function resourceQuotaController(kinds: () => readonly AnyKind[]): Controller<ResourceQuota> {
  const counts = new Map<string, Count>()
  const countable = () =>
    kinds().filter(
      ({ scope, storedAs, verbs, plural }) =>
        scope === 'Namespaced' && !storedAs && verbs.includes('watch') && !UNBOUNDED.has(plural),
    )
  const watchedKinds = countable()
  const known = new Set(watchedKinds.map((kind) => `count/${qualified(kind)}`))
  const resyncOf = ({ spec }: ResourceQuota) =>
    Object.keys(spec.hard ?? {}).some((name) => name.startsWith('count/') && !known.has(name))
      ? UNWATCHED_MS
      : RESYNC_MS
  return {
    name: 'resourcequota',
    kind: resourceQuota,
    watches: watchedKinds.map((kind) =>
      watched({
        kind: kind as KindRef,
        keys: (change, informers) => {
          const quotas = informers
            .of(resourceQuota)
            .byIndex('namespace', change.resource.metadata.namespace ?? '')
            .filter((quota) => isAbout(quota, kind))
          if (quotas.length === 0 || !givesBack(kind, change)) return []
          const keys = quotas.map(keyOf)
          for (const key of keys) {
            const { dirty = 1, counted = 0, at = 0 } = counts.get(key) ?? {}
            counts.set(key, { dirty: dirty + 1, counted, at })
          }
          return keys
        },
      }),
    ),
    async reconcile(context, quota) {
      const key = keyOf(quota)
      const now = context.env.clock.now()
      const before = counts.get(key) ?? { dirty: 1, counted: 0, at: 0 }
      const resyncMs = resyncOf(quota)
      const isNew = !deepEqual(quota.spec.hard ?? {}, quota.status?.hard ?? {})
      const wait = before.at + COUNT_EVERY_MS - now
      const isDue = before.counted < before.dirty || now - before.at >= resyncMs
      if (!isNew && !isDue) return { requeueAfterMs: before.at + resyncMs - now }
      if (!isNew && wait > 0) return { requeueAfterMs: wait }
      await count(context, quota, countable())
      const { dirty } = counts.get(key) ?? before
      counts.set(key, { dirty, counted: before.dirty, at: now })
      return { requeueAfterMs: dirty > before.dirty ? COUNT_EVERY_MS : resyncMs }
    },
    deleted(_, key) {
      counts.delete(key)
      return Promise.resolve(undefined)
    },
  }
}

/** What is gone, has ended, or needs another amount than before. */
function givesBack(kind: AnyKind, { type, resource, previous }: InformerChange<Resource>): boolean {
  if (type === 'deleted') return true
  return previous !== undefined && !deepEqual(usageOf(kind, resource), usageOf(kind, previous))
}

/** Written only over the quota that was read: whoever charges it meanwhile has this count done again. */
async function count(
  { client, env }: ReconcileContext,
  quota: ResourceQuota,
  kinds: readonly AnyKind[],
): Promise<void> {
  const { namespace } = quota.metadata
  const lists = await Promise.all(
    kinds
      .filter((kind) => isAbout(quota, kind))
      .map(async (kind) =>
        (await client.list(kind as KindRef, { namespace })).items.map((resource) => ({ kind, resource })),
      ),
  )
  const status = { hard: quota.spec.hard ?? {}, used: totalUsage(quota, lists.flat(), env.clock.now()) }
  if (!deepEqual(status, quota.status))
    await client.update(resourceQuota, { ...quota, status }, { subresource: 'status' })
}
