import { nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { named } from '../field-rules.ts'
import type { V1LimitRange, V1LimitRangeItem } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { qualifiedName } from '../names.ts'
import { compareQuantities, readQuantity } from '../quantity.ts'
import type { Stored } from '../resource.ts'
import type { ResourceList } from '../resource-requests.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type LimitRange = Stored<V1LimitRange>

export const limitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  scope: 'Namespaced',
  shortNames: ['limits'],
  schema: 'V1LimitRange',
  hasGeneration: false,
  applyWave: WAVE.policy,
  setDefaults: ({ spec, ...resource }) => ({
    ...resource,
    spec: spec.limits ? { ...spec, limits: spec.limits.map(defaultItem) } : spec,
  }),
  validate: ({ spec: { limits = [] } }) =>
    limits.flatMap((item, i) => [
      ...(limits.findIndex(({ type }) => type === item.type) < i
        ? [fault.duplicate(`spec.limits[${i}].type`, item.type)]
        : []),
      ...validateItem(item, `spec.limits[${i}]`),
    ]),
  columns: [
    nameColumn,
    textColumn(
      'Created At',
      'CreationTimestamp is a timestamp representing the server time when this object was created.',
      ({ metadata }) => metadata.creationTimestamp ?? '<unknown>',
    ),
  ],
  example: {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'limits', namespace: 'default' },
    spec: {
      limits: [
        {
          type: 'Container',
          max: { cpu: '2' },
          default: { memory: '256Mi' },
          defaultRequest: { cpu: '100m' },
        },
      ],
    },
  },
})

/** What is not said about containers follows from what is: a limit from the maximum, a request from limit or minimum. */
function defaultItem(item: V1LimitRangeItem): V1LimitRangeItem {
  if (item.type !== 'Container') return item
  const limits = { ...item.max, ...item.default }
  const requests = { ...item.min, ...limits, ...item.defaultRequest }
  return {
    ...item,
    ...(Object.keys(limits).length > 0 ? { default: limits } : {}),
    ...(Object.keys(requests).length > 0 ? { defaultRequest: requests } : {}),
  }
}

const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function validateItem(item: V1LimitRangeItem, path: string): StatusCause[] {
  const wrong: StatusCause[] = [
    ...named(item.type, qualifiedName, `${path}.type`),
    ...LISTS.flatMap((list) =>
      Object.keys(item[list] ?? {}).flatMap((name) => named(name, qualifiedName, `${path}.${list}[${name}]`)),
    ),
  ]
  if (item.type === 'Pod') {
    for (const list of ['default', 'defaultRequest'] as const)
      if (Object.keys(item[list] ?? {}).length > 0)
        wrong.push(fault.forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'"))
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.['storage'] && !item.max?.['storage'])
    wrong.push(
      fault.required(path, 'either minimum or maximum storage value is required, but neither was provided'),
    )
  const names = new Set(LISTS.flatMap((list) => Object.keys(item[list] ?? {})))
  return [...wrong, ...[...names].sort().flatMap((name) => validateAmounts(item, name, path))]
}

/** Each pair of amounts of one resource that must be in order, and what is said when they are not. */
function validateAmounts(item: V1LimitRangeItem, name: string, path: string): StatusCause[] {
  const of = (list: ResourceList | undefined) => list?.[name]
  const { min, max, limit, request } = {
    min: of(item.min),
    max: of(item.max),
    limit: of(item.default),
    request: of(item.defaultRequest),
  }
  const at = (list: string) => `${path}.${list}[${name}]`
  const isMore = (a: string | undefined, b: string | undefined) =>
    a !== undefined && b !== undefined && compareQuantities(a, b) > 0
  const wrong: StatusCause[] = []
  const say = (list: string, value: unknown, why: string) => wrong.push(fault.invalid(at(list), value, why))
  if (isMore(min, max)) say('min', min, `min value ${min} is greater than max value ${max}`)
  if (isMore(min, request))
    say('defaultRequest', request, `min value ${min} is greater than default request value ${request}`)
  if (isMore(request, max))
    say('defaultRequest', request, `default request value ${request} is greater than max value ${max}`)
  if (isMore(request, limit))
    say(
      'defaultRequest',
      request,
      `default request value ${request} is greater than default limit value ${limit}`,
    )
  if (isMore(min, limit)) say('default', min, `min value ${min} is greater than default value ${limit}`)
  if (isMore(limit, max)) say('default', max, `default value ${limit} is greater than max value ${max}`)
  const ratio = of(item.maxLimitRequestRatio)
  if (ratio === undefined) return wrong
  const list = 'maxLimitRequestRatio'
  if (compareQuantities(ratio, '1') < 0) say(list, ratio, `ratio ${ratio} is less than 1`)
  if (min !== undefined && max !== undefined && nanos(min) > 0n) {
    const most = Number(nanos(max)) / Number(nanos(min))
    if (Number(nanos(ratio)) / 1e9 > most)
      say(list, ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`)
  }
  return wrong
}

function nanos(quantity: string): bigint {
  return readQuantity(quantity)?.nano ?? 0n
}
