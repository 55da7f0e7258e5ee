import type { Schema } from './schema.ts'

/** A kind of seamark.dev: an object with a spec, and maybe a status. */
export function ownSchema(description: string, properties: Readonly<Record<string, Schema>>): Schema {
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { ref: 'V1ObjectMeta' },
      ...properties,
    },
  }
}
