import { ageColumn, nameColumn } from '../age.ts'
import type { V1Namespace } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { WAVE } from '../waves.ts'

export type Namespace = Stored<V1Namespace>

const NAME_LABEL = 'kubernetes.io/metadata.name'

export const namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  scope: 'Cluster',
  shortNames: ['ns'],
  schema: 'V1Namespace',
  hasGeneration: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  applyWave: WAVE.namespace,
  nameRule: 'dns1123-label',
  subresources: {
    status: true,
    others: { finalize: { group: '', version: 'v1', kind: 'Namespace', verbs: ['update'] } },
  },
  fieldSelectors: { 'status.phase': ({ status }) => status?.phase ?? '' },
  /** Every namespace can be selected by its name. */
  setDefaults: (resource) =>
    resource.metadata.labels?.[NAME_LABEL] === resource.metadata.name || !resource.metadata.name
      ? resource
      : {
          ...resource,
          metadata: {
            ...resource.metadata,
            labels: { ...resource.metadata.labels, [NAME_LABEL]: resource.metadata.name },
          },
        },
  prepareForCreate: (resource) => ({
    ...resource,
    spec: { ...resource.spec, finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }),
  prepareForUpdate: (resource, old) => ({ ...resource, spec: old.spec }),
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      description: 'The status of the namespace',
      value: ({ status }) => status?.phase ?? '',
    },
    ageColumn,
  ],
  health: ({ status }) =>
    status?.phase === 'Terminating'
      ? { status: 'Progressing', message: 'Pending deletion' }
      : { status: 'Healthy' },
  example: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' }, spec: {} },
})
