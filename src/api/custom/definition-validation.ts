import { isConditionTrue } from '../conditions.ts'
import { named, oneOf } from '../field-rules.ts'
import type {
  V1CustomResourceDefinitionNames,
  V1CustomResourceDefinitionVersion,
} from '../generated/types.ts'
import { dns1035Label, dns1123Subdomain } from '../names.ts'
import { fault, type StatusCause } from '../status.ts'
import type { CustomResourceDefinition } from './definition.ts'
import { isPlainPath, parseJsonPath } from './json-path.ts'
import { type JsonSchema, memberOf, readJsonSchema } from './json-schema.ts'
import { checkRuleDeclarations } from './rule-declarations.ts'
import { checkStructural } from './structural.ts'

const APPROVAL = 'api-approved.kubernetes.io'

/** What is wrong with a CustomResourceDefinition, its schemas included. */
export function validateDefinition({ metadata, spec }: CustomResourceDefinition): StatusCause[] {
  const faults: StatusCause[] = []
  const { group, names, scope, versions, conversion } = spec
  if (metadata.name !== `${names.plural}.${group}`)
    faults.push(fault.invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
  if (/(^|\.)k8s\.io$|(^|\.)kubernetes\.io$/.test(group) && !metadata.annotations?.[APPROVAL])
    faults.push(
      fault.required(
        `metadata.annotations[${APPROVAL}]`,
        `protected groups must have approval annotation "${APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111`,
      ),
    )
  faults.push(...named(group, dns1123Subdomain, 'spec.group'))
  if (group && !group.includes('.'))
    faults.push(fault.invalid('spec.group', group, 'should be a domain with at least one dot'))
  if (!scope) faults.push(fault.required('spec.scope'))
  else faults.push(...oneOf(scope, ['Cluster', 'Namespaced'], 'spec.scope'))
  if (spec.preserveUnknownFields)
    faults.push(
      fault.invalid(
        'spec.preserveUnknownFields',
        true,
        'must be false, set x-kubernetes-preserve-unknown-fields in the schema instead',
      ),
    )
  const storage = versions.filter((version) => version.storage)
  if (versions.length === 0)
    faults.push(
      fault.invalid('spec.versions', versions, 'must have exactly one version marked as storage version'),
    )
  else if (storage.length !== 1)
    faults.push(
      fault.invalid(
        'spec.versions',
        versions.map(({ name }) => name),
        'must have exactly one version marked as storage version',
      ),
    )
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    faults.push(
      fault.invalid(
        'spec.versions',
        versions.map(({ name }) => name),
        'must contain unique version names',
      ),
    )
  for (const [i, version] of versions.entries())
    faults.push(...validateVersion(version, `spec.versions[${i}]`))
  faults.push(...validateNames(names, 'spec.names'))
  if (conversion) {
    if (!conversion.strategy) faults.push(fault.required('spec.conversion.strategy'))
    else faults.push(...oneOf(conversion.strategy, ['None', 'Webhook'], 'spec.conversion.strategy'))
    if (conversion.strategy === 'Webhook' && !conversion.webhook?.clientConfig)
      faults.push(
        fault.required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook'),
      )
    if (conversion.strategy === 'None' && conversion.webhook)
      faults.push(
        fault.forbidden('spec.conversion.webhook', 'should not be set when strategy is not set to Webhook'),
      )
  }
  return faults
}

/** What may not change once a definition is established, and which versions must stay. */
export function validateDefinitionUpdate(
  next: CustomResourceDefinition,
  old: CustomResourceDefinition,
): StatusCause[] {
  const faults: StatusCause[] = []
  const immutable = (path: string, value: unknown, before: unknown) => {
    if (value !== before) faults.push(fault.invalid(path, value, 'field is immutable'))
  }
  if (isConditionTrue(old.status?.conditions, 'Established')) {
    immutable('spec.scope', next.spec.scope, old.spec.scope)
    immutable('spec.names.kind', next.spec.names.kind, old.spec.names.kind)
  }
  immutable('spec.group', next.spec.group, old.spec.group)
  immutable('spec.names.plural', next.spec.names.plural, old.spec.names.plural)
  for (const [i, name] of (next.status?.storedVersions ?? []).entries()) {
    if (!next.spec.versions.some((version) => version.name === name))
      faults.push(
        fault.invalid(
          `status.storedVersions[${i}]`,
          name,
          `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
        ),
      )
  }
  return faults
}

function validateNames(names: V1CustomResourceDefinitionNames, path: string): StatusCause[] {
  const faults = [
    ...named(names.plural, dns1035Label, `${path}.plural`),
    ...named(names.singular, dns1035Label, `${path}.singular`),
  ]
  for (const [i, name] of (names.shortNames ?? []).entries())
    faults.push(...named(name, dns1035Label, `${path}.shortNames[${i}]`))
  for (const [i, name] of (names.categories ?? []).entries())
    faults.push(...named(name, dns1035Label, `${path}.categories[${i}]`))
  const mixedCase = (text: string) => {
    const wrong = dns1035Label(text.toLowerCase())
    return wrong && `may have mixed case, but should otherwise match: ${wrong}`
  }
  faults.push(
    ...named(names.kind, mixedCase, `${path}.kind`),
    ...named(names.listKind, mixedCase, `${path}.listKind`),
  )
  if (names.kind && names.kind === names.listKind)
    faults.push(fault.invalid(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'))
  return faults
}

const COLUMN_TYPES = ['integer', 'number', 'string', 'boolean', 'date']
const COLUMN_FORMATS = ['int32', 'int64', 'float', 'double', 'byte', 'date', 'date-time', 'password']
const SELECTABLE_MAX = 8

function validateVersion(version: V1CustomResourceDefinitionVersion, path: string): StatusCause[] {
  const faults: StatusCause[] = [...named(version.name, dns1035Label, `${path}.name`)]
  const at = `${path}.schema.openAPIV3Schema`
  const raw = version.schema?.openAPIV3Schema
  if (raw === undefined) faults.push(fault.required(at, 'schemas are required'))
  if (version.deprecationWarning !== undefined && !version.deprecated)
    faults.push(
      fault.invalid(
        `${path}.deprecationWarning`,
        version.deprecationWarning,
        'can only be set for deprecated versions',
      ),
    )
  const schema = readJsonSchema(raw, (wrong) =>
    faults.push(fault.invalid(`${at}.${wrong}`, null, 'has a value of the wrong type')),
  )
  if (raw !== undefined) {
    const structural = checkStructural(schema, at)
    faults.push(...structural)
    if (structural.length === 0) faults.push(...checkRuleDeclarations(schema, at))
  }
  for (const [i, { name, type, jsonPath, format }] of (version.additionalPrinterColumns ?? []).entries()) {
    const column = `${path}.additionalPrinterColumns[${i}]`
    if (!name) faults.push(fault.required(`${column}.name`))
    if (!type) faults.push(fault.required(`${column}.type`, `must be one of ${COLUMN_TYPES.join(',')}`))
    else if (!COLUMN_TYPES.includes(type))
      faults.push(fault.invalid(`${column}.type`, type, `must be one of ${COLUMN_TYPES.join(',')}`))
    if (format && !COLUMN_FORMATS.includes(format))
      faults.push(fault.invalid(`${column}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`))
    if (!jsonPath) faults.push(fault.required(`${column}.jsonPath`))
    else if (!parseJsonPath(jsonPath))
      faults.push(
        fault.invalid(
          `${column}.jsonPath`,
          jsonPath,
          'illegal JSON path, begin with a dot, e.g. .spec.replicas',
        ),
      )
  }
  faults.push(...validateScale(version, path), ...validateSelectable(version, schema, path))
  return faults
}

function validateScale({ subresources }: V1CustomResourceDefinitionVersion, path: string): StatusCause[] {
  const { scale } = subresources ?? {}
  if (!scale) return []
  const at = `${path}.subresources.scale`
  const under = (
    name: 'specReplicasPath' | 'statusReplicasPath' | 'labelSelectorPath',
    roots: readonly string[],
  ): StatusCause[] => {
    const text = scale[name]
    if (!text) return name === 'labelSelectorPath' ? [] : [fault.required(`${at}.${name}`)]
    const parsed = parseJsonPath(text)
    const fields = roots.map((root) => `.${root}`).join(' or ')
    if (!parsed || !isPlainPath(parsed) || parsed.length < 2)
      return [fault.invalid(`${at}.${name}`, text, `should be a json path under ${fields}`)]
    const [first] = parsed
    return first?.type === 'field' && roots.includes(first.name)
      ? []
      : [fault.invalid(`${at}.${name}`, text, `should be a json path under ${fields}`)]
  }
  return [
    ...under('specReplicasPath', ['spec']),
    ...under('statusReplicasPath', ['status']),
    ...under('labelSelectorPath', ['spec', 'status']),
  ]
}

function validateSelectable(
  { selectableFields = [] }: V1CustomResourceDefinitionVersion,
  schema: JsonSchema,
  path: string,
): StatusCause[] {
  const faults: StatusCause[] = []
  if (selectableFields.length > SELECTABLE_MAX)
    faults.push(fault.tooMany(`${path}.selectableFields`, selectableFields.length, SELECTABLE_MAX))
  const seen = new Set<string>()
  for (const [i, { jsonPath }] of selectableFields.entries()) {
    const at = `${path}.selectableFields[${i}].jsonPath`
    const parsed = jsonPath ? parseJsonPath(jsonPath) : undefined
    const target = parsed?.reduce<JsonSchema | undefined>(
      (node, step) => (node && step.type === 'field' ? memberOf(node, step.name) : undefined),
      schema,
    )
    if (!jsonPath) faults.push(fault.required(at))
    else if (!parsed || !isPlainPath(parsed))
      faults.push(fault.invalid(at, jsonPath, 'must be a simple path of fields, e.g. .spec.color'))
    else if (jsonPath.startsWith('.metadata'))
      faults.push(fault.invalid(at, jsonPath, 'must not point to fields in metadata'))
    else if (!target) faults.push(fault.invalid(at, jsonPath, 'field does not exist in the schema'))
    else if (!['string', 'boolean', 'integer'].includes(target.type ?? ''))
      faults.push(
        fault.invalid(
          at,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      )
    if (seen.has(jsonPath)) faults.push(fault.duplicate(at, jsonPath))
    seen.add(jsonPath)
  }
  return faults
}
