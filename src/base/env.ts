import { type Clock, systemClock } from './clock.ts'
import { type Log, silentLog } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { type Random, seededRandom } from './random.ts'

/** What every part is given first: the outside world, replaceable as a whole. */
export interface Env {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

/** An Env for tests and one-shot commands: real clock, seed 1, no log lines unless told otherwise. */
export function createEnv(parts: Partial<Env> = {}): Env {
  return {
    clock: parts.clock ?? systemClock,
    random: parts.random ?? seededRandom(1),
    log: parts.log ?? silentLog,
    metrics: parts.metrics ?? createMetrics(),
  }
}
