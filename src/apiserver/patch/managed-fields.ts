import type { V1ManagedFieldsEntry } from '../../api/generated/types.ts'
import { type AnyResource, apiVersionOf } from '../../api/resource.ts'
import type { Schema } from '../../api/schema.ts'
import { formatTime } from '../../base/date.ts'
import { compare } from './field-sets.ts'
import type { FieldNode } from './field-table.ts'
import {
  difference,
  type Fields,
  filterFields,
  formatFields,
  isEmpty,
  NO_FIELDS,
  parseFields,
  union,
} from './fields.ts'

/**
 * metadata.managedFields: who wrote which field, one entry for each writer. A writer is a name, an operation, a
 * subresource and, for updates, an API version. This file reads and writes the entries and follows creates, updates and
 * patches; apply.ts follows server-side apply.
 */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
  readonly fields: Fields
}

/** Another version of the kind: an object in its form, and back. */
export interface OtherVersion {
  readonly schema: Schema
  of(object: AnyResource): AnyResource
  back(object: AnyResource): AnyResource
}

export interface WriterOptions {
  readonly kind: { readonly group: string; readonly version: string }
  readonly schema: Schema
  /** The version entries are written in, where it is another one than the writer's and is served. */
  readonly versionOf?: (apiVersion: string) => OtherVersion | undefined
  /** The field manager. */
  readonly manager: string
  /** "" for the resource itself, else "status", "scale" … */
  readonly subresource: string
  /** Epoch ms. */
  readonly now: number
}

