import { nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import type { V1ComponentCondition, V1ComponentStatus } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { WAVE } from '../waves.ts'

export type ComponentStatus = Stored<V1ComponentStatus>

/** Read only; the control plane says of itself which of its parts run. */
export const componentStatus = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  scope: 'Cluster',
  shortNames: ['cs'],
  schema: 'V1ComponentStatus',
  verbs: ['get', 'list'],
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  applyWave: WAVE.records,
  columns: [
    nameColumn,
    textColumn('Status', 'Status of the component conditions', (resource) => {
      const condition = healthyOf(resource)
      return condition ? (condition.status === 'True' ? 'Healthy' : 'Unhealthy') : 'Unknown'
    }),
    textColumn(
      'Message',
      'Message of the component conditions',
      (resource) => healthyOf(resource)?.message ?? '',
    ),
    textColumn('Error', 'Error of the component conditions', (resource) => healthyOf(resource)?.error ?? ''),
  ],
  example: {
    apiVersion: 'v1',
    kind: 'ComponentStatus',
    metadata: { name: 'etcd-0' },
    conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
  },
})

function healthyOf({ conditions }: ComponentStatus): V1ComponentCondition | undefined {
  return conditions?.find(({ type }) => type === 'Healthy')
}
