import type { V1LifecycleHandler } from '../../api/generated/types.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import type { Env } from '../../base/env.ts'
import type { Runtime } from '../runtimes/runtime.ts'

/** Ends a container when the hook of its end is over, or has taken all of its grace. */
export async function endContainer(
  { clock }: Env,
  runtime: Runtime,
  id: string,
  hook: Promise<unknown> | undefined,
  graceMs: number,
): Promise<void> {
  const startedAt = clock.now()
  if (hook && graceMs > 0) await within(clock, graceMs, hook)
  await runtime.stop(id, Math.max(graceMs - (clock.now() - startedAt), GRACE_MIN_MS))
}

/** Whatever the grace, a container gets this long between SIGTERM and SIGKILL. */
const GRACE_MIN_MS = 2000

/** Why a hook failed, or undefined; it is given up after `withinMs`, the container's grace. */
export async function runHook(
  { clock }: Env,
  runtime: Runtime,
  id: string,
  handler: V1LifecycleHandler | undefined,
  withinMs: number,
): Promise<string | undefined> {
  if (!handler) return undefined
  try {
    return await within(clock, withinMs, runtime.hook(id, handler))
  } catch (error) {
    return (error as Error).message
  }
}

/** What comes of it, or undefined when it takes longer. */
async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  const stop = new AbortController()
  const tooLong = sleep(clock, ms, stop.signal).then(
    () => undefined,
    () => undefined,
  )
  try {
    return await Promise.race([work, tooLong])
  } finally {
    stop.abort()
  }
}
