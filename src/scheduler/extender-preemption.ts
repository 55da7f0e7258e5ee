/**
 * Preemption where extenders have a say: what the scheduler found is shown to each in turn, which leaves nodes out or
 * names other victims; the best of what is left is chosen.
 */
import type { PodDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import type { Random } from '../base/random.ts'
import type { Extender } from './extender.ts'
import type { FitError } from './fit-error.ts'
import type { Framework } from './framework.ts'
import type { PodInfo } from './pod-info.ts'
import { type Candidate, candidatesFor, choose, type Preemption } from './preemption.ts'
import type { Snapshot } from './snapshot.ts'

/** Undefined: the profile does not preempt. Throws when an extender that may not be passed over cannot be asked. */
export async function preemptionFor(
  pod: PodInfo,
  error: FitError,
  snapshot: Snapshot,
  framework: Framework,
  budgets: readonly PodDisruptionBudget[],
  random: Random,
  extenders: readonly Extender[],
): Promise<Preemption | undefined> {
  if (error.nodes === 0 || !framework.preemption) return undefined
  const found = candidatesFor(pod, error, snapshot, framework, budgets, random)
  if ('helps' in found) return found
  let candidates: readonly Candidate[] = found
  for (const extender of extenders)
    if (extender.preempts && extender.isInterested(pod) && candidates.length > 0)
      candidates = await extender.preempt(pod, candidates, snapshot)
  return choose(candidates)
}
