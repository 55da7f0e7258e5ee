import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { named } from '../field-rules.ts'
import type { V1RuntimeClass } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Label, validateLabels } from '../names.ts'
import { validateToleration } from '../placement-validation.ts'
import type { Stored } from '../resource.ts'
import { validateResources } from '../resource-validation.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type RuntimeClass = Stored<V1RuntimeClass>

export const runtimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  scope: 'Cluster',
  schema: 'V1RuntimeClass',
  applyWave: WAVE.classes,
  validate: ({ handler, overhead, scheduling }) => [
    ...named(handler, dns1123Label, 'handler'),
    ...(overhead?.podFixed
      ? validateResources({ limits: overhead.podFixed }, 'overhead').map((wrong) => ({
          ...wrong,
          field: wrong.field?.replace('overhead.limits', 'overhead.podFixed') ?? 'overhead',
        }))
      : []),
    ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
    ...(scheduling?.tolerations ?? []).flatMap((one, i) =>
      validateToleration(one, `scheduling.tolerations[${i}]`),
    ),
  ],
  validateUpdate: (resource, old) =>
    resource.handler === old.handler
      ? []
      : [fault.invalid('handler', resource.handler, 'field is immutable')],
  columns: [
    nameColumn,
    textColumn(
      'Handler',
      'handler specifies the underlying runtime and configuration that the CRI implementation will use to handle pods of this class.',
      ({ handler }) => handler,
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'gvisor' },
    handler: 'runsc',
    overhead: { podFixed: { memory: '32Mi' } },
  },
})
