/**
 * What follows a decision, in kube-scheduler's order: reserve and permit at once, with the pod assumed on its node; then,
 * behind the next decisions, the wait for permission, preBind, bind and postBind. Says what stopped it; whoever asked
 * takes the pod back (`undo`).
 */
import type { Env } from '../base/env.ts'
import type { Client } from '../client/client.ts'
import type { Extender } from './extender.ts'
import type { Framework } from './framework.ts'
import type { AnyPlugin, BindingContext } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import type { Candidate } from './preemption.ts'
import type { Snapshot } from './snapshot.ts'
import { type PermitRejection, WaitingPods } from './waiting-pods.ts'
import type { Writes } from './writes.ts'

/** `isRejection`: a permit said no; else something went wrong, and `reason` is all there is to say. */
export interface BindingFailure extends PermitRejection {
  readonly isRejection: boolean
  readonly cause?: unknown
}

/** Settled, or the pod waits for permission. */
export type Admission = BindingFailure | Promise<PermitRejection | undefined> | undefined

export class BindingCycle {
  readonly waiting: WaitingPods
  readonly #snapshot: Snapshot
  readonly #writes: Writes
  readonly #context: BindingContext
  readonly #extenders: readonly Extender[]

  constructor(env: Env, client: Client, snapshot: Snapshot, writes: Writes, extenders: readonly Extender[]) {
    this.waiting = new WaitingPods(env.clock)
    this.#snapshot = snapshot
    this.#writes = writes
    this.#extenders = extenders
    this.#context = { env, client, snapshot, until: (isDone, ms, what) => writes.until(isDone, ms, what) }
  }

  admit(info: PodInfo, node: string, { reserve, permit }: Framework): Admission {
    const on = this.#snapshot.node(node)
    for (const plugin of on ? reserve : []) {
      const refused = plugin.reserve?.(info, on!, this.#snapshot)
      if (refused !== undefined) return failureOf('Reserve', plugin, refused)
    }
    const waits = new Map<string, number>()
    for (const plugin of permit) {
      const permission = plugin.permit?.(info, node, this.waiting, this.#snapshot)
      if (!permission) continue
      if ('reject' in permission) return { plugin: plugin.name, reason: permission.reject, isRejection: true }
      waits.set(plugin.name, permission.waitMs)
    }
    return waits.size === 0 ? undefined : this.waiting.wait(info, node, waits)
  }

  /** Until all who were asked have allowed the pod. */
  async permission(wait: Promise<PermitRejection | undefined>): Promise<BindingFailure | undefined> {
    const rejection = await this.#writes.aside(wait)
    return rejection && { ...rejection, isRejection: true }
  }

  async bind(info: PodInfo, node: string, framework: Framework): Promise<BindingFailure | undefined> {
    for (const plugin of framework.preBind) {
      const failure = await attempt('PreBind', plugin, plugin.preBind?.(info, node, this.#context))
      if (failure) return failure
    }
    const extender = this.#extenders.find((each) => each.binds && each.isInterested(info))
    if (extender) return attempt('Bind', { name: 'Extender' }, extender.bind(info.pod, node))
    const [binder] = framework.bind
    return binder && attempt('Bind', binder, binder.bind?.(info, node, this.#context))
  }

  bound(info: PodInfo, node: string, { postBind }: Framework): void {
    for (const plugin of postBind) plugin.postBind?.(info, node)
  }

  /** Victims that only wait for permission give their room up without being deleted. */
  standing(chosen: Candidate): Candidate {
    const victims = chosen.victims.filter(({ uid }) => {
      const waiting = this.waiting.get(uid)
      waiting?.reject('DefaultPreemption', 'preempted')
      return !waiting
    })
    return { ...chosen, victims }
  }

  /** The last that has reserved first; then the pod leaves the node it was assumed on, whose name is the answer. */
  undo(info: PodInfo, { reserve }: Framework): string | undefined {
    const node = this.#snapshot.isAssumed(info.uid) ? this.#snapshot.placed(info.uid)?.node : undefined
    for (const plugin of reserve.toReversed()) plugin.unreserve?.(info)
    this.#snapshot.forget(info.uid)
    return node
  }
}

async function attempt(
  point: string,
  plugin: Pick<AnyPlugin, 'name'>,
  work: Promise<void> | undefined,
): Promise<BindingFailure | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return failureOf(point, plugin, error instanceof Error ? error.message : String(error), error)
  }
}

function failureOf(
  point: string,
  { name }: Pick<AnyPlugin, 'name'>,
  text: string,
  cause?: unknown,
): BindingFailure {
  return { plugin: name, reason: `running ${point} plugin "${name}": ${text}`, isRejection: false, cause }
}
