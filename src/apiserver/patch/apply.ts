import { type AnyResource, apiVersionOf } from '../../api/resource.ts'
import { ApiError, badRequest, type StatusCause } from '../../api/status.ts'
import { formatTime } from '../../base/date.ts'
import { compare, fieldsOf } from './field-sets.ts'
import {
  difference,
  equalFields,
  type Fields,
  intersection,
  isEmpty,
  memberPaths,
  NO_FIELDS,
  union,
} from './fields.ts'
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
 * Server-side apply: the live object with the configuration merged in, and who owns what afterwards. Fields the applier
 * owned before and does not mention any more go, unless somebody else owns them too. Throws Conflict with a
 * FieldManagerConflict cause for each field that another manager owns with another value, BadRequest for a
 * configuration that sets managedFields or repeats an item.
 */
export function applyPatch(patch: ApplyPatch): AnyResource {
  const { live, config, schema } = patch
  if (config.metadata.managedFields?.length) throw badRequest('metadata.managedFields must be nil')
  const managers = managersOf(live, patch)
  const mine = managers.find((manager) => sameWriter(manager, patch, 'Apply'))
  const others = managers.filter((manager) => manager !== mine)
  const wanted = ownable(fieldsOf(config, schema), patch.subresource, patch.hasStatus)
  const merged = mergeApplied(live, config, schema) as AnyResource
  const comparison = compare(live ?? {}, merged, schema)
  const conflicts = others
    .map((manager) => ({
      manager,
      fields: intersection(manager.fields, intersection(comparison.changed, wanted)),
    }))
    .filter(({ fields }) => !isEmpty(fields))
  if (conflicts.length > 0 && !patch.force) throw conflictError(conflicts)
  const losing = new Map(conflicts.map(({ manager, fields }) => [manager, fields]))
  const left = others.map((manager) => ({
    ...manager,
    fields: difference(manager.fields, losing.get(manager) ?? NO_FIELDS),
  }))
  const owned = left.reduce<Fields>((all, { fields }) => union(all, fields), wanted)
  const gone = difference(mine?.fields ?? NO_FIELDS, owned)
  const pruned = removeFields(merged, gone, owned, schema) as AnyResource
  const vanished = compare(merged, pruned, schema).removed
  const ownsTheSame = mine !== undefined && equalFields(mine.fields, wanted)
  const entry: Manager = {
    name: patch.manager,
    operation: 'Apply',
    apiVersion: apiVersionOf(patch.kind),
    subresource: patch.subresource,
    time: ownsTheSame ? mine.time : formatTime(patch.now),
    fields: wanted,
  }
  const isUntouched = pruned === live && ownsTheSame && conflicts.length === 0
  if (isUntouched) return live as AnyResource
  return withManagers(pruned, [
    ...left.map((manager) => ({ ...manager, fields: difference(manager.fields, vanished) })),
    entry,
  ])
}

/** An object that was written before anybody tracked fields belongs to "before-first-apply". */
function managersOf(live: AnyResource | undefined, options: ApplyPatch): Manager[] {
  if (!live) return []
  const managers = readManagers(live.metadata.managedFields)
  if (managers.length > 0) return managers
  return [
    {
      name: 'before-first-apply',
      operation: 'Update',
      apiVersion: apiVersionOf(options.kind),
      subresource: '',
      time: live.metadata.creationTimestamp,
      fields: ownable(fieldsOf(live, options.schema), '', options.hasStatus),
    },
  ]
}

function conflictError(
  conflicts: readonly { readonly manager: Manager; readonly fields: Fields }[],
): ApiError {
  const causes: StatusCause[] = []
  const lines: string[] = []
  for (const { manager, fields } of conflicts) {
    const who = `conflict with ${writerText(manager)}`
    const paths = memberPaths(fields).sort()
    for (const field of paths) causes.push({ reason: 'FieldManagerConflict', message: who, field })
    lines.push(`conflicts with ${writerText(manager)}:\n${paths.map((path) => `- ${path}`).join('\n')}`)
  }
  const text =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${causes[0]?.message}: ${causes[0]?.field}`
      : `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`
  return new ApiError('Conflict', text, { causes })
}

function writerText({ name, operation, apiVersion, subresource, time }: Manager): string {
  const where = subresource === '' ? '' : ` with subresource "${subresource}"`
  const when = operation === 'Update' && time !== undefined ? ` at ${time}` : ''
  return `"${name}"${where} using ${apiVersion}${when}`
}
