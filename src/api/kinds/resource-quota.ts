import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import type { V1ResourceQuota, V1ScopedResourceSelectorRequirement } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { qualifiedName } from '../names.ts'
import { compareQuantities, readQuantity } from '../quantity.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ResourceQuota = Stored<V1ResourceQuota>

/** Resources without a slash that a quota may bound; those that are counted have whole numbers. */
const AMOUNTS = [
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
]
const COUNTED = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
]
const STANDARD = new Set([...AMOUNTS, ...COUNTED])
const SCOPES = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
]
const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

export const resourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  scope: 'Namespaced',
  shortNames: ['quota'],
  schema: 'V1ResourceQuota',
  hasGeneration: false,
  applyWave: WAVE.policy,
  subresources: { status: true },
  prepareForCreate: (resource) => ({ ...resource, status: {} }),
  validate: ({ spec }) => [
    ...Object.entries(spec.hard ?? {}).flatMap(([name, value]) => validateHard(name, value)),
    ...validateScopes(spec.scopes ?? []),
    ...(spec.scopeSelector?.matchExpressions ?? []).flatMap((one, i) =>
      validateRequirement(one, `spec.scopeSelector.matchExpressions[${i}]`),
    ),
  ],
  validateUpdate: ({ spec }, { spec: old }) =>
    deepEqual([...(spec.scopes ?? [])].sort(), [...(old.scopes ?? [])].sort())
      ? []
      : [fault.invalid('spec.scopes', spec.scopes ?? [], 'field is immutable')],
  columns: [
    nameColumn,
    textColumn(
      'Request',
      'Request represents a minimum amount of cpu/memory that a container may consume.',
      (resource) => usageText(resource, (name) => !name.startsWith('limits')),
    ),
    textColumn(
      'Limit',
      'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
      (resource) => usageText(resource, (name) => name.startsWith('limits')),
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'team', namespace: 'default' },
    spec: { hard: { pods: '10', 'requests.cpu': '4', 'limits.memory': '8Gi', 'count/jobs.batch': '5' } },
  },
})

function usageText({ status }: ResourceQuota, isShown: (name: string) => boolean): string {
  return Object.entries(status?.hard ?? {})
    .filter(([name]) => isShown(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? '0'}/${hard}`)
    .join(', ')
}

function validateHard(name: string, value: string): StatusCause[] {
  const path = `spec.hard[${name}]`
  const why = qualifiedName(name)
  const wrong: StatusCause[] = why ? [fault.invalid(path, name, why)] : []
  if (!name.includes('/') && !STANDARD.has(name) && !/^(requests\.)?hugepages-/.test(name))
    wrong.push(fault.invalid(path, name, 'must be a standard resource for quota'))
  if (compareQuantities(value, '0') < 0)
    wrong.push(fault.invalid(path, value, 'must be greater than or equal to 0'))
  else if ((COUNTED.includes(name) || name.startsWith('count/')) && !isWhole(value))
    wrong.push(fault.invalid(path, value, 'must be an integer'))
  return wrong
}

function isWhole(value: string): boolean {
  return (readQuantity(value)?.nano ?? 0n) % 1_000_000_000n === 0n
}

function validateScopes(scopes: readonly string[]): StatusCause[] {
  const wrong: StatusCause[] = []
  for (const scope of scopes)
    if (!SCOPES.includes(scope)) wrong.push(fault.invalid('spec.scopes', scopes, 'unsupported scope'))
  for (const [one, other] of OPPOSITES)
    if (scopes.includes(one) && scopes.includes(other))
      wrong.push(fault.invalid('spec.scopes', scopes, 'conflicting scopes'))
  return wrong
}

function validateRequirement(
  { scopeName, operator, values = [] }: V1ScopedResourceSelectorRequirement,
  path: string,
): StatusCause[] {
  const wrong: StatusCause[] = []
  if (!SCOPES.includes(scopeName))
    wrong.push(fault.invalid(`${path}.scopeName`, scopeName, 'unsupported scope'))
  const isPlain =
    OPPOSITES.flat().includes(scopeName as 'BestEffort') || scopeName === 'CrossNamespacePodAffinity'
  if (isPlain && operator !== 'Exists')
    wrong.push(
      fault.invalid(
        `${path}.operator`,
        operator,
        "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      ),
    )
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      wrong.push(
        fault.required(
          `${path}.values`,
          "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        ),
      )
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      wrong.push(
        fault.invalid(
          `${path}.values`,
          values,
          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
        ),
      )
  } else wrong.push(fault.invalid(`${path}.operator`, operator, 'not a valid selector operator'))
  return wrong
}
