/**
 * Tokens that were once made for service accounts by themselves and that nobody uses: marked invalid after a year, and
 * deleted a year after that. A token counts as made so when its account names the Secret. Pure.
 */
import type { Pod } from '../api/kinds/pod.ts'
import type { Secret } from '../api/kinds/secret.ts'
import type { ServiceAccount } from '../api/kinds/service-account.ts'
import { podReferences } from '../api/pod-references.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import {
  ACCOUNT_NAME,
  ACCOUNT_UID,
  INVALID_SINCE,
  LAST_USED,
  TOKEN_TYPE,
} from '../api/service-account-secrets.ts'
import { formatTime, parseTime } from '../base/date.ts'

const YEAR_MS = 365 * 24 * 3_600_000
const DAY_MS = 24 * 3_600_000

export interface LegacyTokens {
  readonly secrets: readonly Secret[]
  readonly accounts: readonly ServiceAccount[]
  readonly pods: readonly Pod[]
  /** The day from which on uses are noted, "2026-01-31". */
  readonly trackedSince: string
  /** Epoch ms. */
  readonly now: number
}

export interface LegacyTokenPlan {
  /** To be labelled with today. */
  readonly mark: readonly Secret[]
  readonly remove: readonly Secret[]
}

export function today(now: number): string {
  return formatTime(now).slice(0, 10)
}

/** Epoch ms of the start of the day; undefined when it is none. */
export function dayOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) ? parseTime(`${text}T00:00:00Z`) : undefined
}

export function planLegacyTokens({
  secrets,
  accounts,
  pods,
  trackedSince,
  now,
}: LegacyTokens): LegacyTokenPlan {
  const since = dayOf(trackedSince)
  // Not all of the first day was seen.
  if (since === undefined || now < since + DAY_MS + YEAR_MS) return { mark: [], remove: [] }
  const byKey = new Map(accounts.map((account) => [keyOf(account), account]))
  const mounted = new Set(
    pods.flatMap((pod) => [...podReferences(pod).secrets].map((name) => `${pod.metadata.namespace}/${name}`)),
  )
  const keepFrom = today(now - YEAR_MS)
  const mark: Secret[] = []
  const remove: Secret[] = []
  for (const secret of secrets) {
    const { namespace, name, labels = {}, creationTimestamp } = secret.metadata
    const isOld = (parseTime(creationTimestamp) ?? now) < now - YEAR_MS
    if (secret.type !== TOKEN_TYPE || !isOld || isBeingDeleted(secret)) continue
    const lastUsed = labels[LAST_USED]
    if (lastUsed !== undefined && (dayOf(lastUsed) === undefined || lastUsed >= keepFrom)) continue
    const account = byKey.get(`${namespace}/${secret.metadata.annotations?.[ACCOUNT_NAME]}`)
    const uid = secret.metadata.annotations?.[ACCOUNT_UID]
    const isMade =
      account?.secrets?.some((each) => each.name === name) && (!uid || uid === account.metadata.uid)
    if (!isMade || mounted.has(keyOf(secret))) continue
    const invalidSince = labels[INVALID_SINCE]
    if (invalidSince === undefined || dayOf(invalidSince) === undefined) mark.push(secret)
    else if (invalidSince < keepFrom) remove.push(secret)
  }
  return { mark, remove }
}
