import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { notNegative } from '../field-rules.ts'
import type { V1ControllerRevision } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { controllerOf } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ControllerRevision = Stored<V1ControllerRevision>

/** A past template of a StatefulSet or DaemonSet: what `kubectl rollout undo` goes back to. */
export const controllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  scope: 'Namespaced',
  schema: 'V1ControllerRevision',
  applyWave: WAVE.records,
  validate: ({ revision, data }) => [
    ...(data === undefined || data === null ? [fault.required('data', 'data is mandatory')] : []),
    ...notNegative(revision, 'revision'),
  ],
  validateUpdate: (resource, old) =>
    deepEqual(resource.data, old.data) ? [] : [fault.invalid('data', resource.data, 'field is immutable')],
  columns: [
    nameColumn,
    {
      name: 'Controller',
      type: 'string',
      description: 'Controller of the object',
      value: (resource) => controllerText(resource),
    },
    {
      name: 'Revision',
      type: 'string',
      description: 'Revision indicates the revision of the state represented by Data.',
      value: ({ revision }) => String(revision),
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { name: 'db-5f9c', namespace: 'default' },
    data: { spec: { template: {} } },
    revision: 1,
  },
})

function controllerText(resource: ControllerRevision): string {
  const owner = controllerOf(resource)
  if (!owner) return '<none>'
  const [group] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : ['']
  return `${owner.kind.toLowerCase()}${group ? `.${group}` : ''}/${owner.name}`
}
