import type { KindRef } from '../api/kind.ts'
import { controllerOf, parseApiVersion, type Resource } from '../api/resource.ts'
import type { Env } from '../base/env.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../client/events.ts'
import type { InformerChange } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'

/** What a reconcile is given. Its client remembers what it wrote: the key is not looked at again before that is seen. */
export interface ReconcileContext {
  readonly env: Env
  readonly client: Client
  readonly informers: Informers
  readonly events: EventRecorder
}

/** Nothing more to do until something changes, or until the time is up. */
export type Outcome =
  | {
      readonly requeueAfterMs?: number | undefined
      /** What changes within this time, other than the resource's spec, is looked at together when it has passed. */
      readonly restMs?: number | undefined
    }
  | undefined

/** A look at so many objects takes a millisecond; fewer than MANY are not worth a rest. */
const OBJECTS_PER_REST_MS = 50
const MANY = 500

/** How long a key rests whose reconcile looks at so many objects: 10,000 pods change at once, and are counted five times a second. */
export function restFor(objects: number): number {
  return objects <= MANY ? 0 : objects / OBJECTS_PER_REST_MS
}

/** Another kind whose changes bring keys back. */
export interface WatchedKind<R extends Resource = Resource> {
  readonly kind: KindRef<R>
  keys(change: InformerChange<R>, informers: Informers): Iterable<string>
}

/**
 * One controller: level-triggered, one key at a time. `reconcile` is given the resource as the informer has it, after
 * everything this controller wrote for the key has been seen; a throw brings the key back with backoff.
 */
export interface Controller<R extends Resource = Resource> {
  readonly name: string
  readonly kind: KindRef<R>
  /** Kinds whose controller owner reference leads back to `kind`. */
  readonly owns?: readonly KindRef[]
  readonly watches?: readonly WatchedKind[]
  /** Keys worked on at once. Default 5, as kube-controller-manager's concurrent syncs. */
  readonly concurrency?: number
  reconcile(context: ReconcileContext, resource: R): Promise<Outcome>
  /** For a key that has no resource (any more). */
  deleted?(context: ReconcileContext, key: string): Promise<Outcome>
}

/** A part that is not one key at a time: a periodic look at everything, or a graph. */
export interface Loop {
  readonly name: string
  start(context: ReconcileContext): Running
}

export interface Running {
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

/** Will not work until a human edits the object: logged once, not retried until it changes. */
export class Terminal extends Error {
  override readonly name = 'Terminal'
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Types a watched kind by its own resource; the runner stores it erased. */
export function watched<R extends Resource>(watch: WatchedKind<R>): WatchedKind {
  return watch as WatchedKind
}

/** The key of the owner of `kind` that controls the resource, by its controller owner reference. */
export function ownerKey(resource: Resource, kind: KindRef): string | undefined {
  const owner = controllerOf(resource)
  if (!owner || owner.kind !== kind.kind || parseApiVersion(owner.apiVersion).group !== kind.group)
    return undefined
  const { namespace } = resource.metadata
  return kind.scope === 'Namespaced' && namespace ? `${namespace}/${owner.name}` : owner.name
}
