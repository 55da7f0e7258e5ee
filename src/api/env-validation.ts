import { validateDataKeys } from './data-keys.ts'
import { follows, named, oneOf } from './field-rules.ts'
import type { V1Container, V1EnvFromSource, V1EnvVar } from './generated/types.ts'
import { dns1123Subdomain, qualifiedName } from './names.ts'
import { compareQuantities } from './quantity.ts'
import { fault, type StatusCause } from './status.ts'

/** The environment of a container (core/validation.go ValidateEnv, ValidateEnvFrom). */
const ENV_NAME = /^[ -<>-~]+$/
const ENV_MESSAGE =
  "a valid environment variable name must consist only of printable ASCII characters other than '='"
const FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]

export function validateEnv({ env = [], envFrom = [] }: V1Container, path: string): StatusCause[] {
  return [
    ...env.flatMap((entry, i) => validateEnvVar(entry, `${path}.env[${i}]`)),
    ...envFrom.flatMap((source, i) => validateEnvFrom(source, `${path}.envFrom[${i}]`)),
  ]
}

function envName(name: string): string | undefined {
  return ENV_NAME.test(name) ? undefined : ENV_MESSAGE
}

function validateEnvVar({ name, value, valueFrom }: V1EnvVar, path: string): StatusCause[] {
  const wrong = named(name, envName, `${path}.name`)
  if (!valueFrom) return wrong
  const at = `${path}.valueFrom`
  const { fieldRef, resourceFieldRef } = valueFrom
  if (fieldRef) wrong.push(...validateFieldPath(fieldRef.fieldPath, `${at}.fieldRef`))
  if (resourceFieldRef) wrong.push(...validateResourceField(resourceFieldRef, `${at}.resourceFieldRef`))
  for (const source of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const ref = valueFrom[source]
    if (!ref) continue
    wrong.push(...named(ref.name, dns1123Subdomain, `${at}.${source}.name`))
    wrong.push(...validateKey(ref.key, `${at}.${source}.key`))
  }
  const sources = Object.values(valueFrom).filter((source) => source !== undefined)
  if (sources.length === 0) {
    const choices = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    wrong.push(fault.invalid(at, '', `must specify one of: ${choices}`))
  } else if (value) wrong.push(fault.invalid(at, '', 'may not be specified when `value` is not empty'))
  else if (sources.length > 1)
    wrong.push(fault.invalid(at, '', 'may not have more than one field specified at a time'))
  return wrong
}

/** A key of a ConfigMap or Secret. */
function validateKey(key: string, path: string): StatusCause[] {
  if (!key) return [fault.required(path)]
  return validateDataKeys({ [key]: '' }, path).map((cause) => ({ ...cause, field: path }))
}

function validateFieldPath(fieldPath: string, path: string): StatusCause[] {
  if (!fieldPath) return [fault.required(`${path}.fieldPath`)]
  const subscripted = /^(.+)\['(.*)'\]$/.exec(fieldPath)
  if (!subscripted) return oneOf(fieldPath, FIELDS, `${path}.fieldPath`)
  const [, field = '', key = ''] = subscripted
  if (field === 'metadata.annotations') return keyFaults(key.toLowerCase(), path)
  if (field === 'metadata.labels') return keyFaults(key, path)
  return [fault.invalid(path, field, 'does not support subscript')]
}

function keyFaults(key: string, path: string): StatusCause[] {
  const why = qualifiedName(key)
  return why === undefined ? [] : [fault.invalid(path, key, why)]
}

interface ResourceField {
  readonly resource: string
  readonly divisor?: string | undefined
}

function validateResourceField({ resource, divisor }: ResourceField, path: string): StatusCause[] {
  if (!resource) return [fault.required(`${path}.resource`)]
  const wrong = /^(limits|requests)\.hugepages-/.test(resource)
    ? []
    : oneOf(resource, RESOURCES, `${path}.resource`)
  const isCpu = resource.endsWith('.cpu')
  if (
    isCpu &&
    divisor !== undefined &&
    !['0', '1', '1m'].some((one) => compareQuantities(divisor, one) === 0)
  ) {
    wrong.push(
      fault.invalid(
        `${path}.divisor`,
        resource,
        "only divisor's values 1m and 1 are supported with the cpu resource",
      ),
    )
  }
  return wrong
}

function validateEnvFrom({ prefix, configMapRef, secretRef }: V1EnvFromSource, path: string): StatusCause[] {
  const wrong = follows(prefix, envName, `${path}.prefix`)
  if (configMapRef) wrong.push(...named(configMapRef.name, dns1123Subdomain, `${path}.configMapRef.name`))
  if (secretRef) wrong.push(...named(secretRef.name, dns1123Subdomain, `${path}.secretRef.name`))
  if (!configMapRef && !secretRef)
    wrong.push(fault.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
  if (configMapRef && secretRef)
    wrong.push(fault.invalid(path, '', 'may not have more than one field specified at a time'))
  return wrong
}
