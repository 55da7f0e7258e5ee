import type { V1LifecycleHandler } from '../../api/generated/types.ts'
import { sleep } from '../../base/clock.ts'
import type { Env } from '../../base/env.ts'
import type { Runtime } from '../runtimes/runtime.ts'

/** Why a hook failed, or undefined; it is given up after `withinMs`, the container's grace. */
export async function runHook(
  { clock }: Env,
  runtime: Runtime,
  id: string,
  handler: V1LifecycleHandler | undefined,
  withinMs: number,
): Promise<string | undefined> {
  if (!handler) return undefined
  const stop = new AbortController()
  const tooLong = sleep(clock, withinMs, stop.signal).then(
    () => undefined,
    () => undefined,
  )
  try {
    return await Promise.race([runtime.hook(id, handler), tooLong])
  } catch (error) {
    return (error as Error).message
  } finally {
    stop.abort()
  }
}
