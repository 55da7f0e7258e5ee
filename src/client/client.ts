import type { KindRef } from '../api/kind.ts'
import type { ObjectKey, Resource } from '../api/resource.ts'

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined
  /** As in kubectl -l, e.g. "app=web,tier in (a,b)". */
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Of custom metrics: by the labels of the metric. */
  readonly metricLabelSelector?: string | undefined
  readonly limit?: number | undefined
  readonly continue?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined
}

export interface List<R> {
  readonly resourceVersion: string
  readonly items: readonly R[]
  /** Present when there is more. */
  readonly continue?: string
  readonly remainingItemCount?: number
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  readonly allowWatchBookmarks?: boolean | undefined
  /** Synthetic ADDED events first, then a bookmark with k8s.io/initial-events-end. */
  readonly sendInitialEvents?: boolean | undefined
  readonly timeoutSeconds?: number | undefined
  /** Ends the watch without an error. */
  readonly signal?: AbortSignal | undefined
}

export type WatchEvent<R> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: R }
  /** Only metadata.resourceVersion (and annotations) of the object mean anything. */
  | { readonly type: 'BOOKMARK'; readonly object: Resource }

export interface WriteOptions {
  /** Nothing is persisted; the answer is what would have been. */
  readonly dryRun?: boolean | undefined
  /** Default: the client's own name. */
  readonly fieldManager?: string | undefined
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined
  readonly subresource?: string | undefined
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  readonly force?: boolean | undefined
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined
  readonly preconditions?:
    | { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
    | undefined
  readonly dryRun?: boolean | undefined
}

export type PatchType = 'json' | 'merge' | 'strategic'

/**
 * How every part of Seamark talks to the API server, in this process or over HTTP. Contract (test/contracts/client.ts):
 * - every failure is an ApiError; a write whose outcome is unknown (connection lost) throws Timeout and is not retried;
 * - what is returned is frozen and shared; never change it;
 * - a read after a write sees that write;
 * - `watch` yields events in revision order, each once; it throws Expired when the revision is compacted, and ends
 *   without an error when the signal aborts or the timeout passes.
 */
export interface Client {
  get<R extends Resource>(kind: KindRef<R>, key: ObjectKey): Promise<R>
  list<R extends Resource>(kind: KindRef<R>, options?: ListOptions): Promise<List<R>>
  watch<R extends Resource>(kind: KindRef<R>, options?: WatchOptions): AsyncIterable<WatchEvent<R>>
  /** `metadata.name`, or `generateName`. */
  create<R extends Resource>(kind: KindRef<R>, resource: R, options?: WriteOptions): Promise<R>
  /** With `metadata.resourceVersion`: only if unchanged (Conflict). With options.subresource "status": only the status. */
  update<R extends Resource>(kind: KindRef<R>, resource: R, options?: WriteOptions): Promise<R>
  patch<R extends Resource>(
    kind: KindRef<R>,
    key: ObjectKey,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions,
  ): Promise<R>
  /** Server-side apply: creates or merges; Conflict with FieldManagerConflict causes unless forced. */
  apply<R extends Resource>(kind: KindRef<R>, resource: R, options: ApplyOptions): Promise<R>
  /** The object as it was, or as it is now that it waits for finalizers or its grace period. */
  delete<R extends Resource>(kind: KindRef<R>, key: ObjectKey, options?: DeleteOptions): Promise<R>
  deleteCollection<R extends Resource>(
    kind: KindRef<R>,
    list: ListOptions,
    options?: DeleteOptions,
  ): Promise<void>
  /** POST on a subresource: pods/binding, pods/eviction. The body's and the answer's kind are the subresource's own. */
  createSubresource(
    kind: KindRef,
    key: ObjectKey,
    subresource: string,
    body: unknown,
    options?: WriteOptions,
  ): Promise<unknown>
  /** The same client, writing as another field manager and user agent. */
  as(fieldManager: string): Client
}
