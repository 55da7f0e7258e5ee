import type { V1RoleBinding } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { bindingColumns } from '../rbac-columns.ts'
import {
  defaultBinding,
  RBAC_GROUP,
  validateRoleRef,
  validateSameRole,
  validateSubjects,
} from '../rbac-validation.ts'
import type { Stored } from '../resource.ts'
import { WAVE } from '../waves.ts'

export type RoleBinding = Stored<V1RoleBinding>

export const roleBinding = defineKind<RoleBinding>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  scope: 'Namespaced',
  schema: 'V1RoleBinding',
  nameRule: 'path-segment',
  applyWave: WAVE.identity,
  setDefaults: defaultBinding,
  validate: ({ roleRef, subjects }) => [
    ...validateRoleRef(roleRef, ['Role', 'ClusterRole']),
    ...validateSubjects(subjects, { namespaced: true }),
  ],
  validateUpdate: validateSameRole,
  columns: bindingColumns,
  example: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'pod-readers', namespace: 'default' },
    roleRef: { apiGroup: RBAC_GROUP, kind: 'Role', name: 'pod-reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'builder', namespace: 'default' }],
  },
})
