import type { V1Container, V1Probe } from '../../api/generated/types.ts'
import type { ProbeAnswer } from '../runtimes/runtime.ts'
import { afterAnswer, isLost, newProbe, type ProbeState } from './probe-state.ts'
import type { ContainerRecord } from './record.ts'

const KINDS = ['startup', 'readiness', 'liveness'] as const
type ProbeKind = (typeof KINDS)[number]
type Probes = ContainerRecord['probes']

export interface FailedProbe {
  readonly kind: ProbeKind
  /** "connection refused" and the like. */
  readonly message: string
  /** It has failed as often as it may: the container is ended for it. */
  readonly isFatal: boolean
}

/** What a kubelet says of it. */
export function probeEvents(
  { name }: V1Container,
  { kind, message, isFatal }: FailedProbe,
): readonly (readonly ['Normal' | 'Warning', string, string])[] {
  const title = kind.charAt(0).toUpperCase() + kind.slice(1)
  const failed = ['Warning', 'Unhealthy', `${title} probe failed: ${message}`] as const
  const killing = ['Normal', 'Killing', `Container ${name} failed ${kind} probe, will be restarted`] as const
  return isFatal ? [failed, killing] : [failed]
}

/** The probes of a container that has just started, or that was found running as its status says. */
export function probesOf(
  container: V1Container,
  startedAt: number,
  found?: { readonly isReady: boolean; readonly isStarted: boolean; readonly now: number },
): Probes {
  const probes: { -readonly [K in ProbeKind]?: ProbeState } = {}
  for (const kind of KINDS) {
    const probe = container[`${kind}Probe`]
    if (!probe) continue
    const state = newProbe(probe, kind, startedAt)
    const hasPassed = kind === 'readiness' ? found?.isReady : found?.isStarted
    probes[kind] = found && hasPassed ? { ...state, passed: true, nextAt: found.now } : state
  }
  return probes
}

/**
 * Asks the probes that are due. Until the startup probe has passed the others wait; having passed it is not asked
 * again. A container that is stopping answers for its readiness only. Pure, but for what `ask` does.
 */
export function askProbes(
  container: V1Container,
  { phase, probes: before }: Pick<ContainerRecord, 'phase' | 'probes'>,
  now: number,
  ask: (probe: V1Probe) => ProbeAnswer,
): { readonly probes: Probes; readonly failed: readonly FailedProbe[] } {
  const probes: { -readonly [K in ProbeKind]?: ProbeState } = { ...before }
  const failed: FailedProbe[] = []
  for (const kind of KINDS) {
    const probe = container[`${kind}Probe`]
    const state = probes[kind]
    if (!probe || !state || state.nextAt > now || (phase === 'stopping' && kind !== 'readiness')) continue
    if (kind === 'startup' && state.passed) {
      probes.startup = { ...state, nextAt: Number.POSITIVE_INFINITY }
      continue
    }
    if (kind !== 'startup' && probes.startup?.passed === false) {
      probes[kind] = { ...state, nextAt: Math.max(now + 1, probes.startup.nextAt) }
      continue
    }
    const answer = ask(probe)
    const after = afterAnswer(state, probe, answer, now)
    // Once it has passed there is nothing more to find out.
    const isOver = kind === 'startup' && after.passed
    probes[kind] = isOver ? { ...after, nextAt: Number.POSITIVE_INFINITY } : after
    if (!answer.ok)
      failed.push({ kind, message: answer.message, isFatal: kind !== 'readiness' && isLost(after, probe) })
  }
  return { probes, failed }
}
