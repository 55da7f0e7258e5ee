import { affectedText, type Fault, fault as faultKind } from '../../api/kinds/fault.ts'
import { isReason } from '../../api/status.ts'
import type { Cancel } from '../../base/clock.ts'
import { formatTime, parseTime } from '../../base/date.ts'
import type { Env } from '../../base/env.ts'
import type { Client } from '../../client/client.ts'
import { EventRecorder } from '../../client/events.ts'
import type { Informers } from '../../client/informers.ts'
import { type ActiveFaults, durationOf } from './targets.ts'

/** What the nodes do about a fault. */
export interface FaultEffects {
  /** `isNew`: it begins now; otherwise it lasts since before this process. Returns what it falls on. */
  begin(fault: Fault, isNew: boolean): readonly string[]
  end(fault: Fault): void
}

/** Follows Fault objects: each begins when it is seen and ends at its time, or when it is deleted. */
export class Faults {
  readonly #env: Env
  readonly #client: Client
  readonly #informers: Informers
  readonly #active: ActiveFaults
  readonly #effects: FaultEffects
  readonly #events: EventRecorder
  readonly #lasting = new Map<string, { readonly fault: Fault; readonly cancel: Cancel }>()
  #cancel: Cancel = () => {}

  constructor(env: Env, client: Client, informers: Informers, active: ActiveFaults, effects: FaultEffects) {
    this.#env = env
    this.#client = client
    this.#informers = informers
    this.#active = active
    this.#effects = effects
    this.#events = new EventRecorder(env, client, 'fault-injector')
    informers.of(faultKind)
  }

  start(): void {
    this.#cancel = this.#informers.of(faultKind).onChange(({ type, resource }) => {
      const uid = resource.metadata.uid ?? ''
      if (type === 'deleted') this.#end(uid)
      else if (resource.status?.phase !== 'Ended' && !this.#lasting.has(uid)) this.#begin(uid, resource)
    })
  }

  async stop(): Promise<void> {
    this.#cancel()
    for (const { cancel } of this.#lasting.values()) cancel()
    await this.#events.flush()
  }

  #begin(uid: string, fault: Fault): void {
    const now = this.#env.clock.now()
    const startedAt = parseTime(fault.status?.startTime)
    const endsAt = (startedAt ?? now) + durationOf(fault)
    const cancel = this.#env.clock.after(Math.max(0, endsAt - now), () => {
      this.#end(uid)
      void this.#report(fault, { phase: 'Ended', endTime: formatTime(this.#env.clock.now()) })
      this.#events.event(fault, 'Normal', 'FaultEnded', `${fault.spec.action} is over`)
    })
    this.#lasting.set(uid, { fault, cancel })
    this.#tell()
    const affected = this.#effects.begin(fault, startedAt === undefined)
    if (startedAt !== undefined) return
    const on = affectedText(affected) || 'nothing'
    this.#events.event(
      fault,
      'Warning',
      'FaultBegan',
      `${fault.spec.action} on ${on} for ${fault.spec.duration}`,
    )
    const [startTime, endTime] = [now, endsAt].map(formatTime)
    void this.#report(fault, { phase: 'Active', startTime, endTime, affected })
  }

  #end(uid: string): void {
    const lasting = this.#lasting.get(uid)
    if (!lasting) return
    lasting.cancel()
    this.#lasting.delete(uid)
    this.#tell()
    this.#effects.end(lasting.fault)
  }

  #tell(): void {
    this.#active.set([...this.#lasting.values()].map(({ fault }) => fault))
  }

  async #report({ metadata }: Fault, status: NonNullable<Fault['status']>): Promise<void> {
    try {
      await this.#client.patch(
        faultKind,
        { name: metadata.name },
        'merge',
        { status },
        { subresource: 'status' },
      )
    } catch (error) {
      if (!isReason(error, 'NotFound')) this.#env.log.warn({ err: error }, 'status of a fault not written')
    }
  }
}
