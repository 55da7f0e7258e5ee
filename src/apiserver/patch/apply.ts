import { type AnyResource, apiVersionOf } from '../../api/resource.ts'
import { ApiError, badRequest } from '../../api/status.ts'
import { formatTime } from '../../base/date.ts'
import { applyConflict, type FieldConflict } from './apply-conflict.ts'
import { compare, fieldsOf } from './field-sets.ts'
import { difference, equalFields, type Fields, intersection, isEmpty, NO_FIELDS, union } from './fields.ts'
import { isLastApplied, withLastApplied } from './last-applied.ts'
import {
  inVersionOf,
  type Manager,
  ownable,
  readManagers,
  sameWriter,
  type WriterOptions,
  withManagers,
} from './managed-fields.ts'
import { mergeApplied, removeFields } from './merge-applied.ts'

export interface ApplyPatch extends WriterOptions {
  /** Undefined: the object is created. */
  readonly live: AnyResource | undefined
  readonly config: AnyResource
  /** Takes conflicting fields over instead of failing. */
  readonly force: boolean
  readonly hasStatus: boolean
}

/**
 * Server-side apply: the live object with the configuration merged in, and who owns what afterwards; the live object
 * itself when nothing changes. Fields the applier owned before and does not mention any more go, unless somebody else
 * owns them too. Throws Conflict with a FieldManagerConflict cause for each field that another manager owns with another
 * value, BadRequest for a configuration that sets managedFields, repeats an item or leaves out an item's key.
 */
export function applyPatch(patch: ApplyPatch): AnyResource {
  const { live, schema } = patch
  if (patch.config.metadata.managedFields) throw badRequest('metadata.managedFields must be nil')
  const config = applicable(patch)
  const wanted = ownable(wantedFields(patch, config), patch.subresource, patch.hasStatus)
  const managers = managersOf(patch)
  const mine = managers.find((manager) => sameWriter(manager, patch, 'Apply'))
  const others = managers.filter((manager) => manager !== mine)
  const merged = mergeApplied(live, config, schema) as AnyResource
  const ownsTheSame = mine !== undefined && equalFields(mine.fields, wanted)
  if (merged === live && ownsTheSame && mine.apiVersion === apiVersionOf(patch.kind)) return live
  const { changed } = compare(live ?? {}, merged, schema)
  const changedFor = inVersionOf(patch, changed, (version) =>
    live ? compare(version.of(live), version.of(merged), version.schema).changed : NO_FIELDS,
  )
  const conflicts = conflictsOf(others, changedFor)
  if (conflicts.length > 0 && !mayTake(conflicts, patch)) throw applyConflict(conflicts)
  const kept = (apiVersion: string, own: Fields) =>
    others
      .filter((manager) => manager.apiVersion === apiVersion)
      .reduce<Fields>((all, manager) => union(all, difference(manager.fields, changedFor(manager))), own)
  const pruned = mine && !ownsTheSame ? pruneFor(patch, mine, merged, config, wanted, kept) : merged
  const vanishedFor = inVersionOf(
    patch,
    compare(merged, pruned, schema).removed,
    (version) => compare(version.of(merged), version.of(pruned), version.schema).removed,
  )
  const entry: Manager = {
    name: patch.manager,
    operation: 'Apply',
    apiVersion: apiVersionOf(patch.kind),
    subresource: patch.subresource,
    time: formatTime(patch.now),
    fields: wanted,
  }
  const left = others.map((manager) => ({
    ...manager,
    fields: difference(difference(manager.fields, changedFor(manager)), vanishedFor(manager)),
  }))
  const object = withManagers(pruned, [...left, entry])
  return patch.manager === 'kubectl' ? withLastApplied(object, config) : object
}

/** Of the metadata that the server sets, a configuration has no say; nor over what its subresource does not write. */
function applicable({ live, config, subresource, hasStatus }: ApplyPatch): AnyResource {
  const {
    managedFields: _fields,
    creationTimestamp: _created,
    generation: _generation,
    selfLink: _link,
    ...metadata
  } = config.metadata
  const { status, ...rest } = config
  if (live && subresource === 'status') {
    const { apiVersion, kind } = config
    return { apiVersion, kind, metadata: { name: metadata.name }, ...(status ? { status } : {}) }
  }
  return hasStatus || status === undefined ? { ...rest, metadata } : { ...config, metadata }
}

function wantedFields({ schema, kind }: ApplyPatch, config: AnyResource): Fields {
  try {
    return fieldsOf(config, schema)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const { namespace, name } = config.metadata
    const what = `${namespace ?? ''}/${name}; ${apiVersionOf(kind)}, Kind=${config.kind}`
    throw badRequest(`failed to create typed patch object (${what}): ${error.message}`)
  }
}

/** An object that was written while nobody tracked fields belongs to "before-first-apply". */
function managersOf({ live, kind, schema, hasStatus, now }: ApplyPatch): Manager[] {
  if (!live) return []
  const managers = readManagers(live.metadata.managedFields)
  if (managers.length > 0) return managers
  return [
    {
      name: 'before-first-apply',
      operation: 'Update',
      apiVersion: apiVersionOf(kind),
      subresource: '',
      time: formatTime(now),
      fields: ownable(compare({}, live, schema).changed, '', hasStatus),
    },
  ]
}

/**
 * What the applier owned and does not mention any more goes, in the version it was applied in; when that is another one,
 * the configuration is merged in again, for what it says in the words of the new version.
 */
function pruneFor(
  { kind, schema, versionOf }: ApplyPatch,
  { apiVersion, fields }: Manager,
  merged: AnyResource,
  config: AnyResource,
  wanted: Fields,
  kept: (apiVersion: string, own: Fields) => Fields,
): AnyResource {
  const own = apiVersionOf(kind)
  const version = apiVersion === own ? undefined : versionOf?.(apiVersion)
  if (!version) return removeFields(merged, fields, kept(own, wanted), schema) as AnyResource
  const there = removeFields(version.of(merged), fields, kept(apiVersion, NO_FIELDS), version.schema)
  return mergeApplied(version.back(there as AnyResource), config, schema) as AnyResource
}

function conflictsOf(others: readonly Manager[], changedFor: (manager: Manager) => Fields): FieldConflict[] {
  return others
    .map((manager) => ({ manager, fields: intersection(manager.fields, changedFor(manager)) }))
    .filter(({ fields }) => !isEmpty(fields))
}

/** kubectl may take over what client-side apply wrote, as long as nobody has changed it since. */
function mayTake(conflicts: readonly FieldConflict[], { force, manager, live, schema }: ApplyPatch): boolean {
  if (force) return true
  if (manager !== 'kubectl' || !live) return false
  const fields = conflicts.reduce<Fields>((all, conflict) => union(all, conflict.fields), NO_FIELDS)
  return isLastApplied(live, fields, schema)
}
