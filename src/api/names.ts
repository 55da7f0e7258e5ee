import type { ObjectMeta } from './resource.ts'
import { fault, type StatusCause } from './status.ts'

/**
 * The rules for names, labels and annotations, with Kubernetes' limits and words (apimachinery/util/validation). Each
 * rule returns what is wrong, or undefined.
 */
export type NameRule = 'dns1123-subdomain' | 'dns1123-label' | 'dns1035-label' | 'path-segment'

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const DNS_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/

const LABEL_MESSAGE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const DNS_1035_MESSAGE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
const QUALIFIED_MESSAGE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const LABEL_VALUE_MESSAGE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

const tooLong = (max: number) => `must be no more than ${max} bytes`

function check(text: string, max: number, pattern: RegExp, message: string): string | undefined {
  if (Buffer.byteLength(text) > max) return tooLong(max)
  return pattern.test(text) ? undefined : message
}

export const dns1123Label = (text: string) => check(text, 63, LABEL, LABEL_MESSAGE)
export const dns1123Subdomain = (text: string) => check(text, 253, SUBDOMAIN, SUBDOMAIN_MESSAGE)
export const dns1035Label = (text: string) => check(text, 63, DNS_1035, DNS_1035_MESSAGE)
export const labelValue = (text: string) => check(text, 63, LABEL_VALUE, LABEL_VALUE_MESSAGE)

export function pathSegment(text: string): string | undefined {
  if (text === '.' || text === '..') return `may not be '${text}'`
  for (const bad of ['/', '%']) if (text.includes(bad)) return `may not contain '${bad}'`
  return undefined
}

/** A label key or resource name: [prefix/]name. */
export function qualifiedName(text: string): string | undefined {
  const parts = text.split('/')
  if (parts.length > 2)
    return `a qualified name ${QUALIFIED_MESSAGE.replace('name part ', '')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`
  const [name = '', prefix] = parts.toReversed()
  if (prefix !== undefined) {
    if (prefix === '') return 'prefix part must be non-empty'
    const wrong = dns1123Subdomain(prefix)
    if (wrong) return `prefix part ${wrong}`
  }
  if (name === '') return 'name part must be non-empty'
  if (name.length > 63) return `name part ${tooLong(63)}`
  return QUALIFIED.test(name) ? undefined : QUALIFIED_MESSAGE
}

const RULES: Readonly<Record<NameRule, (text: string) => string | undefined>> = {
  'dns1123-subdomain': dns1123Subdomain,
  'dns1123-label': dns1123Label,
  'dns1035-label': dns1035Label,
  'path-segment': pathSegment,
}

/** A generated name: the prefix, cut so that five letters fit into 63, and the suffix. */
export function generatedName(prefix: string, suffix: string): string {
  return prefix.slice(0, 63 - suffix.length) + suffix
}

const ANNOTATIONS_BYTES_MAX = 256 * 1024

export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: string,
): StatusCause[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => {
    const wrongKey = qualifiedName(key)
    const wrongValue = labelValue(value)
    return [
      ...(wrongKey ? [fault.invalid(path, key, wrongKey)] : []),
      ...(wrongValue ? [fault.invalid(path, value, wrongValue)] : []),
    ]
  })
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): StatusCause[] {
  let bytes = 0
  const wrong: StatusCause[] = []
  for (const [key, value] of Object.entries(annotations ?? {})) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
    const wrongKey = qualifiedName(key.toLowerCase())
    if (wrongKey) wrong.push(fault.invalid(path, key, wrongKey))
  }
  return bytes > ANNOTATIONS_BYTES_MAX ? [...wrong, fault.tooLong(path, ANNOTATIONS_BYTES_MAX)] : wrong
}

/** metadata of an object that is about to be stored; names are given by now. */
export function validateMetadata(
  meta: ObjectMeta,
  options: { readonly namespaced: boolean; readonly nameRule: NameRule },
): StatusCause[] {
  const wrong: StatusCause[] = []
  if (!meta.name) wrong.push(fault.required('metadata.name', 'name or generateName is required'))
  else {
    const why = RULES[options.nameRule](meta.name)
    if (why) wrong.push(fault.invalid('metadata.name', meta.name, why))
  }
  if (options.namespaced) {
    if (!meta.namespace) wrong.push(fault.required('metadata.namespace'))
    else {
      const why = dns1123Label(meta.namespace)
      if (why) wrong.push(fault.invalid('metadata.namespace', meta.namespace, why))
    }
  } else if (meta.namespace) wrong.push(fault.forbidden('metadata.namespace', 'not allowed on this type'))
  wrong.push(
    ...validateLabels(meta.labels, 'metadata.labels'),
    ...validateAnnotations(meta.annotations, 'metadata.annotations'),
  )
  wrong.push(...validateOwners(meta), ...validateFinalizers(meta))
  return wrong
}

/** What may not change in metadata and is not simply kept by the server. */
export function validateMetadataUpdate(meta: ObjectMeta, old: ObjectMeta): StatusCause[] {
  if (old.deletionTimestamp === undefined) return []
  const added = (meta.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer)).sort()
  if (added.length === 0) return []
  const shown = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`
  return [
    fault.forbidden(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`,
    ),
  ]
}

function validateOwners({ ownerReferences = [] }: ObjectMeta): StatusCause[] {
  const wrong = ownerReferences.flatMap((owner, i) => {
    const path = `metadata.ownerReferences[${i}]`
    const missing = (['apiVersion', 'kind', 'name', 'uid'] as const).filter((field) => !owner[field])
    return missing.map((field) =>
      fault.invalid(
        `${path}.${field}`,
        '',
        field === 'apiVersion' ? 'version must not be empty' : 'must not be empty',
      ),
    )
  })
  const controllers = ownerReferences.filter(({ controller }) => controller === true)
  if (controllers.length > 1) {
    const [first, second] = controllers
    const message = `Only one reference can have Controller set to true. Found "true" in references for ${first?.kind}/${first?.name} and ${second?.kind}/${second?.name}`
    wrong.push(fault.invalid('metadata.ownerReferences', ownerReferences, message))
  }
  return wrong
}

function validateFinalizers({ finalizers = [] }: ObjectMeta): StatusCause[] {
  const wrong = finalizers.flatMap((finalizer) => {
    const why = qualifiedName(finalizer)
    return why ? [fault.invalid('metadata.finalizers', finalizer, why)] : []
  })
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    wrong.push(
      fault.invalid(
        'metadata.finalizers',
        finalizers,
        'finalizer orphan and finalizer foregroundDeletion cannot both be set',
      ),
    )
  }
  return wrong
}
