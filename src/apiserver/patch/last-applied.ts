import type { AnyResource } from '../../api/resource.ts'
import type { Schema } from '../../api/schema.ts'
import { isObject } from '../../base/json.ts'
import { compare, fieldsOf } from './field-sets.ts'
import { difference, type Fields, isEmpty, parseFields, union } from './fields.ts'

/**
 * The way from client-side to server-side `kubectl apply` and back: the annotation in which client-side apply keeps its
 * last configuration says what kubectl may take over, and is kept up to date so that client-side apply still works.
 */
const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'
/** Kubernetes' limit on all annotations of an object; a longer configuration is not noted. */
const ANNOTATION_BYTES_MAX = 256 * 1024

/** Whether client-side apply set all these fields, and they still have the values it gave them. */
export function isLastApplied(live: AnyResource, fields: Fields, schema: Schema): boolean {
  const config = parse(live.metadata.annotations?.[ANNOTATION])
  if (!config) return false
  try {
    const { changed, removed } = compare(config, live, schema)
    const same = difference(difference(fieldsOf(config, schema), changed), removed)
    return isEmpty(difference(fields, union(same, ANNOTATION_FIELD)))
  } catch {
    return false
  }
}

const ANNOTATION_FIELD = parseFields({ 'f:metadata': { 'f:annotations': { [`f:${ANNOTATION}`]: {} } } })

function parse(text: string | undefined): unknown {
  try {
    const config: unknown = JSON.parse(text ?? '')
    return isObject(config) ? config : undefined
  } catch {
    return undefined
  }
}

/** Notes the configuration on an object that client-side apply has written before; others are left alone. */
export function withLastApplied(object: AnyResource, config: AnyResource): AnyResource {
  const annotations = object.metadata.annotations
  if (!annotations?.[ANNOTATION]) return object
  const { [ANNOTATION]: _, ...others } = config.metadata.annotations ?? {}
  const noted = { ...config, metadata: { ...config.metadata, annotations: others } }
  const text = `${JSON.stringify(noted)}\n`
  const { [ANNOTATION]: _old, ...kept } = annotations
  const fits = text.length <= ANNOTATION_BYTES_MAX
  return {
    ...object,
    metadata: { ...object.metadata, annotations: fits ? { ...kept, [ANNOTATION]: text } : kept },
  }
}
