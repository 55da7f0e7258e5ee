import { deepEqual } from '../../base/json.ts'
import { validateNodeSelector } from '../affinity-validation.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn, UNSET, wideColumn } from '../columns.ts'
import { follows, named, oneOf } from '../field-rules.ts'
import type { V1PersistentVolume, V1PersistentVolumeSpec } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Subdomain } from '../names.ts'
import { compareQuantities } from '../quantity.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { accessModesText, storageClassOf, validateAccessModes, validateVolumeMode } from '../volume-access.ts'
import { validateDisk } from '../volume-validation.ts'
import { WAVE } from '../waves.ts'

export type PersistentVolume = Stored<V1PersistentVolume>

/** Everything of a spec that is not where the bytes are. */
const NOT_A_SOURCE = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
])

export const persistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  scope: 'Cluster',
  shortNames: ['pv'],
  schema: 'V1PersistentVolume',
  hasGeneration: false,
  applyWave: WAVE.storage,
  subresources: { status: true },
  setDefaults: (resource) => ({ ...resource, spec: withDefaults(resource.spec) }),
  prepareForCreate: (resource) => ({
    ...resource,
    status: { phase: 'Pending', lastPhaseTransitionTime: resource.metadata.creationTimestamp },
  }),
  validate: ({ spec }) => [
    ...validateCapacity(spec.capacity),
    ...validateAccessModes(spec.accessModes, 'spec.accessModes', ''),
    ...validateSource(spec),
    ...oneOf(
      spec.persistentVolumeReclaimPolicy,
      ['Delete', 'Recycle', 'Retain'],
      'spec.persistentVolumeReclaimPolicy',
    ),
    ...(spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle'
      ? [
          fault.forbidden(
            'spec.persistentVolumeReclaimPolicy',
            "may not be 'recycle' for a hostPath mount of '/'",
          ),
        ]
      : []),
    ...follows(spec.storageClassName, dns1123Subdomain, 'spec.storageClassName'),
    ...validateVolumeMode(spec.volumeMode, 'spec.volumeMode'),
    ...validateVolumeNodeAffinity(spec.nodeAffinity),
    ...follows(spec.volumeAttributesClassName, dns1123Subdomain, 'spec.volumeAttributesClassName'),
  ],
  validateUpdate({ spec }, { spec: old }) {
    const wrong: StatusCause[] = []
    if (!deepEqual(sourceOf(spec), sourceOf(old)))
      wrong.push(
        fault.forbidden(
          'spec.persistentvolumesource',
          'spec.persistentvolumesource is immutable after creation',
        ),
      )
    if (spec.volumeMode !== old.volumeMode)
      wrong.push(fault.invalid('volumeMode', spec.volumeMode, 'field is immutable'))
    if (old.nodeAffinity && !deepEqual(spec.nodeAffinity, old.nodeAffinity))
      wrong.push(
        fault.invalid(
          'nodeAffinity',
          spec.nodeAffinity,
          'field is immutable, except for updating from beta label to GA',
        ),
      )
    if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
      wrong.push(
        fault.forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'),
      )
    return wrong
  },
  columns: [
    nameColumn,
    textColumn(
      'Capacity',
      "capacity is the description of the persistent volume's resources and capacity.",
      ({ spec }) => spec.capacity?.['storage'] ?? '0',
    ),
    textColumn('Access Modes', 'accessModes contains all ways the volume can be mounted.', ({ spec }) =>
      accessModesText(spec.accessModes),
    ),
    textColumn(
      'Reclaim Policy',
      'persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim.',
      ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '',
    ),
    textColumn(
      'Status',
      'phase indicates if a volume is available, bound to a claim, or released by a claim.',
      ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
    ),
    textColumn(
      'Claim',
      'claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim.',
      ({ spec }) => (spec.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : ''),
    ),
    textColumn('StorageClass', 'StorageClass of the pv', (resource) => storageClassOf(resource) ?? ''),
    textColumn(
      'VolumeAttributesClass',
      'VolumeAttributesClass of the pv',
      ({ spec }) => spec.volumeAttributesClassName ?? UNSET,
    ),
    textColumn(
      'Reason',
      'reason is a brief CamelCase string that describes any failure and is meant for machine parsing and tidy display in the CLI.',
      ({ status }) => status?.reason ?? '',
    ),
    ageColumn,
    wideColumn(
      'VolumeMode',
      'volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw block state.',
      ({ spec }) => spec.volumeMode ?? UNSET,
    ),
  ],
  health: ({ status }) =>
    status?.phase === 'Failed'
      ? { status: 'Degraded', message: status.message ?? 'Reclaiming the volume failed' }
      : { status: 'Healthy' },
  example: {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk-0' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      csi: { driver: 'csi.example.com', volumeHandle: 'disk-0' },
    },
  },
})

