import type { AnyKind } from '../../api/kind.ts'
import type { AnyResource, ObjectKey } from '../../api/resource.ts'
import { ApiError, badRequest, conflict } from '../../api/status.ts'
import { deepEqual } from '../../base/json.ts'
import { type Registry, Settling } from '../registry.ts'
import type { RequestContext } from '../request.ts'
import { stampResource, storageKey } from '../storage-keys.ts'
import { otherVersions, showAs, storedKind, toStored, trackAs } from '../versions.ts'
import { inNamespace } from './create.ts'

/** What a write makes of the object as it is. */
export interface Change {
  /**
   * Given the stored object, returns what the client wants it to be, or the stored object itself to write nothing.
   * Called again when somebody else wrote meanwhile; throws what the client is to be told.
   */
  next(old: AnyResource): AnyResource
  /** The revision the client has seen; another one is a Conflict. */
  readonly resourceVersion?: string | undefined
  readonly uid?: string | undefined
  /** Ownership is in the object already. */
  readonly tracked?: boolean
}

const ATTEMPTS_MAX = 20

/** PUT on a resource or its status. */
export async function update(
  registry: Registry,
  kind: AnyKind,
  key: ObjectKey,
  subresource: string,
  body: unknown,
  context: RequestContext,
): Promise<AnyResource> {
  checkDoor(kind, subresource)
  // In this process a client sends most of what it was given back as it is.
  const stored = (await registry.find(kind, key))?.value as AnyResource | undefined
  const sent = inNamespace(
    kind,
    registry.readBody(kind, body, context, stored && showAs(kind, stored)),
    key.namespace,
  )
  checkName(sent, key)
  return change(registry, kind, key, subresource, context, {
    next: () => sent,
    resourceVersion: sent.metadata.resourceVersion,
    uid: sent.metadata.uid,
  })
}

/** Whole objects are written directly, or through /status and what else merges them, where the kind has it. */
export function checkDoor(kind: AnyKind, subresource: string): void {
  const { status, others } = kind.subresources
  if (subresource === '' || (subresource === 'status' && status) || others?.[subresource]?.merge) return
  throw new ApiError('NotFound', 'the server could not find the requested resource')
}

export function checkName({ metadata }: AnyResource, key: ObjectKey): void {
  if (!metadata.name || metadata.name === key.name) return
  throw badRequest(
    `the name of the object (${metadata.name}) does not match the name on the URL (${key.name})`,
  )
}

/**
 * Reads, decides and writes until nobody was faster. Writes nothing, and keeps the resourceVersion, when nothing but
 * bookkeeping would change. The last finalizer of an object that is being deleted takes the object with it.
 */
export async function change(
  registry: Registry,
  asked: AnyKind,
  key: ObjectKey,
  subresource: string,
  context: RequestContext,
  wanted: Change,
): Promise<AnyResource> {
  const kind = storedKind(asked)
  for (let attempt = 1; ; attempt += 1) {
    const entry = await registry.mustFind(kind, key)
    const old = showAs(kind, entry.value as AnyResource)
    checkRevision(kind, old, wanted.resourceVersion)
    if (wanted.uid && wanted.uid !== old.metadata.uid) {
      throw conflict(
        kind,
        key.name,
        `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${old.metadata.uid}`,
      )
    }
    const settling = new Settling()
    try {
      const before = showAs(asked, entry.value as AnyResource)
      const sent = wanted.next(before)
      if (sent === before) return before
      const object = await prepare(registry, kind, subresource, context, {
        asked,
        old,
        sent,
        tracked: wanted.tracked === true,
        settling,
      })
      if (isSame(object, old)) return before
      if (context.dryRun) return showAs(asked, stampResource(object, entry.revision) as AnyResource)
      const storedAt = storageKey(kind, key)
      const write = isFinished(kind, object)
        ? ({ type: 'delete', key: storedAt, value: object } as const)
        : ({ type: 'put', key: storedAt, value: object } as const)
      const result = await registry.store.txn({
        conditions: [{ key: storedAt, revision: entry.revision }, ...settling.conditions],
        writes: [write, ...settling.writes],
      })
      if (result.committed)
        return showAs(
          asked,
          (result.entries[0]?.value ?? stampResource(object, result.revision)) as AnyResource,
        )
      const isOvertaken = result.failed.some((failed) => failed.key === storedAt)
      if (!isOvertaken) continue
      if ((wanted.resourceVersion && wanted.resourceVersion !== '0') || attempt >= ATTEMPTS_MAX)
        throw conflict(kind, key.name)
    } finally {
      settling.settle()
    }
  }
}

/** A Conflict unless the object is at the revision the client has seen; none and "0" mean any. */
export function checkRevision(kind: AnyKind, { metadata }: AnyResource, seen: string | undefined): void {
  if (seen && seen !== '0' && seen !== metadata.resourceVersion) throw conflict(kind, metadata.name)
}

interface Preparing {
  /** The version `sent` is in; `old` is in the stored one. */
  readonly asked: AnyKind
  readonly old: AnyResource
  readonly sent: AnyResource
  readonly tracked: boolean
  readonly settling: Settling
}

