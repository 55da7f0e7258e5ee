import type { KindRef } from '../api/kind.ts'
import { apiVersionOf, isBeingDeleted, keyOf, type ObjectKey, type Resource } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import type { Client } from '../client/client.ts'
import type { Informers } from '../client/informers.ts'

/**
 * What was written for one key, until the informers have seen it. This is the gate of Kubernetes 1.36's consistency
 * store: a view that lacks one's own writes is not acted on, however long it takes; no timer ever opens it.
 */
export class OwnWrites {
  readonly #revisions = new Map<string, { readonly kind: KindRef; revision: number }>()
  readonly #deletions = new Map<
    string,
    { readonly kind: KindRef; readonly key: string; readonly uid: string }
  >()

  wrote(kind: KindRef, revision: string | undefined): void {
    const written = Number(revision ?? 0)
    const id = idOf(kind)
    const known = this.#revisions.get(id)
    if (!known) this.#revisions.set(id, { kind, revision: written })
    else known.revision = Math.max(known.revision, written)
  }

  /** A delete may answer with the object as it was, so it is seen when the informer's object is marked or gone. */
  deleted(kind: KindRef, answer: Resource): void {
    if (isBeingDeleted(answer)) this.wrote(kind, answer.metadata.resourceVersion)
    const uid = answer.metadata.uid
    if (uid) this.#deletions.set(uid, { kind, key: keyOf(answer), uid })
  }

  /** Undefined when all is seen; else a promise that resolves when it is worth looking again. */
  unseen(informers: Informers, kinds: ReadonlySet<string>, signal: AbortSignal): Promise<void> | undefined {
    for (const [id, { kind, revision }] of this.#revisions) {
      if (kinds.has(id)) {
        const informer = informers.of(kind)
        if (informer.revision < revision) return informer.caughtUp(revision, signal)
      }
      this.#revisions.delete(id)
    }
    for (const { kind, key, uid } of this.#deletions.values()) {
      if (kinds.has(idOf(kind))) {
        const informer = informers.of(kind)
        const seen = informer.get(key)
        if (seen?.metadata.uid === uid && !isBeingDeleted(seen))
          return informer.caughtUp(informer.revision + 1, signal)
      }
      this.#deletions.delete(uid)
    }
    return undefined
  }

  get isEmpty(): boolean {
    return this.#revisions.size + this.#deletions.size === 0
  }
}

export function idOf(kind: KindRef): string {
  return `${apiVersionOf(kind)}/${kind.plural}`
}

/** The client, noting every write in `writes`. */
export function recordingClient(client: Client, writes: OwnWrites): Client {
  const noted = async <R extends Resource>(kind: KindRef, dryRun: boolean | undefined, write: Promise<R>) => {
    const written = await outcomeKnown(kind, write)
    if (!dryRun) writes.wrote(kind, written.metadata.resourceVersion)
    return written
  }
  /**
   * Of a write whose outcome is unknown, what the server holds now is what must be seen before the next decision: the
   * newest object of the kind. Its collection's revision would do as well, but an informer may learn of that one only
   * by the next bookmark, when what was written last is of another kind; it is for what is gone.
   */
  const outcomeKnown = async <T>(kind: KindRef, write: Promise<T>, isDelete = false): Promise<T> => {
    try {
      return await write
    } catch (error) {
      if (isReason(error, 'Timeout') || isReason(error, 'ServerTimeout')) {
        const { items, resourceVersion } = await client.list(kind)
        const own = items.reduce(
          (most, { metadata }) => Math.max(most, Number(metadata.resourceVersion ?? 0)),
          0,
        )
        const isMarked = isDelete && items.some(isBeingDeleted)
        const newest = isDelete && !isMarked ? resourceVersion : String(own)
        writes.wrote(kind, newest)
      }
      throw error
    }
  }
  return {
    get: (kind, key) => client.get(kind, key),
    list: (kind, options) => client.list(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    create: (kind, resource, options) => noted(kind, options?.dryRun, client.create(kind, resource, options)),
    update: (kind, resource, options) => noted(kind, options?.dryRun, client.update(kind, resource, options)),
    patch: (kind, key, type, patch, options) =>
      noted(kind, options?.dryRun, client.patch(kind, key, type, patch, options)),
    apply: (kind, resource, options) => noted(kind, options.dryRun, client.apply(kind, resource, options)),
    async delete<R extends Resource>(
      kind: KindRef<R>,
      key: ObjectKey,
      options?: Parameters<Client['delete']>[2],
    ) {
      const answer = await outcomeKnown(kind, client.delete(kind, key, options), true)
      if (!options?.dryRun) writes.deleted(kind, answer)
      return answer
    },
    deleteCollection: (kind, list, options) =>
      outcomeKnown(kind, client.deleteCollection(kind, list, options), true),
    createSubresource: (kind, key, subresource, body, options) =>
      client.createSubresource(kind, key, subresource, body, options),
    as: (fieldManager) => recordingClient(client.as(fieldManager), writes),
  }
}
