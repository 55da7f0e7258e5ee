import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { validateDataKeys } from '../data-keys.ts'
import type { V1ConfigMap } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ConfigMap = Stored<V1ConfigMap>

const BYTES_MAX = 1024 * 1024

export const configMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  scope: 'Namespaced',
  shortNames: ['cm'],
  schema: 'V1ConfigMap',
  applyWave: WAVE.configuration,
  validate({ data = {}, binaryData = {} }) {
    const both = Object.keys(data).filter((key) => Object.hasOwn(binaryData, key))
    const bytes = [...Object.values(data), ...Object.values(binaryData)].reduce(
      (sum, text) => sum + Buffer.byteLength(text),
      0,
    )
    return [
      ...validateDataKeys(data, 'data'),
      ...validateDataKeys(binaryData, 'binaryData'),
      ...both.map((key) => fault.invalid(`data.${key}`, key, 'duplicate of key present in binaryData')),
      ...(bytes > BYTES_MAX ? [fault.tooLong('', BYTES_MAX)] : []),
    ]
  },
  validateUpdate(resource, old) {
    if (old.immutable !== true) return []
    return [
      ...(resource.immutable === true
        ? []
        : [fault.forbidden('immutable', 'field is immutable when `immutable` is set')]),
      ...(deepEqual(resource.data, old.data)
        ? []
        : [fault.forbidden('data', 'field is immutable when `immutable` is set')]),
      ...(deepEqual(resource.binaryData, old.binaryData)
        ? []
        : [fault.forbidden('binaryData', 'field is immutable when `immutable` is set')]),
    ]
  },
  columns: [
    nameColumn,
    {
      name: 'Data',
      type: 'string',
      description: 'Data contains the configuration data.',
      value: ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length,
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { color: 'blue' },
  },
})
