import { ApiError, type StatusCause } from '../../api/status.ts'
import { type Fields, memberPaths } from './fields.ts'
import type { Manager } from './managed-fields.ts'

/** Fields that an apply would change and this manager owns. */
export interface FieldConflict {
  readonly manager: Manager
  readonly fields: Fields
}

/** 409 in the words kubectl users know, with a cause for each field. */
export function applyConflict(conflicts: readonly FieldConflict[]): ApiError {
  const causes: StatusCause[] = []
  const lines: string[] = []
  const sorted = [...conflicts].sort((a, b) => (a.manager.name < b.manager.name ? -1 : 1))
  for (const { manager, fields } of sorted) {
    const who = writerText(manager)
    lines.push(`conflicts with ${who}:`)
    for (const field of memberPaths(fields)) {
      causes.push({ reason: 'FieldManagerConflict', message: `conflict with ${who}`, field })
      lines.push(`- ${field}`)
    }
  }
  const text =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${causes[0]?.message}: ${causes[0]?.field}`
      : `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`
  return new ApiError('Conflict', text, { causes })
}

/** An applier is known by its name, an updater by the API version it used as well. */
function writerText({ name, operation, apiVersion, subresource }: Manager): string {
  const where = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`
  return `${JSON.stringify(name)}${where}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
}
