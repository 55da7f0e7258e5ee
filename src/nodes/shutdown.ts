import type { KubeletConfiguration } from '../api/kubelet-configuration.ts'
import type { Cancel } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import type { Kubelet } from './kubelet/kubelet.ts'
import { graceIn, type ShutdownGroup, shutdownGroups } from './kubelet/shutdown-plan.ts'

/** From the end of the pods to that of everything else. */
const POWER_OFF_MS = 1000

const MESSAGE = 'Pod was terminated in response to imminent node shutdown.'
const FAILURE = { reason: 'Terminated', message: MESSAGE, disruption: MESSAGE }

/**
 * A node on its way down: its pods end group by group, the next one as soon as nothing of the one before runs or its
 * time is over; then the power goes off.
 */
export class NodeShutdown {
  readonly #env: Env
  readonly #kubelet: Kubelet
  readonly #powerOff: () => void
  #left: readonly ShutdownGroup[]
  #current: ShutdownGroup | undefined
  #isLast = false
  #cancelWait: Cancel = () => {}

  constructor(env: Env, kubelet: Kubelet, settings: KubeletConfiguration, powerOff: () => void) {
    this.#env = env
    this.#kubelet = kubelet
    this.#powerOff = powerOff
    this.#left = shutdownGroups(settings, kubelet.activePods())
  }

  /** To be called once, and when a pod of the node has come further. */
  look(): void {
    if (this.#isLast) return
    if (this.#current?.pods.every(({ metadata }) => this.#kubelet.isDown(metadata.uid ?? '')) ?? true)
      this.#next()
  }

  cancel(): void {
    this.#left = []
    this.#cancelWait()
  }

  #next(): void {
    this.#cancelWait()
    const [group, ...left] = this.#left
    this.#current = group
    this.#left = left
    this.#isLast = group === undefined
    if (!group) {
      this.#cancelWait = this.#env.clock.after(POWER_OFF_MS, this.#powerOff)
      return
    }
    this.#cancelWait = this.#env.clock.after(group.graceMs, () => this.#next())
    for (const pod of group.pods) this.#kubelet.giveUp(pod, { ...FAILURE, graceMs: graceIn(group, pod) })
  }
}
