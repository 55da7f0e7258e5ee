import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { named, oneOf } from '../field-rules.ts'
import type { FlowcontrolV1Subject, V1FlowSchema, V1PolicyRulesWithSubjects } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Subdomain } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type FlowSchema = Stored<V1FlowSchema>

const PRECEDENCE = 1000
const PRECEDENCE_MAX = 10_000
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

export const flowSchema = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  scope: 'Cluster',
  schema: 'V1FlowSchema',
  applyWave: WAVE.policy,
  subresources: { status: true },
  setDefaults: ({ spec, ...resource }) => ({
    ...resource,
    spec: { ...spec, matchingPrecedence: spec.matchingPrecedence || PRECEDENCE },
  }),
  prepareForCreate: (resource) => ({ ...resource, status: {} }),
  validate({ metadata, spec }) {
    const {
      matchingPrecedence = PRECEDENCE,
      distinguisherMethod,
      priorityLevelConfiguration,
      rules = [],
    } = spec
    const wrong: StatusCause[] = []
    const at = 'spec.matchingPrecedence'
    if (matchingPrecedence < 1) wrong.push(fault.invalid(at, matchingPrecedence, 'must be a positive value'))
    if (matchingPrecedence > PRECEDENCE_MAX)
      wrong.push(fault.invalid(at, matchingPrecedence, `must not be greater than ${PRECEDENCE_MAX}`))
    if (matchingPrecedence === 1 && metadata.name !== 'exempt')
      wrong.push(
        fault.invalid(at, matchingPrecedence, "only the schema named 'exempt' may have matchingPrecedence 1"),
      )
    if (distinguisherMethod)
      wrong.push(...oneOf(distinguisherMethod.type, ['ByNamespace', 'ByUser'], 'spec.distinguisherMethod'))
    return [
      ...wrong,
      ...named(priorityLevelConfiguration.name, dns1123Subdomain, 'spec.priorityLevelConfiguration.name'),
      ...rules.flatMap((rule, i) => validateRule(rule, `spec.rules[${i}]`)),
    ]
  },
  columns: [
    nameColumn,
    textColumn(
      'PriorityLevel',
      'priorityLevelConfiguration should reference a PriorityLevelConfiguration in the cluster.',
      ({ spec }) => spec.priorityLevelConfiguration.name,
    ),
    textColumn(
      'MatchingPrecedence',
      'matchingPrecedence is used to choose among the FlowSchemas that match a given request.',
      ({ spec }) => spec.matchingPrecedence ?? PRECEDENCE,
    ),
    textColumn(
      'DistinguisherMethod',
      'distinguisherMethod defines how to compute the flow distinguisher for requests that match this schema.',
      ({ spec }) => spec.distinguisherMethod?.type ?? '<none>',
    ),
    ageColumn,
    textColumn(
      'MissingPL',
      'references a broken or non-existent PriorityLevelConfiguration',
      ({ status }) => status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
    ),
  ],
  example: {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name: 'builds' },
    spec: {
      priorityLevelConfiguration: { name: 'workload-low' },
      matchingPrecedence: 8000,
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'Group', group: { name: 'builders' } }],
          resourceRules: [
            { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] },
          ],
        },
      ],
    },
  },
})

function validateRule(rule: V1PolicyRulesWithSubjects, path: string): StatusCause[] {
  const { subjects, resourceRules = [], nonResourceRules = [] } = rule
  const wrong: StatusCause[] = []
  if (subjects.length === 0)
    wrong.push(fault.required(`${path}.subjects`, 'subjects must contain at least one value'))
  for (const [i, subject] of subjects.entries())
    wrong.push(...validateSubject(subject, `${path}.subjects[${i}]`))
  if (resourceRules.length === 0 && nonResourceRules.length === 0)
    wrong.push(fault.required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  for (const [i, each] of resourceRules.entries()) {
    const at = `${path}.resourceRules[${i}]`
    wrong.push(...validateVerbs(each.verbs, `${at}.verbs`))
    wrong.push(...alone(each.apiGroups, `${at}.apiGroups`), ...alone(each.resources, `${at}.resources`))
    if (!each.clusterScope && !each.namespaces?.length)
      wrong.push(
        fault.required(
          `${at}.namespaces`,
          'resource rules that are not cluster scoped must supply at least one namespace',
        ),
      )
  }
  for (const [i, each] of nonResourceRules.entries()) {
    const at = `${path}.nonResourceRules[${i}]`
    wrong.push(...validateVerbs(each.verbs, `${at}.verbs`))
    wrong.push(...alone(each.nonResourceURLs, `${at}.nonResourceURLs`))
  }
  return wrong
}

function validateVerbs(verbs: readonly string[], path: string): StatusCause[] {
  const wrong = alone(verbs, path)
  return wrong.length > 0 || verbs.includes('*')
    ? wrong
    : verbs.flatMap((verb) => oneOf(verb, [...VERBS, '*'], path))
}

/** At least one, and "*" only alone. */
function alone(values: readonly string[], path: string): StatusCause[] {
  const name = path.slice(path.lastIndexOf('.') + 1)
  if (values.length === 0) return [fault.required(path, `${name} must contain at least one value`)]
  return values.length > 1 && values.includes('*')
    ? [fault.invalid(path, values, `if '*' is present, must not specify other ${name}`)]
    : []
}

function validateSubject(subject: FlowcontrolV1Subject, path: string): StatusCause[] {
  switch (subject.kind) {
    case 'User':
      return subject.user
        ? named(subject.user.name, () => undefined, `${path}.user.name`)
        : [fault.required(`${path}.user`, "user is required when subject kind is 'User'")]
    case 'Group':
      return subject.group
        ? named(subject.group.name, () => undefined, `${path}.group.name`)
        : [fault.required(`${path}.group`, "group is required when subject kind is 'Group'")]
    case 'ServiceAccount':
      return subject.serviceAccount
        ? [
            ...named(subject.serviceAccount.name, () => undefined, `${path}.serviceAccount.name`),
            ...named(subject.serviceAccount.namespace, () => undefined, `${path}.serviceAccount.namespace`),
          ]
        : [
            fault.required(
              `${path}.serviceAccount`,
              "serviceAccount is required when subject kind is 'ServiceAccount'",
            ),
          ]
    default:
      return oneOf(subject.kind, ['Group', 'ServiceAccount', 'User'], `${path}.kind`)
  }
}
