import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn, UNSET } from '../columns.ts'
import { oneOf } from '../field-rules.ts'
import type { V1StorageClass } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { qualifiedName } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type StorageClass = Stored<V1StorageClass>

const DEFAULT_ANNOTATIONS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]
const PARAMETERS_MAX = 512
const PARAMETERS_BYTES_MAX = 256 * 1024

export function isDefaultClass({ metadata }: StorageClass): boolean {
  return DEFAULT_ANNOTATIONS.some((name) => metadata.annotations?.[name] === 'true')
}

export const storageClass = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  scope: 'Cluster',
  shortNames: ['sc'],
  schema: 'V1StorageClass',
  applyWave: WAVE.classes,
  setDefaults: (resource) => ({
    ...resource,
    reclaimPolicy: resource.reclaimPolicy ?? 'Delete',
    volumeBindingMode: resource.volumeBindingMode ?? 'Immediate',
  }),
  validate: ({ provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies = [] }) => [
    ...validateProvisioner(provisioner),
    ...validateParameters(parameters),
    ...oneOf(reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy'),
    ...oneOf(volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode'),
    ...allowedTopologies.flatMap(({ matchLabelExpressions = [] }, i) =>
      matchLabelExpressions.flatMap(({ key, values }, j) => {
        const at = `allowedTopologies[${i}].matchLabelExpressions[${j}]`
        const why = qualifiedName(key)
        return [
          ...(values.length === 0 ? [fault.required(`${at}.values`)] : []),
          ...values.flatMap((value, k) =>
            values.indexOf(value) < k ? [fault.duplicate(`${at}.values[${k}]`, value)] : [],
          ),
          ...(why ? [fault.invalid(`${at}.key`, key, why)] : []),
        ]
      }),
    ),
  ],
  validateUpdate: (resource, old) => [
    ...(['parameters', 'provisioner', 'reclaimPolicy'] as const).flatMap((field) =>
      deepEqual(resource[field] ?? {}, old[field] ?? {})
        ? []
        : [fault.forbidden(field, `updates to ${field} are forbidden.`)],
    ),
    ...(resource.volumeBindingMode === old.volumeBindingMode
      ? []
      : [fault.invalid('volumeBindingMode', resource.volumeBindingMode, 'field is immutable')]),
  ],
  columns: [
    {
      ...nameColumn,
      value: (resource) => resource.metadata.name + (isDefaultClass(resource) ? ' (default)' : ''),
    },
    textColumn(
      'Provisioner',
      'provisioner indicates the type of the provisioner.',
      ({ provisioner }) => provisioner,
    ),
    textColumn(
      'ReclaimPolicy',
      'reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of this storage class.',
      ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete',
    ),
    textColumn(
      'VolumeBindingMode',
      'volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.',
      ({ volumeBindingMode }) => volumeBindingMode ?? UNSET,
    ),
    textColumn(
      'AllowVolumeExpansion',
      'allowVolumeExpansion shows whether the storage class allow volume expand.',
      ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fast' },
    provisioner: 'csi.example.com',
    volumeBindingMode: 'WaitForFirstConsumer',
  },
})

function validateProvisioner(provisioner: string): StatusCause[] {
  if (provisioner === '') return [fault.required('provisioner')]
  const why = qualifiedName(provisioner.toLowerCase())
  return why ? [fault.invalid('provisioner', provisioner, why)] : []
}

function validateParameters(parameters: Readonly<Record<string, string>> = {}): StatusCause[] {
  const pairs = Object.entries(parameters)
  if (pairs.length > PARAMETERS_MAX) return [fault.tooLong('parameters', PARAMETERS_MAX)]
  const bytes = pairs.reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  )
  return [
    ...('' in parameters ? [fault.invalid('parameters', '', 'field can not be empty.')] : []),
    ...(bytes > PARAMETERS_BYTES_MAX ? [fault.tooLong('parameters', PARAMETERS_BYTES_MAX)] : []),
  ]
}
