import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { notNegative, oneOf } from '../field-rules.ts'
import type {
  V1LimitedPriorityLevelConfiguration,
  V1PriorityLevelConfiguration,
  V1PriorityLevelConfigurationSpec,
  V1QueuingConfiguration,
} from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type PriorityLevelConfiguration = Stored<V1PriorityLevelConfiguration>

const QUEUES_MAX = 10_000_000
const NONE = '<none>'

export const priorityLevelConfiguration = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  scope: 'Cluster',
  schema: 'V1PriorityLevelConfiguration',
  applyWave: WAVE.policy,
  subresources: { status: true },
  setDefaults: ({ spec, ...resource }) => ({ ...resource, spec: withDefaults(spec) }),
  prepareForCreate: (resource) => ({ ...resource, status: {} }),
  validate({ metadata, spec: { type, limited, exempt } }) {
    const wrong: StatusCause[] = []
    if (type !== 'Exempt' && type !== 'Limited')
      return [fault.notSupported('spec.type', type, ['Exempt', 'Limited'])]
    if ((metadata.name === 'exempt') !== (type === 'Exempt'))
      wrong.push(fault.invalid('spec.type', type, "type must be 'Exempt' if and only if `name` is 'exempt'"))
    if (type === 'Exempt') {
      if (limited) wrong.push(fault.forbidden('spec.limited', 'must be nil if the type is not Limited'))
      wrong.push(...validateShares(exempt ?? {}, 'spec.exempt'))
    } else if (limited) wrong.push(...validateLimited(limited))
    else wrong.push(fault.required('spec.limited', 'must not be empty when type is Limited'))
    if (type === 'Limited' && exempt)
      wrong.push(fault.forbidden('spec.exempt', 'must be nil if the type is Limited'))
    return wrong
  },
  columns: [
    nameColumn,
    textColumn(
      'Type',
      'type indicates whether this priority level is subject to limitation on request execution.',
      ({ spec }) => spec.type,
    ),
    textColumn(
      'NominalConcurrencyShares',
      'nominalConcurrencyShares contributes to the computation of the nominal concurrency limit of this level.',
      ({ spec }) => (spec.limited ?? spec.exempt)?.nominalConcurrencyShares ?? NONE,
    ),
    textColumn(
      'Queues',
      'queues is the number of queues for this priority level.',
      (resource) => queuing(resource)?.queues ?? NONE,
    ),
    textColumn(
      'HandSize',
      'handSize configures the shuffle sharding of requests into queues.',
      (resource) => queuing(resource)?.handSize ?? NONE,
    ),
    textColumn(
      'QueueLengthLimit',
      'queueLengthLimit is the maximum number of requests allowed to be waiting in a given queue at a time.',
      (resource) => queuing(resource)?.queueLengthLimit ?? NONE,
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'builds' },
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 20, limitResponse: { type: 'Reject' } } },
  },
})

function queuing({ spec }: PriorityLevelConfiguration): V1QueuingConfiguration | undefined {
  return spec.limited?.limitResponse?.queuing
}

function withDefaults(spec: V1PriorityLevelConfigurationSpec): V1PriorityLevelConfigurationSpec {
  if (spec.type === 'Exempt') {
    const { nominalConcurrencyShares = 0, lendablePercent = 0 } = spec.exempt ?? {}
    return { ...spec, exempt: { nominalConcurrencyShares, lendablePercent } }
  }
  const { limited } = spec
  if (!limited) return spec
  const response = limited.limitResponse ?? { type: '' }
  return {
    ...spec,
    limited: {
      ...limited,
      nominalConcurrencyShares: limited.nominalConcurrencyShares ?? 30,
      lendablePercent: limited.lendablePercent ?? 0,
      limitResponse: response.queuing
        ? {
            ...response,
            queuing: {
              queues: response.queuing.queues || 64,
              handSize: response.queuing.handSize || 8,
              queueLengthLimit: response.queuing.queueLengthLimit || 50,
            },
          }
        : response,
    },
  }
}

function validateShares(
  {
    nominalConcurrencyShares: shares,
    lendablePercent: percent,
  }: Pick<V1LimitedPriorityLevelConfiguration, 'nominalConcurrencyShares' | 'lendablePercent'>,
  path: string,
): StatusCause[] {
  return [
    ...(shares !== undefined && shares < 0
      ? [fault.invalid(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer')]
      : []),
    ...(percent !== undefined && (percent < 0 || percent > 100)
      ? [fault.invalid(`${path}.lendablePercent`, percent, 'must be between 0 and 100, inclusive')]
      : []),
  ]
}

function validateLimited(limited: V1LimitedPriorityLevelConfiguration): StatusCause[] {
  const wrong = validateShares(limited, 'spec.limited')
  wrong.push(...notNegative(limited.borrowingLimitPercent, 'spec.limited.borrowingLimitPercent'))
  const { type = '', queuing: queue } = limited.limitResponse ?? {}
  const path = 'spec.limited.limitResponse'
  if (type !== 'Queue' && type !== 'Reject')
    return [...wrong, ...oneOf(type, ['Queue', 'Reject'], `${path}.type`)]
  if (type === 'Reject') {
    if (queue)
      wrong.push(
        fault.forbidden(`${path}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'),
      )
    return wrong
  }
  if (!queue)
    return [...wrong, fault.required(`${path}.queuing`, 'must not be empty if limitResponse.type is Limited')]
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queue
  for (const [field, value] of Object.entries({ queueLengthLimit, handSize, queues }))
    if (value <= 0) wrong.push(fault.invalid(`${path}.queuing.${field}`, value, 'must be positive'))
  if (queues > QUEUES_MAX)
    wrong.push(fault.invalid(`${path}.queuing.queues`, queues, 'must not be greater than 10000000'))
  if (handSize > queues)
    wrong.push(
      fault.invalid(`${path}.queuing.handSize`, handSize, `should not be greater than queues (${queues})`),
    )
  return wrong
}
