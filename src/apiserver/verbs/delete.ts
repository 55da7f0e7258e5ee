import type { AnyKind } from '../../api/kind.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { isPodTerminal } from '../../api/pods.ts'
import type { AnyResource, ObjectKey } from '../../api/resource.ts'
import { conflict } from '../../api/status.ts'
import { formatTime, parseTime } from '../../base/date.ts'
import { deepEqual } from '../../base/json.ts'
import type { DeleteOptions } from '../../client/client.ts'
import type { Registry } from '../registry.ts'
import type { RequestContext } from '../request.ts'
import { stampResource, storageKey } from '../storage-keys.ts'
import { showAs, storedKind } from '../versions.ts'
import { isFinished } from './update.ts'

export interface Deleted {
  /** As it is now, or as it was when it went. */
  readonly object: AnyResource
  readonly isGone: boolean
}

/**
 * DELETE: at once when nothing holds the object; else it is marked with deletionTimestamp and waits for its finalizers,
 * and a pod that runs also for its grace period. Deleting again may only shorten the grace.
 */
export async function remove(
  registry: Registry,
  asked: AnyKind,
  key: ObjectKey,
  options: DeleteOptions,
  context: RequestContext,
): Promise<Deleted> {
  const kind = storedKind(asked)
  for (;;) {
    const entry = await registry.mustFind(kind, key)
    const old = entry.value as AnyResource
    checkPreconditions(kind, old, options)
    await registry.admit({
      operation: 'DELETE',
      kind,
      subresource: '',
      object: old,
      old,
      context,
      onSettled: () => {},
      together: () => {},
    })
    const marked = mark(kind, old, options, registry.env.clock.now())
    const isGone = isFinished(kind, marked)
    if (!isGone && deepEqual(marked, old)) return { object: showAs(asked, old), isGone: false }
    // What goes at once is seen by watchers as it was, not as waiting to go.
    const left = isGone && old.metadata.deletionTimestamp === undefined ? old : marked
    if (context.dryRun) return { object: showAs(asked, left), isGone }
    const storedAt = storageKey(kind, key)
    const write = isGone
      ? ({ type: 'delete', key: storedAt, value: left } as const)
      : ({ type: 'put', key: storedAt, value: left } as const)
    const result = await registry.store.txn({
      conditions: [{ key: storedAt, revision: entry.revision }],
      writes: [write],
    })
    if (result.committed)
      return {
        object: showAs(
          asked,
          (result.entries[0]?.value ?? stampResource(left, result.revision)) as AnyResource,
        ),
        isGone,
      }
  }
}

export function checkPreconditions(
  kind: AnyKind,
  { metadata }: AnyResource,
  { preconditions }: DeleteOptions,
): void {
  if (preconditions?.uid && preconditions.uid !== metadata.uid) {
    throw conflict(
      kind,
      metadata.name,
      `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${metadata.uid}`,
    )
  }
  if (preconditions?.resourceVersion && preconditions.resourceVersion !== metadata.resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${preconditions.resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`
    throw conflict(kind, metadata.name, why)
  }
}

function mark(kind: AnyKind, old: AnyResource, options: DeleteOptions, now: number): AnyResource {
  const held = old.metadata.deletionTimestamp === undefined ? (kind.prepareForDelete?.(old, now) ?? old) : old
  const finalizers = finalizersFor(held.metadata.finalizers, policyOf(kind, old, options))
  const grace = graceSeconds(kind, old, options)
  const { finalizers: _, ...metadata } = old.metadata
  const before =
    metadata.deletionTimestamp === undefined ? undefined : (metadata.deletionGracePeriodSeconds ?? 0)
  const seconds =
    before === undefined ? grace : options.gracePeriodSeconds === undefined ? before : Math.min(before, grace)
  const isShorter = before !== undefined && seconds < before
  const requestedAt =
    before === undefined ? now : (parseTime(metadata.deletionTimestamp) ?? now) - before * 1000
  const deletionTimestamp =
    before === undefined || isShorter
      ? formatTime(isShorter ? Math.max(now, requestedAt + seconds * 1000) : now + seconds * 1000)
      : metadata.deletionTimestamp
  return {
    ...held,
    ...(kind.kind === 'Namespace' && kind.group === ''
      ? { status: { ...old.status, phase: 'Terminating' } }
      : {}),
    metadata: {
      ...metadata,
      deletionTimestamp,
      deletionGracePeriodSeconds: seconds,
      ...(before === undefined && metadata.generation !== undefined
        ? { generation: metadata.generation + 1 }
        : {}),
      ...(finalizers.length > 0 ? { finalizers } : {}),
    },
  }
}

/** Only pods that run on a node are given time: theirs, unless the request says. Terminal ones need none. */
function graceSeconds(kind: AnyKind, old: AnyResource, options: DeleteOptions): number {
  if (kind !== podKind) return 0
  const pod = old as unknown as Pod
  if (!pod.spec.nodeName || isPodTerminal(pod)) return 0
  const seconds = options.gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
  // A negative period is Kubernetes' word for "as soon as possible, but in order".
  return seconds < 0 ? 1 : seconds
}

/** What the request says comes first, then a finalizer that somebody set, then the kind's own way. */
function policyOf(
  kind: AnyKind,
  { metadata }: AnyResource,
  { propagationPolicy }: DeleteOptions,
): DeleteOptions['propagationPolicy'] {
  const isDecided =
    metadata.deletionTimestamp !== undefined ||
    metadata.finalizers?.some((name) => name === 'orphan' || name === 'foregroundDeletion')
  return propagationPolicy ?? (kind.orphansDependents && !isDecided ? 'Orphan' : undefined)
}

function finalizersFor(
  before: readonly string[] = [],
  policy: DeleteOptions['propagationPolicy'],
): readonly string[] {
  if (policy === undefined) return before
  const others = before.filter((name) => name !== 'orphan' && name !== 'foregroundDeletion')
  if (policy === 'Foreground') return [...others, 'foregroundDeletion']
  return policy === 'Orphan' ? [...others, 'orphan'] : others
}
