import type { AnyKind } from '../../api/kind.ts'
import { type AnyResource, apiVersionOf, type Resource } from '../../api/resource.ts'
import { fault, invalid, type StatusCause } from '../../api/status.ts'
import { deepFreeze } from '../../base/json.ts'
import type { WatchEvent, WatchOptions } from '../../client/client.ts'
import type { Registry } from '../registry.ts'
import { type Selection, selectionOf } from '../selection.ts'
import { collectionPrefix, stampResource } from '../storage-keys.ts'
import type { Change } from '../store/store.ts'
import { showAs } from '../versions.ts'
import { LIST_OPTIONS, readRevision, tooLarge } from './list.ts'

const BOOKMARK_EVERY_MS = 60_000
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

/**
 * Events of a collection: from a resourceVersion, or from now after ADDED events for what is there. Throws Expired when
 * the revision is compacted; ends at the timeout (after a bookmark) and when the signal aborts. A bookmark tells that the
 * store has moved on by at least `progress` revisions.
 */
export async function* watch(
  registry: Registry,
  kind: AnyKind,
  options: WatchOptions,
  progress = 1,
): AsyncGenerator<WatchEvent<AnyResource>, void, undefined> {
  const { store, env } = registry
  checkWatchOptions(options)
  const selection = selectionOf(kind, options.labelSelector, options.fieldSelector)
  const prefix = collectionPrefix(kind, kind.scope === 'Namespaced' ? options.namespace : undefined)
  const asked = readRevision(options.resourceVersion)
  const stop = new AbortController()
  const abort = () => stop.abort()
  options.signal?.addEventListener('abort', abort, { once: true })
  if (options.signal?.aborted) abort()
  const cancelTimeout = options.timeoutSeconds
    ? env.clock.after(options.timeoutSeconds * 1000, abort)
    : () => {}
  try {
    let after = asked ?? 0
    if (!asked || options.sendInitialEvents) {
      if (asked !== undefined && asked > store.revision) throw tooLarge(asked, store.revision)
      const { entries, revision } = await store.range({ prefix })
      after = revision
      if (options.sendInitialEvents !== false) {
        for (const { value } of entries) {
          const object = showAs(kind, value as AnyResource)
          if (!selection || selection(object)) yield { type: 'ADDED', object }
        }
      }
      if (options.sendInitialEvents && options.allowWatchBookmarks)
        yield bookmark(kind, revision, { [INITIAL_EVENTS_END]: 'true' })
    }
    let seen = after
    let bookmarkedAt = env.clock.now()
    for await (const batch of store.watch({
      prefix,
      after,
      progress: options.allowWatchBookmarks ? progress : undefined,
      signal: stop.signal,
    })) {
      for (const change of batch.changes) {
        const event = eventOf(kind, change, selection)
        if (event) yield event
      }
      seen = batch.revision
      if (options.allowWatchBookmarks && env.clock.now() - bookmarkedAt >= BOOKMARK_EVERY_MS) {
        bookmarkedAt = env.clock.now()
        yield bookmark(kind, seen)
      }
    }
    if (options.allowWatchBookmarks && !options.signal?.aborted && seen > 0) yield bookmark(kind, seen)
  } finally {
    cancelTimeout()
    options.signal?.removeEventListener('abort', abort)
    stop.abort()
  }
}

/** An object that begins to match is ADDED to this watcher, one that ceases to match is DELETED. */
function eventOf(
  kind: AnyKind,
  change: Change,
  selection: Selection | undefined,
): WatchEvent<AnyResource> | undefined {
  const object = showAs(kind, change.value as AnyResource)
  const previous = change.previous && showAs(kind, change.previous as AnyResource)
  const isNew = change.revision === change.createRevision
  if (change.type === 'delete') {
    return !selection || selection(previous ?? object) ? { type: 'DELETED', object } : undefined
  }
  if (!selection) return { type: isNew ? 'ADDED' : 'MODIFIED', object }
  const matches = selection(object)
  const matched = !isNew && previous !== undefined && selection(previous)
  if (matches) return { type: matched ? 'MODIFIED' : 'ADDED', object }
  return matched ? { type: 'DELETED', object: showAs(kind, lastMatch(change)) } : undefined
}

const lastMatches = new WeakMap<Change, AnyResource>()

/** As Kubernetes shows what leaves a selection: as it last was there, at the revision that took it out. One for all watchers. */
function lastMatch(change: Change): AnyResource {
  let object = lastMatches.get(change)
  if (!object) {
    object = deepFreeze(stampResource(change.previous ?? change.value, change.revision) as AnyResource)
    lastMatches.set(change, object)
  }
  return object
}

function bookmark(
  kind: AnyKind,
  revision: number,
  annotations?: Readonly<Record<string, string>>,
): WatchEvent<AnyResource> {
  const object = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(annotations ? { annotations } : {}),
    },
  }
  return { type: 'BOOKMARK', object: object as unknown as Resource }
}

/** Field by field as Kubernetes' ValidateListOptions for watches. */
function checkWatchOptions({ sendInitialEvents, resourceVersionMatch: match }: WatchOptions): void {
  const field = 'resourceVersionMatch'
  const wrong: StatusCause[] = []
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    wrong.push(
      fault.forbidden(field, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    )
  if (match !== undefined) {
    if (sendInitialEvents === undefined)
      wrong.push(
        fault.forbidden(
          field,
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      )
    if (match !== 'NotOlderThan') wrong.push(fault.notSupported(field, match, ['NotOlderThan']))
  }
  if (wrong.length > 0) throw invalid(LIST_OPTIONS, '', wrong)
}
