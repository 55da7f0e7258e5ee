import type { V1Probe } from '../../api/generated/types.ts'
import type { ProbeAnswer } from '../runtimes/runtime.ts'

/** One probe of one running container. Pure: answers come in, verdicts come out. */
export interface ProbeState {
  /** In a row. */
  readonly successes: number
  readonly failures: number
  /** Epoch ms of the next question. */
  readonly nextAt: number
  /** Startup: has passed. Readiness: is ready. Liveness: is alive. */
  readonly passed: boolean
}

/** Liveness begins as success, the others as failure (prober/worker.go). */
export function newProbe(
  probe: V1Probe,
  kind: 'startup' | 'readiness' | 'liveness',
  startedAt: number,
): ProbeState {
  return {
    successes: 0,
    failures: 0,
    nextAt: startedAt + (probe.initialDelaySeconds ?? 0) * 1000,
    passed: kind === 'liveness',
  }
}

/**
 * The state after an answer at `now`. It passes after successThreshold answers in a row and fails after
 * failureThreshold. The next question comes a period later, or at the first period at which the answer can be another.
 */
export function afterAnswer(state: ProbeState, probe: V1Probe, answer: ProbeAnswer, now: number): ProbeState {
  const successes = answer.ok ? state.successes + 1 : 0
  const failures = answer.ok ? 0 : state.failures + 1
  const passed = answer.ok
    ? state.passed || successes >= (probe.successThreshold ?? 1)
    : state.passed && failures < (probe.failureThreshold ?? 3)
  const periodMs = (probe.periodSeconds ?? 10) * 1000
  const isSettled = answer.ok ? successes >= (probe.successThreshold ?? 1) : false
  if (!isSettled) return { successes, failures, passed, nextAt: now + periodMs }
  const periods =
    answer.until === Number.POSITIVE_INFINITY
      ? Number.POSITIVE_INFINITY
      : Math.max(1, Math.ceil((answer.until - now) / periodMs))
  return { successes, failures, passed, nextAt: now + periods * periodMs }
}

/** The container must be restarted: it has failed as often as it may. */
export function isLost(state: ProbeState, probe: V1Probe): boolean {
  return state.failures >= (probe.failureThreshold ?? 3)
}