function sourceOf(spec: V1PersistentVolumeSpec): object {
  return Object.fromEntries(
    Object.entries(spec).filter(([key, value]) => !NOT_A_SOURCE.has(key) && value !== undefined),
  )
}

function withDefaults(spec: V1PersistentVolumeSpec): V1PersistentVolumeSpec {
  const { hostPath, iscsi, rbd, azureDisk, scaleIO } = spec
  return {
    ...spec,
    persistentVolumeReclaimPolicy: spec.persistentVolumeReclaimPolicy || 'Retain',
    volumeMode: spec.volumeMode ?? 'Filesystem',
    ...(hostPath ? { hostPath: { ...hostPath, type: hostPath.type ?? '' } } : {}),
    ...(iscsi ? { iscsi: { ...iscsi, iscsiInterface: iscsi.iscsiInterface || 'default' } } : {}),
    ...(rbd
      ? {
          rbd: {
            ...rbd,
            pool: rbd.pool || 'rbd',
            user: rbd.user || 'admin',
            keyring: rbd.keyring || '/etc/ceph/keyring',
          },
        }
      : {}),
    ...(azureDisk
      ? {
          azureDisk: {
            ...azureDisk,
            cachingMode: azureDisk.cachingMode ?? 'ReadWrite',
            kind: azureDisk.kind ?? 'Shared',
            fsType: azureDisk.fsType ?? 'ext4',
            readOnly: azureDisk.readOnly ?? false,
          },
        }
      : {}),
    ...(scaleIO
      ? {
          scaleIO: {
            ...scaleIO,
            storageMode: scaleIO.storageMode || 'ThinProvisioned',
            fsType: scaleIO.fsType || 'xfs',
          },
        }
      : {}),
  }
}

function validateCapacity(capacity: Readonly<Record<string, string>> = {}): StatusCause[] {
  const storage = capacity['storage']
  if (Object.keys(capacity).length === 0) return [fault.required('spec.capacity')]
  if (storage === undefined || Object.keys(capacity).length > 1)
    return [fault.notSupported('spec.capacity', capacity, ['storage'])]
  return compareQuantities(storage, '0') > 0
    ? []
    : [fault.invalid('spec.capacity[storage]', storage, 'must be greater than zero')]
}

function validateSource(spec: V1PersistentVolumeSpec): StatusCause[] {
  const [first, ...others] = Object.keys(sourceOf(spec))
  if (first === undefined) return [fault.required('spec', 'must specify a volume type')]
  const wrong = others.map((type) =>
    fault.forbidden(`spec.${type}`, 'may not specify more than 1 volume type'),
  )
  const { hostPath, nfs, csi, local } = spec
  wrong.push(...validateDisk({ hostPath, nfs }, 'spec'))
  if (csi) {
    wrong.push(...named(csi.driver, () => undefined, 'spec.csi.driver'))
    wrong.push(...named(csi.volumeHandle, () => undefined, 'spec.csi.volumeHandle'))
  }
  if (local) {
    wrong.push(...named(local.path, () => undefined, 'spec.local.path'))
    if (!spec.nodeAffinity)
      wrong.push(fault.required('spec.nodeAffinity', 'Local volume requires node affinity'))
  }
  return wrong
}

function validateVolumeNodeAffinity(affinity: V1PersistentVolumeSpec['nodeAffinity']): StatusCause[] {
  if (!affinity) return []
  return affinity.required
    ? validateNodeSelector(affinity.required, 'spec.nodeAffinity.required')
    : [fault.required('spec.nodeAffinity.required', 'must specify required node constraints')]
}
