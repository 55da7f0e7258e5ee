import { type AnyResource, keyOf } from '../api/resource.ts'
import { sleep } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import { Wake } from '../base/wake.ts'
import type { Informers } from '../client/informers.ts'
import { judge, type Verdict } from './evidence.ts'
import { StageError } from './failure.ts'
import type { ObjectWatch } from './object-watch.ts'
import type { ResourceLine } from './progress.ts'
import { idOf, type Target, titleOf } from './target.ts'

/** So many objects, or objects with so many pods, are not looked at for each of their events, but this often. */
const MANY = 50
const GATHER_MS = 100

/** Who looks at objects: everything a wait needs of the world. */
export interface Eyes {
  readonly env: Env
  readonly informers: Informers
  readonly watch: ObjectWatch
}

export interface WaitOptions {
  /** Epoch ms; as the user wrote it, for the message. Absent: as long as it takes. */
  readonly deadline?: { readonly at: number; readonly text: string } | undefined
  readonly signal: AbortSignal
  /** What is not healthy yet, each time that changes. */
  readonly onWaiting?: ((resources: readonly ResourceLine[]) => void) | undefined
  /** Called each time something moved: drift is put back also while waiting. */
  readonly beforeLook?: (() => Promise<void>) | undefined
}

/** How each target is doing now. */
export function look({ env, informers }: Eyes, targets: readonly Target[]): (readonly [Target, Verdict])[] {
  const now = env.clock.now()
  return targets.map((target) => [target, verdictOn(target, informers, now)])
}

function verdictOn(target: Target, informers: Informers, now: number): Verdict {
  const live = informers.of(target.kind).get(keyOf(target.object)) as AnyResource | undefined
  return judge(target, live, informers, now)
}

/** What was found the last time, but for what has moved since and what was to be looked at again by now. */
class Verdicts {
  readonly #eyes: Eyes
  readonly #targets: readonly (readonly [string, Target])[]
  readonly #known = new Map<string, Verdict>()

  constructor(eyes: Eyes, targets: readonly Target[]) {
    this.#eyes = eyes
    this.#targets = targets.map((target) => [idOf(target.kind, target.object), target])
  }

  moved(id: string): void {
    this.#known.delete(id)
  }

  look(now: number): (readonly [Target, Verdict])[] {
    return this.#targets.map(([id, target]) => {
      let verdict = this.#known.get(id)
      if (!verdict || (verdict.lookAt !== undefined && verdict.lookAt <= now)) {
        verdict = verdictOn(target, this.#eyes.informers, now)
        this.#known.set(id, verdict)
      }
      return [target, verdict]
    })
  }
}

export function isWell({ health }: Verdict): boolean {
  return health.status === 'Healthy' || health.status === 'Suspended'
}

export function lineOf(target: Target, { health }: Verdict): ResourceLine {
  const { namespace, name } = target.object.metadata
  return { kind: target.kind.kind, namespace, name, health }
}

/**
 * Waits until every target is healthy by its kind's own rule; throws StageError as soon as one has failed for good, or at
 * the deadline. Level-based: looks again whenever a target, or a pod below it, moves. Returns when the signal aborts.
 */
export async function untilHealthy(
  eyes: Eyes,
  targets: readonly Target[],
  options: WaitOptions,
): Promise<void> {
  const { env, informers, watch } = eyes
  const verdictsOn = new Verdicts(eyes, targets)
  const { deadline, signal, onWaiting, beforeLook } = options
  const moved = new Wake()
  let hasMoved = false
  const unfollow = watch.follow(targets, ({ id }) => {
    hasMoved = true
    verdictsOn.moved(id)
    moved.wake()
  })
  let shownBefore = ''
  try {
    await informers.synced()
    while (!signal.aborted) {
      hasMoved = false
      await beforeLook?.()
      if (signal.aborted) return
      const now = env.clock.now()
      const verdicts = verdictsOn.look(now)
      for (const [target, { failed }] of verdicts)
        if (failed) throw unhealthy(target, failed.message, failed.field)
      const waiting = verdicts.filter(([, verdict]) => !isWell(verdict) && !verdict.hasEnded)
      const [first] = waiting
      if (!first) return
      if (deadline && now >= deadline.at) {
        const { message, status } = first[1].health
        throw unhealthy(first[0], `not healthy after ${deadline.text}: ${message ?? status}`, undefined)
      }
      const lines = waiting.map(([target, verdict]) => lineOf(target, verdict))
      const text = JSON.stringify(lines)
      if (text !== shownBefore) onWaiting?.(lines)
      shownBefore = text
      const lookAt = Math.min(
        deadline?.at ?? Number.POSITIVE_INFINITY,
        ...verdicts.map(([, verdict]) => verdict.lookAt ?? Number.POSITIVE_INFINITY),
      )
      if (hasMoved) continue
      const isTimed = lookAt !== Number.POSITIVE_INFINITY
      const cancel = isTimed ? env.clock.after(Math.max(1, lookAt - now), () => moved.wake()) : undefined
      await moved.wait(signal)
      cancel?.()
      const isMany = targets.length > MANY || verdicts.some(([, { pods = 0 }]) => pods > MANY)
      if (isMany) await sleep(env.clock, GATHER_MS, signal).catch(() => {})
    }
  } finally {
    unfollow()
  }
}

function unhealthy(target: Target, message: string, field: string | undefined): StageError {
  const resource = titleOf(target.object)
  return new StageError({
    reason: 'NotHealthy',
    message: `${resource}: ${message}`,
    resource,
    places: [target.manifest.placeOf(field, message)],
  })
}
