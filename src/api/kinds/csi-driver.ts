import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn, UNSET } from '../columns.ts'
import { oneOf } from '../field-rules.ts'
import type { V1CSIDriver } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type CSIDriver = Stored<V1CSIDriver>

const FS_GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType']
const TOKEN_SECONDS_MIN = 600
const TOKEN_SECONDS_MAX = 2 ** 32

export const csiDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  scope: 'Cluster',
  schema: 'V1CSIDriver',
  hasGeneration: false,
  applyWave: WAVE.classes,
  setDefaults: ({ spec, ...resource }) => ({
    ...resource,
    spec: {
      ...spec,
      attachRequired: spec.attachRequired ?? true,
      podInfoOnMount: spec.podInfoOnMount ?? false,
      storageCapacity: spec.storageCapacity ?? false,
      fsGroupPolicy: spec.fsGroupPolicy ?? 'ReadWriteOnceWithFSType',
      volumeLifecycleModes: spec.volumeLifecycleModes?.length ? spec.volumeLifecycleModes : ['Persistent'],
      requiresRepublish: spec.requiresRepublish ?? false,
      seLinuxMount: spec.seLinuxMount ?? false,
    },
  }),
  validate: ({ metadata, spec }) => [
    ...(metadata.name.length > 63 ? [fault.tooLong('metadata.name', 63)] : []),
    ...oneOf(spec.fsGroupPolicy, FS_GROUP_POLICIES, 'spec.fsGroupPolicy'),
    ...(spec.volumeLifecycleModes ?? []).flatMap((mode) =>
      oneOf(mode, ['Ephemeral', 'Persistent'], 'spec.volumeLifecycleModes'),
    ),
    ...(spec.tokenRequests ?? []).flatMap(({ audience, expirationSeconds: seconds }, i, all) => {
      const at = `spec.tokenRequests[${i}]`
      return [
        ...(all.findIndex((other) => other.audience === audience) < i
          ? [fault.duplicate(`${at}.audience`, audience)]
          : []),
        ...(seconds !== undefined && seconds < TOKEN_SECONDS_MIN
          ? [
              fault.invalid(
                `${at}.expirationSeconds`,
                seconds,
                'may not specify a duration less than 10 minutes',
              ),
            ]
          : []),
        ...(seconds !== undefined && seconds > TOKEN_SECONDS_MAX
          ? [
              fault.invalid(
                `${at}.expirationSeconds`,
                seconds,
                'may not specify a duration larger than 2^32 seconds',
              ),
            ]
          : []),
      ]
    }),
  ],
  validateUpdate: ({ spec }, { spec: old }) =>
    (['attachRequired', 'fsGroupPolicy', 'volumeLifecycleModes'] as const).flatMap((field) =>
      deepEqual(spec[field], old[field])
        ? []
        : [fault.invalid(`spec.${field}`, spec[field], 'field is immutable')],
    ),
  columns: [
    nameColumn,
    {
      name: 'AttachRequired',
      type: 'boolean',
      description: 'attachRequired indicates this CSI volume driver requires an attach operation.',
      value: ({ spec }) => spec.attachRequired ?? true,
    },
    {
      name: 'PodInfoOnMount',
      type: 'boolean',
      description:
        'podInfoOnMount indicates this CSI volume driver requires additional pod information during mount operations, if set to true.',
      value: ({ spec }) => spec.podInfoOnMount ?? false,
    },
    {
      name: 'StorageCapacity',
      type: 'boolean',
      description:
        'storageCapacity indicates that the CSI volume driver wants pod scheduling to consider the storage capacity that the driver deployment will report.',
      value: ({ spec }) => spec.storageCapacity ?? false,
    },
    textColumn(
      'TokenRequests',
      "tokenRequests indicates the CSI driver needs pods' service account tokens it is mounting volume for to do necessary authentication.",
      ({ spec }) =>
        (spec.tokenRequests ?? []).map(({ audience }) => audience || '<empty>').join(',') || UNSET,
    ),
    {
      name: 'RequiresRepublish',
      type: 'boolean',
      description:
        'requiresRepublish indicates the CSI driver wants `NodePublishVolume` being periodically called to reflect any possible change in the mounted volume.',
      value: ({ spec }) => spec.requiresRepublish ?? false,
    },
    textColumn(
      'Modes',
      'volumeLifecycleModes defines what kind of volumes this CSI volume driver supports.',
      ({ spec }) => spec.volumeLifecycleModes?.join(',') || '<none>',
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: { name: 'csi.example.com' },
    spec: { attachRequired: false, storageCapacity: true },
  },
})
