import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { atMost, defaultDeviceClaim, validateDeviceClaim } from '../device-claims.ts'
import { named } from '../field-rules.ts'
import type { ResourceV1ResourceClaim } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ResourceClaim = Stored<ResourceV1ResourceClaim>

const RESERVED_MAX = 256

export const resourceClaim = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  scope: 'Namespaced',
  schema: 'ResourceV1ResourceClaim',
  hasGeneration: false,
  applyWave: WAVE.storage,
  subresources: { status: true },
  setDefaults: ({ spec, ...resource }) => ({
    ...resource,
    spec: spec.devices ? { ...spec, devices: defaultDeviceClaim(spec.devices) } : spec,
  }),
  validate: ({ spec, status }) => [
    ...validateDeviceClaim(spec.devices ?? {}, 'spec.devices'),
    ...validateReservations(status),
  ],
  validateUpdate({ metadata, spec, status }, old) {
    const wrong: StatusCause[] = []
    if (!deepEqual(spec, old.spec)) wrong.push(fault.invalid('spec', spec, 'field is immutable'))
    const before = old.status?.allocation
    if (before && status?.allocation && !deepEqual(before, status.allocation))
      wrong.push(fault.invalid('status.allocation', status.allocation, 'field is immutable'))
    // Nobody may begin to use what is going away.
    const known = new Set(old.status?.reservedFor?.map(({ uid }) => uid))
    if (metadata.deletionTimestamp && status?.reservedFor?.some(({ uid }) => !known.has(uid)))
      wrong.push(
        fault.forbidden(
          'status.reservedFor',
          'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
        ),
      )
    return wrong
  },
  columns: [
    nameColumn,
    textColumn('State', 'A summary of the current state (allocated, pending, reserved, etc.).', stateText),
    ageColumn,
  ],
  example: {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name: 'gpu', namespace: 'default' },
    spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] } },
  },
})

function validateReservations(status: ResourceClaim['status']): StatusCause[] {
  const { allocation, reservedFor = [] } = status ?? {}
  const path = 'status.reservedFor'
  return [
    ...(reservedFor.length > 0 && !allocation
      ? [fault.forbidden(path, 'may not be specified when `allocated` is not set')]
      : []),
    ...atMost(reservedFor, RESERVED_MAX, path),
    ...reservedFor.flatMap(({ resource, name, uid }, i) => [
      ...named(resource, () => undefined, `${path}[${i}].resource`),
      ...named(name, () => undefined, `${path}[${i}].name`),
      ...named(uid, () => undefined, `${path}[${i}].uid`),
      ...(reservedFor.findIndex((other) => other.uid === uid) < i
        ? [fault.duplicate(`${path}[${i}].uid`, uid)]
        : []),
    ]),
  ]
}

function stateText({ metadata, status }: ResourceClaim): string {
  const isGoing = metadata.deletionTimestamp !== undefined
  return [
    ...(isGoing ? ['deleted'] : []),
    ...(status?.allocation ? ['allocated'] : isGoing ? [] : ['pending']),
    ...(status?.allocation && status.reservedFor?.length ? ['reserved'] : []),
  ].join(',')
}
