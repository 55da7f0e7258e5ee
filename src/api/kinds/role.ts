import type { V1Role } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { roleColumns } from '../rbac-columns.ts'
import { RBAC_GROUP, validateRules } from '../rbac-validation.ts'
import type { Stored } from '../resource.ts'
import { WAVE } from '../waves.ts'

export type Role = Stored<V1Role>

export const role = defineKind<Role>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  scope: 'Namespaced',
  schema: 'V1Role',
  nameRule: 'path-segment',
  applyWave: WAVE.identity,
  validate: ({ rules }) => validateRules(rules, { namespaced: true }),
  columns: roleColumns,
  example: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'pod-reader', namespace: 'default' },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
  },
})
