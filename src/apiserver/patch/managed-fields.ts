import type { V1ManagedFieldsEntry } from '../../api/generated/types.ts'
import { type AnyResource, apiVersionOf } from '../../api/resource.ts'
import type { Schema } from '../../api/schema.ts'
import { formatTime } from '../../base/date.ts'
import { compare } from './field-sets.ts'
import {
  difference,
  equalFields,
  type Fields,
  formatFields,
  isEmpty,
  only,
  parseFields,
  union,
  without,
} from './fields.ts'

/** One writer's entry of metadata.managedFields, its fields read. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
  readonly fields: Fields
}

export interface WriterOptions {
  readonly kind: { readonly group: string; readonly version: string }
  readonly schema: Schema
  /** The field manager. */
  readonly manager: string
  /** "" for the resource itself, else "status", "scale" … */
  readonly subresource: string
  /** Epoch ms. */
  readonly now: number
}

/** Identity and bookkeeping that nobody owns. */
const UNOWNED: readonly (readonly string[])[] = [
  ['f:apiVersion'],
  ['f:kind'],
  ...[
    'name',
    'namespace',
    'generateName',
    'creationTimestamp',
    'selfLink',
    'uid',
    'generation',
    'managedFields',
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ].map((field) => ['f:metadata', `f:${field}`]),
]

/** Fewer entries than this of operation Update are kept apart; older ones become one "ancient-changes". */
const UPDATE_MANAGERS_MAX = 10

export function readManagers(entries: readonly V1ManagedFieldsEntry[] | undefined): Manager[] {
  return (entries ?? []).map((entry) => ({
    name: entry.manager ?? '',
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    apiVersion: entry.apiVersion ?? '',
    subresource: entry.subresource ?? '',
    time: entry.time,
    fields: parseFields(entry.fieldsV1),
  }))
}

/** Entries without fields are dropped. Order as Kubernetes': Apply before Update, then by time, then by name. */
export function writeManagers(managers: readonly Manager[]): V1ManagedFieldsEntry[] {
  return capUpdates(managers.filter(({ fields }) => !isEmpty(fields)))
    .sort(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        compareText(a.time ?? '', b.time ?? '') ||
        compareText(a.name, b.name) ||
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

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function capUpdates(managers: readonly Manager[]): Manager[] {
  const updates = managers
    .filter(({ operation }) => operation === 'Update')
    .sort((a, b) => compareText(a.time ?? '', b.time ?? ''))
  if (updates.length <= UPDATE_MANAGERS_MAX) return [...managers]
  const old = updates.slice(0, updates.length - UPDATE_MANAGERS_MAX + 1)
  const ancient: Manager = {
    ...old.at(-1)!,
    name: 'ancient-changes',
    subresource: '',
    fields: old.reduce<Fields>((all, { fields }) => union(all, fields), { elements: new Map() }),
  }
  return [...managers.filter((manager) => !old.includes(manager)), ancient]
}

/** What a writer of this subresource can own: without identity, and status only through /status. */
export function ownable(fields: Fields, subresource: string, hasStatus: boolean): Fields {
  const owned = UNOWNED.reduce(without, fields)
  if (subresource === 'status') return only(owned, 'f:status')
  return hasStatus ? without(owned, ['f:status']) : owned
}

export function sameWriter(manager: Manager, options: WriterOptions, operation: 'Apply' | 'Update'): boolean {
  return (
    manager.name === options.manager &&
    manager.operation === operation &&
    manager.subresource === options.subresource &&
    manager.apiVersion === apiVersionOf(options.kind)
  )
}

/**
 * The object with its managedFields after a create, update or patch: the writer owns what it changed, others lose it.
 * A request that sets managedFields to [] clears them; other values sent by clients are what is kept if they are valid.
 */
export function trackUpdate(
  live: AnyResource | undefined,
  object: AnyResource,
  options: WriterOptions & { readonly hasStatus: boolean },
): AnyResource {
  const sent = object.metadata.managedFields
  const isReset = live !== undefined && sent !== undefined && sent.length === 0
  const before = isReset ? [] : readManagers(live?.metadata.managedFields)
  if (isReset) return withManagers(object, [])
  const comparison = compare(live ?? {}, object, options.schema)
  const changed = ownable(comparison.changed, options.subresource, options.hasStatus)
  const removed = comparison.removed
  if (isEmpty(changed) && isEmpty(removed)) return withEntries(object, live?.metadata.managedFields)
  const mine = before.find((manager) => sameWriter(manager, options, 'Update'))
  const others = before
    .filter((manager) => manager !== mine)
    .map((manager) => ({ ...manager, fields: difference(difference(manager.fields, changed), removed) }))
  const fields = difference(union(mine?.fields ?? { elements: new Map() }, changed), removed)
  const isSame = mine !== undefined && equalFields(mine.fields, fields)
  const entry: Manager = {
    name: options.manager,
    operation: 'Update',
    apiVersion: apiVersionOf(options.kind),
    subresource: options.subresource,
    time: isSame ? mine.time : formatTime(options.now),
    fields,
  }
  return withManagers(object, [...others, entry])
}

export function withManagers(object: AnyResource, managers: readonly Manager[]): AnyResource {
  const entries = writeManagers(managers)
  return withEntries(object, entries.length > 0 ? entries : undefined)
}

function withEntries(object: AnyResource, entries: readonly V1ManagedFieldsEntry[] | undefined): AnyResource {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata: entries ? { ...metadata, managedFields: entries } : metadata }
}
