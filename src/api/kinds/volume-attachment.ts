import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { named } from '../field-rules.ts'
import type { V1VolumeAttachment } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Subdomain, pathSegment } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type VolumeAttachment = Stored<V1VolumeAttachment>

export const volumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  scope: 'Cluster',
  schema: 'V1VolumeAttachment',
  hasGeneration: false,
  applyWave: WAVE.records,
  subresources: { status: true },
  prepareForCreate: (resource) => ({ ...resource, status: { attached: false } }),
  validate({ spec: { attacher, source, nodeName } }) {
    const { inlineVolumeSpec, persistentVolumeName } = source
    return [
      ...named(attacher, dns1123Subdomain, 'spec.attacher'),
      ...(inlineVolumeSpec && persistentVolumeName !== undefined
        ? [
            fault.forbidden(
              'spec.source',
              'must specify either inlineVolumeSpec or persistentVolumeName, but not both',
            ),
          ]
        : !inlineVolumeSpec && !persistentVolumeName
          ? [fault.required('spec.source', 'must specify either inlineVolumeSpec or persistentVolumeName')]
          : []),
      ...named(nodeName, pathSegment, 'spec.nodeName'),
    ]
  },
  validateUpdate: ({ spec }, { spec: old }) =>
    deepEqual(spec, old) ? [] : [fault.invalid('spec', spec, 'field is immutable')],
  columns: [
    nameColumn,
    {
      ...textColumn(
        'Attacher',
        'attacher indicates the name of the volume driver that MUST handle this request.',
        ({ spec }) => spec.attacher,
      ),
      format: 'name',
    },
    textColumn(
      'PV',
      'persistentVolumeName represents the name of the persistent volume to attach.',
      ({ spec }) => spec.source.persistentVolumeName ?? '',
    ),
    textColumn(
      'Node',
      'nodeName represents the node that the volume should be attached to.',
      ({ spec }) => spec.nodeName,
    ),
    {
      name: 'Attached',
      type: 'boolean',
      description: 'attached indicates the volume is successfully attached.',
      value: ({ status }) => status?.attached ?? false,
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: 'csi-0123' },
    spec: { attacher: 'csi.example.com', nodeName: 'worker-0', source: { persistentVolumeName: 'disk-0' } },
  },
})
