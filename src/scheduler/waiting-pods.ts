/**
 * Pods that have their node and wait for the permission of one or more plugins (kube-scheduler's waiting pods). A plugin
 * allows or rejects them later, from the cycle of another pod or at an event; what nobody allows in time is rejected.
 */
import { formatDuration } from '../api/duration.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import type { PodInfo } from './pod-info.ts'

/** Why a pod that waited goes back; `plugin` is '' when none is behind it. */
export interface PermitRejection {
  readonly plugin: string
  readonly reason: string
}

const WAIT_MAX_MS = 15 * 60_000

export class WaitingPod {
  readonly pod: PodInfo
  readonly node: string
  readonly #timers = new Map<string, Cancel>()
  readonly #end: (rejection: PermitRejection | undefined) => void

  constructor(
    clock: Clock,
    pod: PodInfo,
    node: string,
    waitsMs: ReadonlyMap<string, number>,
    end: (rejection: PermitRejection | undefined) => void,
  ) {
    this.pod = pod
    this.node = node
    this.#end = end
    for (const [plugin, wanted] of waitsMs) {
      const ms = Math.min(wanted, WAIT_MAX_MS)
      const reason = `rejected due to timeout after waiting ${formatDuration(ms)} at plugin ${plugin}`
      this.#timers.set(
        plugin,
        clock.after(ms, () => this.reject(plugin, reason)),
      )
    }
  }

  /** Plugins that have not allowed it yet. */
  get pendingPlugins(): readonly string[] {
    return [...this.#timers.keys()]
  }

  /** The pod goes on when the last of them has. */
  allow(plugin: string): void {
    this.#timers.get(plugin)?.()
    if (this.#timers.delete(plugin) && this.#timers.size === 0) this.#end(undefined)
  }

  reject(plugin: string, reason: string): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#end({ plugin, reason })
  }
}

export class WaitingPods {
  readonly #clock: Clock
  readonly #pods = new Map<string, WaitingPod>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(uid: string): WaitingPod | undefined {
    return this.#pods.get(uid)
  }

  list(): readonly WaitingPod[] {
    return [...this.#pods.values()]
  }

  /** Until every plugin has allowed it, each within its own time; undefined, or why not. */
  wait(
    pod: PodInfo,
    node: string,
    waitsMs: ReadonlyMap<string, number>,
  ): Promise<PermitRejection | undefined> {
    return new Promise((resolve) => {
      const end = (rejection: PermitRejection | undefined) => {
        this.#pods.delete(pod.uid)
        resolve(rejection)
      }
      this.#pods.set(pod.uid, new WaitingPod(this.#clock, pod, node, waitsMs, end))
    })
  }
}
