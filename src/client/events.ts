import { type Event, event } from '../api/kinds/event.ts'
import { keyOf, type Resource } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { formatTime } from '../base/date.ts'
import type { Env } from '../base/env.ts'
import type { Client } from './client.ts'
import { EventCorrelator } from './event-correlator.ts'

/** Upstream cuts longer messages. */
const MESSAGE_MAX = 1024
/** More unwritten events than this and new ones are dropped: events must never be what fills the memory. */
const BACKLOG_MAX = 1000
/** Nanoseconds between the names of two events of one recorder at the same time, at most. */
const STAMP_STEP = 10_000

/**
 * Records core/v1 Events about resources. `event` returns at once and never throws: writing happens behind it, in
 * order for each object, repeats merged into the stored event's count (EventCorrelator).
 */
export class EventRecorder {
  readonly #env: Env
  readonly #client: Client
  readonly #component: string
  readonly #host: string | undefined
  readonly #correlator = new EventCorrelator()
  #backlog = 0
  #stamp = 0n
  readonly #tails = new Map<string, Promise<void>>()

  constructor(env: Env, client: Client, component: string, host?: string) {
    this.#env = env
    this.#client = client
    this.#component = component
    this.#host = host
  }

  /** `fieldPath`: the part of it that the event is about, such as "spec.containers{app}". */
  event(
    about: Resource,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    fieldPath?: string,
  ): void {
    if (this.#backlog >= BACKLOG_MAX) return
    const now = this.#env.clock.now()
    const text = message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX - 3)}...` : message
    this.#backlog += 1
    const id = about.metadata.uid ?? keyOf(about)
    const tail = (this.#tails.get(id) ?? Promise.resolve()).then(async () => {
      try {
        await this.#write(about, { type, reason, message: text }, now, fieldPath)
      } catch (error) {
        this.#env.log.debug({ err: error, about: keyOf(about), reason }, 'event not recorded')
      } finally {
        this.#backlog -= 1
        if (this.#tails.get(id) === tail) this.#tails.delete(id)
      }
    })
    this.#tails.set(id, tail)
  }

  /** All events so far are written (or given up). */
  async flush(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values())
  }

  async #write(
    about: Resource,
    facts: { type: 'Normal' | 'Warning'; reason: string; message: string },
    now: number,
    fieldPath = '',
  ): Promise<void> {
    const id = `${about.metadata.uid ?? keyOf(about)}${fieldPath}`
    const verdict = this.#correlator.decide({ about: id, ...facts }, now)
    if (verdict.action === 'drop') return
    const namespace = about.metadata.namespace ?? 'default'
    if (verdict.action === 'repeat') {
      try {
        const patch = { count: verdict.count, lastTimestamp: formatTime(now), message: verdict.message }
        await this.#client.patch(event, { namespace, name: verdict.name }, 'merge', patch)
        return
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
        this.#correlator.forget(verdict.id)
      }
    }
    const build = () => this.#build(about, namespace, { ...facts, message: verdict.message }, now, fieldPath)
    // Somebody else may have told of the same object in the same nanosecond.
    const made = await this.#client.create(event, build()).catch((error: unknown) => {
      if (!isReason(error, 'AlreadyExists')) throw error
      return this.#client.create(event, build())
    })
    this.#correlator.created(verdict.id, made.metadata.name, now)
  }

  #build(
    about: Resource,
    namespace: string,
    facts: { type: string; reason: string; message: string },
    now: number,
    fieldPath: string,
  ): Event {
    const source = { component: this.#component, ...(this.#host ? { host: this.#host } : {}) }
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: this.#nameFor(about, now), namespace },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name: about.metadata.name,
        ...(about.metadata.namespace ? { namespace: about.metadata.namespace } : {}),
        ...(about.metadata.uid ? { uid: about.metadata.uid } : {}),
        ...(about.metadata.resourceVersion ? { resourceVersion: about.metadata.resourceVersion } : {}),
        ...(fieldPath ? { fieldPath } : {}),
      },
      ...facts,
      count: 1,
      firstTimestamp: formatTime(now),
      lastTimestamp: formatTime(now),
      source,
      reportingComponent: this.#component,
      reportingInstance: this.#host ?? '',
    }
  }

  /**
   * "web.17f3a2b1c4d5e6f7": the object and nanoseconds in hex, as upstream names them. What is listed by name is in the
   * order in which it happened: kubectl sorts by seconds. Chance tells apart what two components say at once.
   */
  #nameFor(about: Resource, now: number): string {
    const stamp = BigInt(now) * 1_000_000n
    this.#stamp = (stamp > this.#stamp ? stamp : this.#stamp) + BigInt(1 + this.#env.random.int(STAMP_STEP))
    return `${about.metadata.name.slice(0, 236)}.${this.#stamp.toString(16).padStart(16, '0')}`
  }
}
