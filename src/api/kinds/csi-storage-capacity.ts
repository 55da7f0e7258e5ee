import { deepEqual } from '../../base/json.ts'
import { nameColumn } from '../age.ts'
import { textColumn, UNSET } from '../columns.ts'
import { named } from '../field-rules.ts'
import type { V1CSIStorageCapacity } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Subdomain } from '../names.ts'
import { compareQuantities } from '../quantity.ts'
import type { Stored } from '../resource.ts'
import { validateLabelSelector } from '../selectors.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type CSIStorageCapacity = Stored<V1CSIStorageCapacity>

export const csiStorageCapacity = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  scope: 'Namespaced',
  schema: 'V1CSIStorageCapacity',
  applyWave: WAVE.records,
  validate: (resource) => [
    ...validateLabelSelector(resource.nodeTopology, 'nodeTopology'),
    ...named(resource.storageClassName, dns1123Subdomain, 'storageClassName'),
    ...(['capacity', 'maximumVolumeSize'] as const).flatMap((field) => {
      const amount = resource[field]
      return amount !== undefined && compareQuantities(amount, '0') < 0
        ? [fault.invalid(field, amount, 'must be greater than or equal to 0')]
        : []
    }),
  ],
  validateUpdate: (resource, old) =>
    (['nodeTopology', 'storageClassName'] as const).flatMap((field) =>
      deepEqual(resource[field], old[field])
        ? []
        : [fault.invalid(field, resource[field], 'field is immutable')],
    ),
  columns: [
    nameColumn,
    textColumn(
      'StorageClassName',
      'storageClassName represents the name of the StorageClass that the reported capacity applies to.',
      ({ storageClassName }) => storageClassName,
    ),
    textColumn(
      'Capacity',
      'capacity is the value reported by the CSI driver in its GetCapacityResponse for a GetCapacityRequest with topology and parameters that match the previous fields.',
      ({ capacity }) => capacity ?? UNSET,
    ),
  ],
  example: {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIStorageCapacity',
    metadata: { name: 'fast-zone-a', namespace: 'kube-system' },
    storageClassName: 'fast',
    nodeTopology: { matchLabels: { 'topology.kubernetes.io/zone': 'a' } },
    capacity: '100Gi',
  },
})