async function prepare(
  registry: Registry,
  kind: AnyKind,
  subresource: string,
  context: RequestContext,
  { asked, old, sent: given, tracked, settling }: Preparing,
): Promise<AnyResource> {
  const isMain = subresource === '' || subresource === 'scale'
  const other = kind.subresources.others?.[subresource]
  const merge = other?.merge
  const isOther = asked !== kind
  const sent = isOther ? toStored(asked, (isMain ? asked.setDefaults(given) : given) as AnyResource) : given
  // Binding and finalize are worked out by the server itself, status included.
  const merged = isMain
    ? keepSystemFields(kind, old, sent)
    : subresource === 'status'
      ? statusOnly(kind, old, sent)
      : merge
        ? (merge(old, sent, registry.env.clock.now()) as AnyResource)
        : sent
  let object = isMain
    ? (kind.setDefaults(kind.prepareForUpdate(kind.setDefaults(merged), old)) as AnyResource)
    : merged
  const request = {
    operation: 'UPDATE' as const,
    kind,
    subresource,
    old,
    context,
    onSettled: settling.onSettled,
    together: settling.together,
  }
  object = await registry.mutate({ ...request, object })
  if (isMain || merge) object = withGeneration(kind, old, object)
  if (isMain || merge || kind.custom) registry.validate(kind, object, old, other?.validateUpdate)
  await registry.admit({ ...request, object })
  if (tracked) return object
  return trackAs(asked, old, object, {
    kind: asked,
    schema: asked.schema,
    hasStatus: kind.subresources.status === true,
    versionOf: otherVersions(asked, registry.kinds),
    manager: context.fieldManager,
    subresource,
    now: registry.env.clock.now(),
  })
}

/** Identity, deletion and status are the server's; without a status subresource the status is the client's. */
function keepSystemFields(kind: AnyKind, old: AnyResource, sent: AnyResource): AnyResource {
  const {
    uid,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    generation,
    name,
    namespace,
    generateName,
  } = old.metadata
  const {
    deletionTimestamp: _time,
    deletionGracePeriodSeconds: _grace,
    generateName: _prefix,
    generation: _generation,
    selfLink: _link,
    ...rest
  } = sent.metadata
  const metadata = {
    ...rest,
    name,
    uid,
    creationTimestamp,
    ...(namespace === undefined ? {} : { namespace }),
    ...(generateName === undefined ? {} : { generateName }),
    ...(generation === undefined ? {} : { generation }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp, deletionGracePeriodSeconds }),
  }
  if (kind.subresources.status !== true) return { ...sent, metadata }
  const { status: _, ...withoutStatus } = sent
  return { ...withoutStatus, metadata, ...(old.status === undefined ? {} : { status: old.status }) }
}

/** /status writes the status and who owns it; of few kinds the annotations too. */
function statusOnly({ subresources }: AnyKind, old: AnyResource, sent: AnyResource): AnyResource {
  const managedFields = sent.metadata.managedFields ?? old.metadata.managedFields
  const { annotations: before, ...others } = old.metadata
  const annotations = subresources.statusAnnotations ? sent.metadata.annotations : before
  const isSame = managedFields === old.metadata.managedFields && annotations === before
  const metadata = isSame
    ? old.metadata
    : { ...others, ...(annotations ? { annotations } : {}), ...(managedFields ? { managedFields } : {}) }
  return { ...old, metadata, ...(sent.status === undefined ? {} : { status: sent.status }) }
}

/** Grows by one when anything but metadata and status changes; a kind may have raised it itself. */
function withGeneration(kind: AnyKind, old: AnyResource, object: AnyResource): AnyResource {
  if (!kind.hasGeneration) return object
  const before = old.metadata.generation ?? 0
  const isNew =
    (object.metadata.generation ?? 0) > before || !deepEqual(specOf(kind, object), specOf(kind, old))
  return { ...object, metadata: { ...object.metadata, generation: isNew ? before + 1 : before } }
}

/** A custom resource without a status subresource has a status that is like any other field. */
function specOf(kind: AnyKind, { metadata: _metadata, status, ...rest }: AnyResource): object {
  return kind.custom && !kind.subresources.status ? { ...rest, status } : rest
}

/** The same but for revision and for when whose fields were written. What differs most is looked at first. */
function isSame(object: AnyResource, old: AnyResource): boolean {
  if (!deepEqual(object.status, old.status) || !deepEqual(object.spec, old.spec)) return false
  const { metadata, ...rest } = object
  const { metadata: before, ...others } = old
  return deepEqual(rest, others) && deepEqual(comparable(metadata), comparable(before))
}

function comparable({ resourceVersion: _, managedFields, ...kept }: AnyResource['metadata']): object {
  return { ...kept, managedFields: managedFields?.map(({ time: _time, ...entry }) => entry) ?? [] }
}

/** Being deleted, and nothing holds it any more. */
export function isFinished(kind: AnyKind, { metadata, spec }: AnyResource): boolean {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers?.length ?? 0) > 0) return false
  if (kind.kind === 'Namespace' && kind.group === '')
    return ((spec?.['finalizers'] as readonly unknown[] | undefined)?.length ?? 0) === 0
  return (metadata.deletionGracePeriodSeconds ?? 0) === 0
}
