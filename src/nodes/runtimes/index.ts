import type { Env } from '../../base/env.ts'
import type { Informers } from '../../client/informers.ts'
import type { Runtime } from './runtime.ts'
import { SimulatedRuntime } from './simulated.ts'

/** Every runtime a node can have. A new one is one file beside this one and one line here. */
export function runtimesOf(env: Env, informers: Informers): readonly Runtime[] {
  return [new SimulatedRuntime(env, informers)]
}
