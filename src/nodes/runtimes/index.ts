import type { Env } from '../../base/env.ts'
import type { Informers } from '../../client/informers.ts'
import type { Runtime } from './runtime.ts'
import type { RuntimeFaults } from './runtime-faults.ts'
import { SimulatedRuntime } from './simulated.ts'

/** Every runtime a node can have. A new one is one file beside this one and one line here. */
export function runtimesOf(env: Env, informers: Informers, faults: RuntimeFaults): readonly Runtime[] {
  return [new SimulatedRuntime(env, informers, faults)]
}
