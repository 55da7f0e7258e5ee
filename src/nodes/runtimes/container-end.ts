import type { V1Container } from '../../api/generated/types.ts'
import { isMeantToEnd, type Pod } from '../../api/pods.ts'
import { parseQuantity } from '../../api/quantity.ts'
import type { Behaviour } from './behaviour.ts'
import type { Exit } from './runtime.ts'
import type { Surroundings } from './surroundings.ts'
import { exceedsAfter } from './usage.ts'

/** Of a container that is meant to end and whose image declares no end: an init container, a Job's. */
const DEFAULT_END = { code: 0, afterMs: 1000 } as const

/** How a container ends, and how long after its start. */
interface End extends Omit<Exit, 'at'> {
  readonly afterMs: number
}

/**
 * The end of a running container that comes first: out of memory, or its own; undefined: it runs on. `memory` is what it
 * uses now, in bytes. Pure.
 */
export function endOf(
  running: {
    readonly pod: Pod
    readonly container: V1Container
    readonly handle: { readonly startedAt: number }
    readonly behaviour: Pick<Behaviour, 'exit' | 'usage'>
    readonly surroundings: Pick<Surroundings, 'memoryVolumeMax'>
    /** While it runs what its spec says, it ends as that ends. */
    readonly own?: unknown
  },
  now: number,
  memory: () => number,
): End | undefined {
  const { pod, container, handle, behaviour, surroundings } = running
  const { limits, requests } = container.resources ?? {}
  const endsByDefault = isMeantToEnd(pod, container) && !container.stdin && running.own === undefined
  const own = behaviour.exit ?? (endsByDefault ? DEFAULT_END : undefined)
  const limit = parseQuantity(limits?.['memory'] ?? pod.spec.resources?.limits?.['memory'] ?? '0')
  const oomMs =
    limit === 0 ? undefined : exceedsAfter(behaviour.usage, requests, limit, surroundings.memoryVolumeMax)
  // What it used once, under another limit, is over.
  const isPast = oomMs !== undefined && handle.startedAt + oomMs < now
  const isOver = oomMs !== undefined && (!isPast || memory() > limit)
  if (isOver && oomMs <= (own?.afterMs ?? oomMs)) return { code: 137, reason: 'OOMKilled', afterMs: oomMs }
  return own && { ...own, reason: own.code === 0 ? 'Completed' : 'Error' }
}
