/**
 * What becomes of one more event, as client-go's EventCorrelator decides (tools/record/events_cache.go): the same
 * event again raises the count of the one that is stored; more than 10 events that differ only in their message within
 * 10 minutes become one with the prefix below; an object that causes more than a burst of 25 is limited to one new
 * event in 5 minutes. Pure but for its own bounded memory.
 */
export interface EventFacts {
  /** uid of the object the event is about (its key where it has none). */
  readonly about: string
  readonly type: string
  readonly reason: string
  readonly message: string
}

export type EventVerdict =
  | { readonly action: 'drop' }
  | { readonly action: 'create'; readonly message: string; readonly id: string }
  | {
      readonly action: 'repeat'
      readonly message: string
      readonly id: string
      readonly name: string
      readonly count: number
      readonly firstAt: number
    }

const SIMILAR_MAX = 10
const SIMILAR_WINDOW_MS = 10 * 60_000
const BURST = 25
const REFILL_MS = 5 * 60_000
const MEMORY_MAX = 4096
const COMBINED = '(combined from similar events): '

interface Stored {
  readonly name: string
  readonly firstAt: number
  count: number
}

interface Similar {
  lastAt: number
  readonly messages: Set<string>
}

interface Budget {
  tokens: number
  at: number
}

export class EventCorrelator {
  readonly #stored = new Map<string, Stored>()
  readonly #similar = new Map<string, Similar>()
  readonly #budgets = new Map<string, Budget>()

  decide(facts: EventFacts, now: number): EventVerdict {
    const group = [facts.about, facts.type, facts.reason].join('\n')
    const combined = this.#isCombined(group, facts.message, now)
    const message = combined ? COMBINED + facts.message : facts.message
    const id = combined ? group : `${group}\n${facts.message}`
    const stored = this.#stored.get(id)
    if (!this.#hasBudget(facts.about, now)) return { action: 'drop' }
    if (!stored) return { action: 'create', message, id }
    stored.count += 1
    return { action: 'repeat', message, id, name: stored.name, count: stored.count, firstAt: stored.firstAt }
  }

  /** The event with this id is stored under `name` now. */
  created(id: string, name: string, firstAt: number): void {
    remember(this.#stored, id, { name, firstAt, count: 1 })
  }

  /** The stored event is gone (its hour is over, or its namespace); the next one is new. */
  forget(id: string): void {
    this.#stored.delete(id)
  }

  #isCombined(group: string, message: string, now: number): boolean {
    const similar = this.#similar.get(group)
    if (!similar || now - similar.lastAt > SIMILAR_WINDOW_MS) {
      remember(this.#similar, group, { lastAt: now, messages: new Set([message]) })
      return false
    }
    similar.lastAt = now
    if (similar.messages.size >= SIMILAR_MAX) return !similar.messages.has(message)
    similar.messages.add(message)
    return false
  }

  #hasBudget(about: string, now: number): boolean {
    const budget = this.#budgets.get(about) ?? { tokens: BURST, at: now }
    const tokens = Math.min(BURST, budget.tokens + (now - budget.at) / REFILL_MS)
    remember(this.#budgets, about, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now })
    return tokens >= 1
  }
}

/** Puts the entry last and drops the oldest when there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > MEMORY_MAX) map.delete(map.keys().next().value as string)
}
