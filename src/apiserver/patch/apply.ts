import { type AnyResource, apiVersionOf } from '../../api/resource.ts'
import { ApiError, badRequest } from '../../api/status.ts'
import { formatTime } from '../../base/date.ts'
import { applyConflict, type FieldConflict } from './apply-conflict.ts'
import { compare, fieldsOf } from './field-sets.ts'
import { difference, equalFields, type Fields, intersection, isEmpty, NO_FIELDS, union } from './fields.ts'
import { isLastApplied, withLastApplied } from './last-applied.ts'
import {
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
  const conflicts = conflictsOf(others, changed)
  if (conflicts.length > 0 && !mayTake(conflicts, patch)) throw applyConflict(conflicts)
  const kept = others.reduce<Fields>((all, { fields }) => union(all, difference(fields, changed)), wanted)
  const pruned =
    mine && !ownsTheSame ? (removeFields(merged, mine.fields, kept, schema) as AnyResource) : merged
  const vanished = compare(merged, pruned, schema).removed
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
    fields: difference(difference(manager.fields, changed), vanished),
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

function conflictsOf(others: readonly Manager[], changed: Fields): FieldConflict[] {
  if (isEmpty(changed)) return []
  return others
    .map((manager) => ({ manager, fields: intersection(manager.fields, changed) }))
    .filter(({ fields }) => !isEmpty(fields))
}

/** kubectl may take over what client-side apply wrote, as long as nobody has changed it since. */
function mayTake(conflicts: readonly FieldConflict[], { force, manager, live, schema }: ApplyPatch): boolean {
  if (force) return true
  if (manager !== 'kubectl' || !live) return false
  const fields = conflicts.reduce<Fields>((all, conflict) => union(all, conflict.fields), NO_FIELDS)
  return isLastApplied(live, fields, schema)
}
