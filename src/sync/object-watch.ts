import type { AnyKind } from '../api/kind.ts'
import { controllerRevision as controllerRevisionKind } from '../api/kinds/controller-revision.ts'
import { pod as podKind } from '../api/kinds/pod.ts'
import { replicaSet as replicaSetKind } from '../api/kinds/replica-set.ts'
import {
  type AnyResource,
  apiVersionOf,
  controllerOf,
  keyOf,
  type ObjectKey,
  parseApiVersion,
} from '../api/resource.ts'
import type { Cancel } from '../base/clock.ts'
import type { Informers } from '../client/informers.ts'
import { idOf, type Target } from './target.ts'

export interface ObjectChange {
  readonly id: string
  /** The object itself, rather than a ReplicaSet or Pod below it. */
  readonly isOwn: boolean
  readonly type: 'added' | 'updated' | 'deleted'
  readonly resource: AnyResource
  readonly previous?: AnyResource | undefined
}

type Tell = (change: ObjectChange) => void

/**
 * One handler per kind for all applications, however many: a change goes to those who follow the object, or the object
 * that controls it. Thousands of applications cost what their own objects cost.
 */
export class ObjectWatch {
  readonly #informers: Informers
  readonly #followers = new Map<string, Set<Tell>>()
  readonly #watched = new Map<string, Cancel>()

  constructor(informers: Informers) {
    this.#informers = informers
  }

  /** Tells of changes from now on. */
  follow(targets: readonly Target[], tell: Tell): Cancel {
    for (const kind of new Set(targets.map((target) => target.kind))) this.#watch(kind)
    for (const below of [replicaSetKind, controllerRevisionKind, podKind]) this.#watch(below)
    const ids = targets.map(({ kind, object }) => idOf(kind, object))
    for (const id of ids) this.#followers.set(id, (this.#followers.get(id) ?? new Set<Tell>()).add(tell))
    return () => {
      for (const id of ids) {
        const tells = this.#followers.get(id)
        tells?.delete(tell)
        if (tells?.size === 0) this.#followers.delete(id)
      }
    }
  }

  close(): void {
    for (const cancel of this.#watched.values()) cancel()
    this.#watched.clear()
  }

  #watch(kind: AnyKind): void {
    const name = `${apiVersionOf(kind)}/${kind.plural}`
    if (this.#watched.has(name)) return
    this.#watched.set(
      name,
      this.#informers.of(kind).onChange(({ type, resource, previous }) => {
        if (this.#followers.size === 0) return
        const change = {
          type,
          resource: resource as AnyResource,
          previous: previous as AnyResource | undefined,
        }
        let id = idOf(kind, change.resource)
        for (const tell of this.#followers.get(id) ?? []) tell({ ...change, id, isOwn: true })
        let at: AnyResource | undefined = change.resource
        for (let depth = 0; at && depth < 3; depth += 1) {
          const owner = controllerOf(at)
          if (!owner) return
          const namespace: string | undefined = at.metadata.namespace
          const { group } = parseApiVersion(owner.apiVersion)
          const named: { metadata: ObjectKey } = { metadata: { namespace, name: owner.name } }
          id = idOf({ group, kind: owner.kind }, named)
          for (const tell of this.#followers.get(id) ?? []) tell({ ...change, id, isOwn: false })
          at =
            owner.kind === 'ReplicaSet'
              ? (this.#informers.of(replicaSetKind).get(keyOf(named)) as unknown as AnyResource | undefined)
              : undefined
        }
      }),
    )
  }
}
