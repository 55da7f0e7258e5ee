import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { named } from '../field-rules.ts'
import type { V1IPAddress } from '../generated/types.ts'
import { canonicalIp } from '../ip-networks.ts'
import { defineKind } from '../kind.ts'
import { dns1123Subdomain, pathSegment } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type IPAddress = Stored<V1IPAddress>

export const ipAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  scope: 'Cluster',
  shortNames: ['ip'],
  schema: 'V1IPAddress',
  hasGeneration: false,
  nameRule: 'path-segment',
  applyWave: WAVE.records,
  fieldSelectors: {
    'spec.parentRef.group': ({ spec }) => spec.parentRef.group ?? '',
    'spec.parentRef.resource': ({ spec }) => spec.parentRef.resource,
  },
  validate({ metadata, spec: { parentRef } }) {
    const why = canonicalIp(metadata.name)
    return [
      ...(why ? [fault.invalid('metadata.name', metadata.name, why)] : []),
      ...(parentRef.group ? named(parentRef.group, dns1123Subdomain, 'spec.parentRef.group') : []),
      ...named(parentRef.resource, pathSegment, 'spec.parentRef.resource'),
      ...named(parentRef.name, pathSegment, 'spec.parentRef.name'),
      ...(parentRef.namespace ? named(parentRef.namespace, pathSegment, 'spec.parentRef.namespace') : []),
    ]
  },
  validateUpdate: ({ spec }, { spec: old }) =>
    deepEqual(spec.parentRef, old.parentRef)
      ? []
      : [fault.invalid('spec.parentRef', spec.parentRef, 'field is immutable')],
  columns: [
    nameColumn,
    textColumn(
      'ParentRef',
      'ParentRef references the resource that an IPAddress is attached to.',
      ({ spec: { parentRef } }) =>
        [
          parentRef.group ? `${parentRef.resource}.${parentRef.group}` : parentRef.resource,
          parentRef.namespace,
          parentRef.name,
        ]
          .filter(Boolean)
          .join('/'),
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: '10.96.12.34' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'web' } },
  },
})
