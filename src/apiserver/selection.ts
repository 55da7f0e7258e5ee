import type { AnyKind } from '../api/kind.ts'
import type { AnyResource } from '../api/resource.ts'
import { compileRequirements, EVERYTHING, parseFieldSelector, parseLabelSelector } from '../api/selectors.ts'
import { badRequest } from '../api/status.ts'

export type Selection = (resource: AnyResource) => boolean

/** Label and field selector as one predicate, compiled once per request. Undefined when everything is selected. */
export function selectionOf(
  kind: AnyKind,
  labelSelector: string | undefined,
  fieldSelector: string | undefined,
): Selection | undefined {
  const byLabels = compileRequirements(parseLabelSelector(labelSelector))
  const fields = parseFieldSelector(fieldSelector).map(({ field, operator, value }) => {
    const read = readerOf(kind, field)
    return (resource: AnyResource) => (read(resource) === value) === (operator === '=')
  })
  if (byLabels === EVERYTHING && fields.length === 0) return undefined
  return (resource) =>
    byLabels(resource.metadata.labels ?? {}) && fields.every((matches) => matches(resource))
}

function readerOf(kind: AnyKind, field: string): (resource: AnyResource) => string {
  if (field === 'metadata.name') return ({ metadata }) => metadata.name
  if (field === 'metadata.namespace' && kind.scope === 'Namespaced')
    return ({ metadata }) => metadata.namespace ?? ''
  const read = Object.hasOwn(kind.fieldSelectors, field) ? kind.fieldSelectors[field] : undefined
  if (!read) throw badRequest(`field label not supported: ${field}`)
  return read as unknown as (resource: AnyResource) => string
}

/** "metadata.name=x" selects one object: it is read by its key instead of walking over all. */
export function singleName(fieldSelector: string | undefined): string | undefined {
  const only = parseFieldSelector(fieldSelector).filter(
    ({ field, operator }) => field === 'metadata.name' && operator === '=',
  )
  return only.length === 1 ? only[0]?.value : undefined
}
