import { parseTime } from '../../base/date.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { humanDuration } from '../duration.ts'
import type { V1CustomResourceColumnDefinition } from '../generated/types.ts'
import type { Column } from '../kind.ts'
import type { AnyResource } from '../resource.ts'
import { parseJsonPath, readJsonPath } from './json-path.ts'

/** The printer columns of a version: those it declares after the name, or the age when it declares none. */
export function customColumns(
  declared: readonly V1CustomResourceColumnDefinition[] = [],
): readonly Column<AnyResource>[] {
  if (declared.length === 0) return [nameColumn, ageColumn]
  return [nameColumn, ...declared.map(column)]
}

const TYPES = ['string', 'integer', 'number', 'boolean', 'date'] as const

function column({
  name,
  type,
  format,
  description,
  priority,
  jsonPath,
}: V1CustomResourceColumnDefinition): Column<AnyResource> {
  const path = parseJsonPath(jsonPath) ?? []
  const known = TYPES.find((each) => each === type) ?? 'string'
  return {
    name,
    type: known,
    ...(format ? { format } : {}),
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    ...(priority ? { priority } : {}),
    value: (resource, now) => cell(known, readJsonPath(resource, path)[0], now),
  }
}

function cell(type: (typeof TYPES)[number], value: unknown, now: number): string | number | boolean | null {
  if (value === undefined) return null
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value)
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date': {
      if (typeof value !== 'string') return null
      const at = parseTime(value)
      return at === undefined ? '<invalid>' : humanDuration(now - at)
    }
  }
}
