import type { V1LifecycleHandler } from '../../api/generated/types.ts'
import { sleep } from '../../base/clock.ts'
import type { Env } from '../../base/env.ts'
import type { Runtime } from '../runtimes/runtime.ts'

/** Runs the hook of a container's end and ends it, all within its grace. Resolves with why the hook failed. */
export async function endContainer(
  env: Env,
  runtime: Runtime,
  id: string,
  preStop: V1LifecycleHandler | undefined,
  graceMs: number,
): Promise<string | undefined> {
  const startedAt = env.clock.now()
  const failure = graceMs > 0 ? await runHook(env, runtime, id, preStop, graceMs) : undefined
  await runtime.stop(id, Math.max(graceMs - (env.clock.now() - startedAt), GRACE_MIN_MS))
  return failure
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
