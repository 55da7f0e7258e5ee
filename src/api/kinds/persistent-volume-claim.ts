import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn, UNSET, wideColumn } from '../columns.ts'
import { follows } from '../field-rules.ts'
import type { V1PersistentVolumeClaim, V1PersistentVolumeClaimSpec } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Subdomain } from '../names.ts'
import { compareQuantities } from '../quantity.ts'
import type { Stored } from '../resource.ts'
import { validateLabelSelector } from '../selectors.ts'
import { fault, type StatusCause } from '../status.ts'
import { accessModesText, storageClassOf, validateAccessModes, validateVolumeMode } from '../volume-access.ts'
import { WAVE } from '../waves.ts'

export type PersistentVolumeClaim = Stored<V1PersistentVolumeClaim>

export const persistentVolumeClaim = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  scope: 'Namespaced',
  shortNames: ['pvc'],
  schema: 'V1PersistentVolumeClaim',
  hasGeneration: false,
  applyWave: WAVE.storage,
  subresources: { status: true },
  setDefaults: (resource) => ({
    ...resource,
    spec: { ...resource.spec, volumeMode: resource.spec.volumeMode ?? 'Filesystem' },
  }),
  prepareForCreate: (resource) => ({
    ...resource,
    spec: withBothSources(resource.spec),
    status: { phase: 'Pending' },
  }),
  validate: ({ spec }) => validateClaimSpec(spec, 'spec'),
  validateUpdate,
  columns: [
    nameColumn,
    textColumn(
      'Status',
      'phase represents the current phase of PersistentVolumeClaim.',
      ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
    ),
    textColumn(
      'Volume',
      'volumeName is the binding reference to the PersistentVolume backing this claim.',
      ({ spec }) => spec.volumeName ?? '',
    ),
    textColumn(
      'Capacity',
      'capacity represents the actual resources of the underlying volume.',
      ({ spec, status }) => (spec.volumeName ? (status?.capacity?.['storage'] ?? '0') : ''),
    ),
    textColumn(
      'Access Modes',
      'accessModes contains the actual access modes the volume backing the PVC has.',
      ({ spec, status }) => (spec.volumeName ? accessModesText(status?.accessModes) : ''),
    ),
    textColumn('StorageClass', 'StorageClass of the pvc', (resource) => storageClassOf(resource) ?? ''),
    textColumn(
      'VolumeAttributesClass',
      'VolumeAttributesClass of the pvc',
      ({ spec }) => spec.volumeAttributesClassName ?? UNSET,
    ),
    ageColumn,
    wideColumn(
      'VolumeMode',
      'volumeMode defines what type of volume is required by the claim. Value of Filesystem is implied when not included in claim spec.',
      ({ spec }) => spec.volumeMode ?? UNSET,
    ),
  ],
  health({ status }) {
    if (status?.phase === 'Bound') return { status: 'Healthy' }
    return status?.phase === 'Lost'
      ? { status: 'Degraded', message: 'The volume of the claim is lost' }
      : { status: 'Progressing', message: 'Waiting for a volume' }
  },
  example: {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  },
})

/** The rules of a claim's spec, also of those that a StatefulSet or a pod makes claims from. */
export function validateClaimSpec(spec: V1PersistentVolumeClaimSpec, path: string): StatusCause[] {
  const storage = spec.resources?.requests?.['storage']
  return [
    ...validateAccessModes(spec.accessModes, `${path}.accessModes`, 'at least 1 access mode is required'),
    ...(storage === undefined
      ? [fault.required(`${path}.resources[storage]`)]
      : compareQuantities(storage, '0') <= 0
        ? [fault.invalid(`${path}.resources[storage]`, storage, 'must be greater than zero')]
        : []),
    ...validateLabelSelector(spec.selector, `${path}.selector`),
    ...follows(spec.storageClassName, dns1123Subdomain, `${path}.storageClassName`),
    ...validateVolumeMode(spec.volumeMode, `${path}.volumeMode`),
    ...validateDataSource(spec, path),
    ...follows(spec.volumeAttributesClassName, dns1123Subdomain, `${path}.volumeAttributesClassName`),
  ]
}

function validateDataSource(
  { dataSource, dataSourceRef }: V1PersistentVolumeClaimSpec,
  path: string,
): StatusCause[] {
  const wrong: StatusCause[] = []
  for (const [source, at] of [
    [dataSource, `${path}.dataSource`],
    [dataSourceRef, `${path}.dataSourceRef`],
  ] as const) {
    if (!source) continue
    if (!source.name) wrong.push(fault.required(`${at}.name`))
    if (!source.kind) wrong.push(fault.required(`${at}.kind`))
    if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim')
      wrong.push(
        fault.invalid(
          at,
          source.kind,
          "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
        ),
      )
  }
  const isTwofold =
    dataSource &&
    dataSourceRef &&
    !dataSourceRef.namespace &&
    (dataSource.name !== dataSourceRef.name ||
      dataSource.kind !== dataSourceRef.kind ||
      (dataSource.apiGroup ?? '') !== (dataSourceRef.apiGroup ?? ''))
  if (isTwofold) wrong.push(fault.invalid(path, dataSource.name, 'must match dataSourceRef'))
  return wrong
}

/** What is said in the old field is said in the new one, and the other way round. */
function withBothSources(spec: V1PersistentVolumeClaimSpec): V1PersistentVolumeClaimSpec {
  const { dataSource, dataSourceRef } = spec
  if (dataSource && !dataSourceRef) return { ...spec, dataSourceRef: dataSource }
  if (!dataSourceRef || dataSource || dataSourceRef.namespace) return spec
  const isOfOld =
    (!dataSourceRef.apiGroup && dataSourceRef.kind === 'PersistentVolumeClaim') ||
    (dataSourceRef.apiGroup === 'snapshot.storage.k8s.io' && dataSourceRef.kind === 'VolumeSnapshot')
  if (!isOfOld) return spec
  const { namespace: _, ...same } = dataSourceRef
  return { ...spec, dataSource: same }
}

/** A claim may grow, be bound, be given the default class, and change its attributes class. */
function validateUpdate({ spec, status }: PersistentVolumeClaim, old: PersistentVolumeClaim): StatusCause[] {
  const wrong: StatusCause[] = []
  const isBound = old.status?.phase === 'Bound'
  const fixed = (one: V1PersistentVolumeClaimSpec) => {
    const { resources, volumeName, storageClassName, volumeAttributesClassName, ...rest } = one
    const { requests: _, ...others } = resources ?? {}
    return {
      ...rest,
      others,
      ...(isBound ? {} : { storage: resources?.requests }),
      ...(old.spec.volumeName ? { volumeName } : {}),
      ...(old.spec.storageClassName === undefined ? {} : { storageClassName }),
    }
  }
  if (!deepEqual(fixed(spec), fixed(old.spec)))
    wrong.push(
      fault.forbidden(
        'spec',
        'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
      ),
    )
  const asked = spec.resources?.requests?.['storage']
  const before = old.spec.resources?.requests?.['storage']
  const given = status?.capacity?.['storage']
  if (isBound && asked && before && compareQuantities(asked, before) < 0) {
    // A claim that asked for more than it can get may ask for less, though not for less than it has.
    if (given === undefined || compareQuantities(asked, given) <= 0)
      wrong.push(
        fault.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'),
      )
  }
  if (old.spec.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    wrong.push(
      fault.forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'),
    )
  return wrong
}
