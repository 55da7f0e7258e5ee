import type { Resource } from '../../../src/api/resource.ts'
import type { Change, Store } from '../../../src/apiserver/store/store.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { formatTime } from '../../../src/base/date.ts'

/** The whole cluster after a change, by kind and then by store key. */
export class ClusterView {
  readonly #byKind = new Map<string, Map<string, Resource>>()
  /** Lists asked for since the last change of their kind. */
  readonly #lists = new Map<string, readonly Resource[]>()

  all<R extends Resource>(kind: string): readonly R[] {
    const list = this.#lists.get(kind) ?? [...(this.#byKind.get(kind)?.values() ?? [])]
    this.#lists.set(kind, list)
    return list as readonly R[]
  }

  every(): Resource[] {
    return [...this.#byKind.values()].flatMap((objects) => [...objects.values()])
  }

  byUid<R extends Resource>(kind: string, uid: string | undefined): R | undefined {
    return this.all<R>(kind).find(({ metadata }) => metadata.uid === uid)
  }

  apply({ type, key, value }: Pick<Change, 'type' | 'key' | 'value'>): void {
    const object = value as Resource
    this.#lists.delete(object.kind)
    const objects = this.#byKind.get(object.kind) ?? new Map<string, Resource>()
    this.#byKind.set(object.kind, objects)
    if (type === 'delete') objects.delete(key)
    else objects.set(key, object)
  }
}

export interface Moment {
  /** Epoch ms. */
  readonly at: number
  readonly isGone: boolean
  /** What was written, or the last state of what went. */
  readonly object: Resource
  readonly previous: Resource | undefined
  /** After the change. */
  readonly view: ClusterView
}

/** One promise, held against every change in turn. Says in words what is broken, or nothing. */
export interface Checker {
  see?(moment: Moment): readonly string[]
  /** Asked when faults are over and nothing is left to be done. */
  atRest?(view: ClusterView, at: number): readonly string[]
}

/** Heartbeats and events go on for ever. */
const BOOKKEEPING = /\/(leases|events|core\/nodes)\//
const REMEMBERED = 60

/** Feeds every change of a store to the checkers, and remembers the last ones in words. */
export class Watchers {
  readonly view = new ClusterView()
  readonly violations: string[] = []
  readonly recent: string[] = []
  /** Keys written, of anything but heartbeats and events. */
  readonly written: string[] = []
  readonly #checkers: readonly Checker[]
  readonly #clock: Clock

  constructor(clock: Clock, checkers: readonly Checker[]) {
    this.#clock = clock
    this.#checkers = checkers
  }

  async follow(store: Store, signal: AbortSignal): Promise<void> {
    for await (const { changes } of store.watch({ prefix: '/registry/', after: store.revision, signal }))
      for (const change of changes) this.see(change)
  }

  see(change: Pick<Change, 'type' | 'key' | 'value' | 'previous'>): void {
    const at = this.#clock.now()
    this.view.apply(change)
    if (!BOOKKEEPING.test(change.key)) {
      this.written.push(change.key)
      this.say(`${change.type} ${change.key}`)
    }
    const object = change.value as Resource
    const previous = change.previous as Resource | undefined
    const moment = { at, isGone: change.type === 'delete', object, previous, view: this.view }
    for (const checker of this.#checkers) this.#collect(checker.see?.(moment) ?? [])
  }

  atRest(): void {
    for (const checker of this.#checkers) this.#collect(checker.atRest?.(this.view, this.#clock.now()) ?? [])
  }

  say(text: string): void {
    this.recent.push(`${formatTime(this.#clock.now())} ${text}`)
    if (this.recent.length > REMEMBERED) this.recent.shift()
  }

  #collect(found: readonly string[]): void {
    for (const text of found) {
      this.say(`VIOLATION ${text}`)
      this.violations.push(`${formatTime(this.#clock.now())} ${text}`)
    }
  }
}
