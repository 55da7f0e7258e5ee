import type { Resource } from '../../api/resource.ts'
import { isReason } from '../../api/status.ts'
import { sleep } from '../../base/clock.ts'
import type { Env } from '../../base/env.ts'
import type { Store } from '../store/store.ts'

/** What keeps itself equal to a part of the store. */
export interface Follower {
  put(key: string, object: Resource): void
  remove(key: string, object: Resource): void
  /** Everything is about to be told anew. */
  clear(): void
}

const AGAIN_MS = 1000

/**
 * Tells a follower of everything under the prefixes, now and from now on, until the signal aborts. Resolves when it
 * has been told of what was there. A follower sees a write soon after it was acknowledged, not before.
 */
export function follow(
  env: Env,
  store: Store,
  prefix: string,
  follower: Follower,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const run = async () => {
      for (;;) {
        try {
          const { entries, revision } = await store.range({ prefix })
          follower.clear()
          for (const { key, value } of entries) follower.put(key, value as Resource)
          resolve()
          for await (const { changes } of store.watch({ prefix, after: revision, signal }))
            for (const { type, key, value } of changes)
              if (type === 'put') follower.put(key, value as Resource)
              else follower.remove(key, value as Resource)
          return
        } catch (error) {
          if (signal.aborted) return
          reject(error)
          if (!isReason(error, 'Expired')) {
            env.log.error({ err: error, prefix }, 'cannot follow the store, trying again')
            await sleep(env.clock, AGAIN_MS)
          }
        }
      }
    }
    void run()
  })
}
