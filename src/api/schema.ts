import { definitions } from './generated/definitions.ts'

/**
 * A structural schema: the shape of one field and how writers share it. Built-in kinds take theirs from the
 * generated definitions; Seamark's own kinds write them by hand. `ref` names a definition.
 *
 *   ports: { type: 'array', listType: 'map', listMapKeys: ['port', 'protocol'], patchMergeKey: 'port', items: { ref: 'V1ServicePort' } }
 */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  /** int32, int64, double, byte, date-time, date-time-micro, quantity, int-or-string (the last has no type). */
  readonly format?: string
  readonly ref?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: Schema
  /** How server-side apply merges a list; absent means atomic unless there is a patchMergeKey. */
  readonly listType?: 'atomic' | 'set' | 'map'
  readonly listMapKeys?: readonly string[]
  /** `atomic` maps and structs have one owner; absent means granular. */
  readonly mapType?: 'atomic' | 'granular'
  /** Strategic merge patch: "merge", "replace" or "merge,retainKeys". */
  readonly patchStrategy?: string
  readonly patchMergeKey?: string
  /** Anything is accepted below here (x-kubernetes-preserve-unknown-fields). */
  readonly preserveUnknown?: boolean
  readonly enum?: readonly (string | number)[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minItems?: number
  readonly default?: unknown
  readonly description?: string
  /** Go package of a generated definition, e.g. io.k8s.api.core.v1; names it in OpenAPI. */
  readonly package?: string
}

/** The definition a schema stands for: follows `ref`, keeping the merge facts of the place that refers. */
export function resolve(schema: Schema): Schema {
  if (schema.ref === undefined) return schema
  const definition = definitions[schema.ref] as Schema | undefined
  if (!definition) throw new Error(`Unknown definition "${schema.ref}"`)
  return definition
}

/** The keys that make an item of this list the same item, in server-side apply and strategic merge. */
export function listKeys(schema: Schema): readonly string[] | undefined {
  if (schema.listType === 'map') return schema.listMapKeys
  if (schema.listType === undefined && schema.patchMergeKey !== undefined) return [schema.patchMergeKey]
  return undefined
}
