import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { named } from '../field-rules.ts'
import type { V1CSINode } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Subdomain, qualifiedName } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type CSINode = Stored<V1CSINode>

const NODE_ID_BYTES_MAX = 192

export const csiNode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  scope: 'Cluster',
  schema: 'V1CSINode',
  hasGeneration: false,
  applyWave: WAVE.nodes,
  validate: ({ spec }) =>
    spec.drivers.flatMap(({ name, nodeID, allocatable, topologyKeys = [] }, i, all) => {
      const at = `spec.drivers[${i}]`
      return [
        ...named(name, dns1123Subdomain, `${at}.name`),
        ...(all.findIndex((other) => other.name === name) < i ? [fault.duplicate(`${at}.name`, name)] : []),
        ...(nodeID === '' ? [fault.required(`${at}.nodeID`)] : []),
        ...(Buffer.byteLength(nodeID) > NODE_ID_BYTES_MAX
          ? [fault.invalid(`${at}.nodeID`, nodeID, `must be ${NODE_ID_BYTES_MAX} characters or less`)]
          : []),
        ...((allocatable?.count ?? 0) < 0
          ? [
              fault.invalid(
                `${at}.allocatable.count`,
                allocatable?.count,
                'must be greater than or equal to 0',
              ),
            ]
          : []),
        ...topologyKeys.flatMap((key, j) => [
          ...named(key, qualifiedName, `${at}.topologyKeys`),
          ...(topologyKeys.indexOf(key) < j ? [fault.duplicate(`${at}.topologyKeys`, key)] : []),
        ]),
      ]
    }),
  /** A driver may come and go, and learn how many volumes it can hold; nothing else of it may change. */
  validateUpdate: ({ spec }, { spec: old }) =>
    old.drivers.flatMap((before) => {
      const after = spec.drivers.find(({ name }) => name === before.name)
      if (!after) return []
      const { allocatable: _new, ...fixed } = after
      const { allocatable: _old, ...was } = before
      return deepEqual(fixed, was) ? [] : [fault.invalid('CSINodeDriver', after, 'field is immutable')]
    }),
  columns: [
    nameColumn,
    {
      name: 'Drivers',
      type: 'integer',
      description: 'Drivers indicates the number of CSI drivers registered on the node',
      value: ({ spec }) => spec.drivers.length,
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSINode',
    metadata: { name: 'worker-0' },
    spec: { drivers: [{ name: 'csi.example.com', nodeID: 'worker-0', allocatable: { count: 8 } }] },
  },
})
