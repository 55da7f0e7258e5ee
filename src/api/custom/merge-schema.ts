import type { Schema } from '../schema.ts'
import type { JsonSchema } from './json-schema.ts'

/** The structural schema of a custom resource as server-side apply and the other generic code see schemas. */
export function mergeSchema(root: JsonSchema): Schema {
  const { properties = {}, ...rest } = convert(root)
  return {
    ...rest,
    type: 'object',
    preserveUnknown: true,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      ...properties,
      metadata: { ref: 'V1ObjectMeta' },
    },
  }
}

const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean'] as const

function convert(schema: JsonSchema): Schema {
  const { properties, items, additionalProperties, listType, listMapKeys, mapType, preserveUnknown } = schema
  const type = TYPES.find((each) => each === schema.type)
  return {
    ...(type && !schema.intOrString ? { type } : {}),
    ...(schema.intOrString ? { format: 'int-or-string' } : {}),
    ...(properties ? { properties: mapValues(properties, convert) } : {}),
    ...(items ? { items: convert(items) } : {}),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: convert(additionalProperties) }
      : {}),
    ...(listType === 'atomic' || listType === 'set' || listType === 'map' ? { listType } : {}),
    ...(listMapKeys ? { listMapKeys } : {}),
    ...(mapType === 'atomic' || mapType === 'granular' ? { mapType } : {}),
    ...(preserveUnknown ? { preserveUnknown } : {}),
    ...(schema.default === undefined ? {} : { default: schema.default }),
    ...(schema.description ? { description: schema.description } : {}),
  }
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
