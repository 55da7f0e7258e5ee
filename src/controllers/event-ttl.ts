/**
 * Events live for an hour after they were last written, as kube-apiserver's --event-ttl has it. The store knows no
 * leases: what is over is looked for once a minute, so an event may stay a minute longer.
 */
import { type Event, event } from '../api/kinds/event.ts'
import { isReason } from '../api/status.ts'
import { every } from '../base/clock.ts'
import { parseTime } from '../base/date.ts'
import { WorkQueue } from '../base/work-queue.ts'
import type { Loop } from './controller.ts'

const TTL_MS = 3_600_000
const PERIOD_MS = 60_000
/** Deleted at once: what an incident left behind should not be what the next one waits for. */
const BATCH = 50
/** Looked at in one go: a busy cluster has a hundred thousand events, and others want to be answered in between. */
const PAGE = 1000

/** When it was last written, by the server's clock and not by what it says itself (epoch ms); NaN when nobody knows. */
function writtenAt({ metadata }: Event): number {
  const times = [metadata.creationTimestamp, ...(metadata.managedFields ?? []).map(({ time }) => time)]
  const written = Math.max(...times.map((time) => parseTime(time) ?? Number.NEGATIVE_INFINITY))
  return Number.isFinite(written) ? written : Number.NaN
}

/** Those that were last written an hour ago. */
export function expiredEvents(events: readonly Event[], now: number): readonly Event[] {
  return events.filter((each) => now - writtenAt(each) >= TTL_MS)
}

/** When the next of those that stay is over, at the earliest: what is written from now on lives longer. */
export function nextExpiry(events: readonly Event[], now: number): number {
  let first = now
  for (const each of events) {
    const written = writtenAt(each)
    if (written < first && now - written < TTL_MS) first = written
  }
  return first + TTL_MS
}

export const eventTtlLoop: Loop = {
  name: 'event-ttl',
  start({ client, env }) {
    let nextAt = 0
    const remove = async ({ metadata }: Event) => {
      const { namespace, name, uid, resourceVersion } = metadata
      try {
        await client.delete(event, { namespace, name }, { preconditions: { uid, resourceVersion } })
      } catch (error) {
        // Gone, or written again meanwhile: it is young once more.
        if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
      }
    }
    const queue = new WorkQueue(env.clock, {
      backoffMaxMs: PERIOD_MS,
      async work() {
        const now = env.clock.now()
        if (now < nextAt) return
        let next = now + TTL_MS
        let from: string | undefined
        do {
          const page = await client.list(event, { limit: PAGE, continue: from })
          const expired = expiredEvents(page.items, now)
          for (let at = 0; at < expired.length; at += BATCH)
            await Promise.all(expired.slice(at, at + BATCH).map(remove))
          next = Math.min(next, nextExpiry(page.items, now))
          from = page.continue
        } while (from)
        nextAt = next
      },
      onError: (_, error) => {
        // The pages were compacted away meanwhile: it begins anew.
        if (!isReason(error, 'Expired')) env.log.warn({ err: error }, 'old events not removed, trying again')
      },
    })
    const cancel = every(env.clock, PERIOD_MS, () => queue.add('events'))
    return {
      async stop() {
        cancel()
        await queue.close()
      },
    }
  },
}
