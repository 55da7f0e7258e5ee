import { formatTime } from '../base/date.ts'

/** What every condition list of the API has in common. */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly lastTransitionTime?: string | undefined
  readonly observedGeneration?: number | undefined
}

export function findCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type)
}

export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True'
}

/**
 * The list with the condition in the place of the one of its type. `lastTransitionTime` moves to `now` (epoch ms) only
 * when the status changes; when nothing changes the very same list comes back, so that callers can tell by identity
 * that there is nothing to write.
 */
export function setCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  condition: C,
  now: number,
): readonly C[] {
  const before = findCondition(conditions, condition.type)
  if (!before) return [...(conditions ?? []), { ...condition, lastTransitionTime: formatTime(now) }]
  const isSteady = before.status === condition.status && before.lastTransitionTime !== undefined
  const lastTransitionTime = isSteady ? before.lastTransitionTime : formatTime(now)
  const isSame =
    before.status === condition.status &&
    before.reason === condition.reason &&
    before.message === condition.message &&
    before.observedGeneration === condition.observedGeneration
  if (isSame) return conditions ?? []
  return (conditions ?? []).map((other) => (other === before ? { ...condition, lastTransitionTime } : other))
}

export function removeCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  type: string,
): readonly C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type)
}
