import type { AnyResource } from '../resource.ts'
import type { StatusCause } from '../status.ts'
import type { JsonSchema } from './json-schema.ts'

/** x-kubernetes-validations of every level of the schema. */
export function checkRules(
  _resource: AnyResource,
  _old: AnyResource | undefined,
  _schema: JsonSchema,
  _faults: readonly StatusCause[],
): StatusCause[] {
  return []
}
