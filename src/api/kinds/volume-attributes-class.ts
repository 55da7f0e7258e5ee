import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { named } from '../field-rules.ts'
import type { V1VolumeAttributesClass } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Subdomain } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type VolumeAttributesClass = Stored<V1VolumeAttributesClass>

export const volumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  scope: 'Cluster',
  shortNames: ['vac'],
  schema: 'V1VolumeAttributesClass',
  applyWave: WAVE.classes,
  validate: ({ driverName, parameters = {} }) => [
    ...named(driverName, dns1123Subdomain, 'driverName'),
    ...(Object.keys(parameters).length === 0 ? [fault.required('parameters')] : []),
    ...('' in parameters ? [fault.invalid('parameters', '', 'field can not be empty.')] : []),
  ],
  validateUpdate: (resource, old) => [
    ...(resource.driverName === old.driverName
      ? []
      : [fault.forbidden('driverName', 'updates to driverName are forbidden.')]),
    ...(deepEqual(resource.parameters, old.parameters)
      ? []
      : [fault.forbidden('parameters', 'updates to parameters are forbidden.')]),
  ],
  columns: [
    nameColumn,
    textColumn('DriverName', 'Name of the CSI driver', ({ driverName }) => driverName),
    ageColumn,
  ],
  example: {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttributesClass',
    metadata: { name: 'gold' },
    driverName: 'csi.example.com',
    parameters: { iops: '4000' },
  },
})