/** Identity and bookkeeping in metadata that nobody owns. */
const UNOWNED = new Set(
  [
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((field) => `f:${field}`),
)

/** Up to this many updaters are kept apart; of more, the oldest become one entry for each API version. */
const UPDATERS_MAX = 10
const OLD_UPDATES = 'ancient-changes'

/** Entries Kubernetes could not read (no operation, another fieldsType) are left out. */
export function readManagers(entries: readonly V1ManagedFieldsEntry[] | undefined): Manager[] {
  return (entries ?? []).filter(isReadable).map((entry) => ({
    name: entry.manager ?? '',
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    apiVersion: entry.apiVersion ?? '',
    subresource: entry.subresource ?? '',
    time: entry.time,
    fields: parseFields(entry.fieldsV1),
  }))
}

function isReadable(entry: V1ManagedFieldsEntry): boolean {
  return (
    (entry.operation === 'Apply' || entry.operation === 'Update') &&
    (entry.fieldsType === undefined || entry.fieldsType === 'FieldsV1')
  )
}

/** Entries without fields are dropped. Kubernetes' order: Apply before Update, then by time, then by name. */
export function writeManagers(managers: readonly Manager[]): V1ManagedFieldsEntry[] {
  return capUpdaters(managers.filter(({ fields }) => !isEmpty(fields)))
    .sort(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        byTime(a, b) ||
        compareText(a.apiVersion, b.apiVersion) ||
        compareText(a.subresource, b.subresource),
    )
    .map(({ name, operation, apiVersion, time, fields, subresource }) => ({
      manager: name,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: formatFields(fields),
      ...(subresource === '' ? {} : { subresource }),
    }))
}

function byTime(a: Manager, b: Manager): number {
  return compareText(a.time ?? '', b.time ?? '') || compareText(a.name, b.name)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** What was merged before is merged first. */
function byAge(a: Manager, b: Manager): number {
  return Number(b.name === OLD_UPDATES) - Number(a.name === OLD_UPDATES) || byTime(a, b)
}

function capUpdaters(managers: Manager[]): Manager[] {
  const updaters = managers.filter(({ operation }) => operation === 'Update').sort(byAge)
  const buckets = new Map<string, Manager>()
  const gone = new Set<Manager>()
  const merged = new Set<string>()
  let count = updaters.length
  for (const updater of updaters) {
    if (count <= UPDATERS_MAX) break
    const first = buckets.get(updater.apiVersion)
    if (first) {
      merged.add(updater.apiVersion)
      count -= 1
    }
    gone.add(updater)
    buckets.set(updater.apiVersion, {
      ...updater,
      name: OLD_UPDATES,
      subresource: '',
      fields: union(first?.fields ?? NO_FIELDS, updater.fields),
    })
  }
  // The first of an API version stays as it is until a second one joins it.
  const isGone = (manager: Manager) => gone.has(manager) && merged.has(manager.apiVersion)
  return [
    ...managers.filter((manager) => !isGone(manager)),
    ...[...buckets].filter(([version]) => merged.has(version)).map(([, bucket]) => bucket),
  ]
}

/** What a writer of this subresource can own: without identity, and status only through /status (which may say annotations). */
export function ownable(fields: Fields, subresource: string, hasStatus: boolean): Fields {
  const isStatus = subresource === 'status'
  return filterFields(fields, (element, node) => {
    if (element === 'f:apiVersion' || element === 'f:kind') return undefined
    if (element === 'f:metadata') return ownedMetadata(node)
    return (element === 'f:status' ? hasStatus && !isStatus : isStatus) ? undefined : node
  })
}

function ownedMetadata({ children }: FieldNode): FieldNode {
  return filterFields(children, (name, node) => (UNOWNED.has(name) ? undefined : node)).node(false)
}

export function sameWriter(manager: Manager, options: WriterOptions, operation: 'Apply' | 'Update'): boolean {
  return (
    manager.name === options.manager &&
    manager.operation === operation &&
    manager.subresource === options.subresource &&
    (operation === 'Apply' || manager.apiVersion === apiVersionOf(options.kind))
  )
}

/**
 * The object with its managedFields after a create, update or patch: the writer owns what it changed, others lose it.
 * managedFields that the client sends replace the stored ones first; [] and [{}] clear them. What is not tracked (all
 * was cleared) stays so until somebody applies.
 */
export function trackUpdate(
  live: AnyResource | undefined,
  object: AnyResource,
  options: WriterOptions & { readonly hasStatus: boolean },
): AnyResource {
  const stored = live?.metadata.managedFields
  const sent = options.subresource === '' ? object.metadata.managedFields : undefined
  const isReset = sent !== undefined && isClearing(sent)
  const given = isReset || !sent ? [] : readManagers(sent)
  const before = isReset || given.length > 0 ? given : readManagers(stored)
  if (live && before.length === 0) return withEntries(object, undefined)
  const comparison = compare(live ?? {}, object, options.schema)
  const changed = ownable(comparison.changed, options.subresource, options.hasStatus)
  const removed = ownable(comparison.removed, options.subresource, options.hasStatus)
  if (isEmpty(changed) && isEmpty(removed))
    return given.length > 0 && sent !== stored ? withManagers(object, before) : withEntries(object, stored)
  const changesFor = inVersionOf(options, { changed, removed }, (version) => {
    const there = compare(live ? version.of(live) : {}, version.of(object), version.schema)
    return {
      changed: ownable(there.changed, options.subresource, options.hasStatus),
      removed: ownable(there.removed, options.subresource, options.hasStatus),
    }
  })
  const left = before.map((manager) => {
    const theirs = changesFor(manager)
    const fields = difference(difference(manager.fields, theirs.changed), theirs.removed)
    return fields === manager.fields ? manager : { ...manager, fields }
  })
  if (isEmpty(changed)) return withManagers(object, left)
  const mine = left.find((manager) => sameWriter(manager, options, 'Update'))
  return withManagers(object, [
    ...left.filter((manager) => manager !== mine),
    {
      name: options.manager,
      operation: 'Update',
      apiVersion: apiVersionOf(options.kind),
      subresource: options.subresource,
      time: formatTime(options.now),
      fields: union(mine?.fields ?? NO_FIELDS, changed),
    },
  ])
}

/** What `own` is for managers of the writer's version, worked out once for each other version managers write in. */
export function inVersionOf<T>(
  { kind, versionOf }: WriterOptions,
  own: T,
  elsewhere: (version: OtherVersion) => T,
): (manager: Manager) => T {
  const known = new Map<string, T>([[apiVersionOf(kind), own]])
  return ({ apiVersion }) => {
    let found = known.get(apiVersion)
    if (found === undefined) {
      const version = versionOf?.(apiVersion)
      found = version ? elsewhere(version) : own
      known.set(apiVersion, found)
    }
    return found
  }
}

function isClearing(entries: readonly V1ManagedFieldsEntry[]): boolean {
  return entries.length === 0 || (entries.length === 1 && Object.keys(entries[0] ?? {}).length === 0)
}

export function withManagers(object: AnyResource, managers: readonly Manager[]): AnyResource {
  const entries = writeManagers(managers)
  return withEntries(object, entries.length > 0 ? entries : undefined)
}

export function withEntries(
  object: AnyResource,
  entries: readonly V1ManagedFieldsEntry[] | undefined,
): AnyResource {
  if (object.metadata.managedFields === entries) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata: entries ? { ...metadata, managedFields: entries } : metadata }
}
