import type { Column } from './kind.ts'
import type { Resource } from './resource.ts'

/** Printer columns of text, which most are. `wide` ones are shown with -o wide only. */
export function textColumn<R extends Resource>(
  name: string,
  description: string,
  value: Column<R>['value'],
): Column<R> {
  return { name, type: 'string', description, value }
}

export function wideColumn<R extends Resource>(
  name: string,
  description: string,
  value: Column<R>['value'],
): Column<R> {
  return { ...textColumn(name, description, value), priority: 1 }
}

/** kubectl's word for a field that nobody set. */
export const UNSET = '<unset>'
