import type { V1ClusterRoleBinding } from '../generated/types.ts'
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

export type ClusterRoleBinding = Stored<V1ClusterRoleBinding>

export const clusterRoleBinding = defineKind<ClusterRoleBinding>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  scope: 'Cluster',
  schema: 'V1ClusterRoleBinding',
  nameRule: 'path-segment',
  applyWave: WAVE.identity,
  setDefaults: defaultBinding,
  validate: ({ roleRef, subjects }) => [
    ...validateRoleRef(roleRef, ['ClusterRole']),
    ...validateSubjects(subjects, { namespaced: false }),
  ],
  validateUpdate: validateSameRole,
  columns: bindingColumns,
  example: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'node-readers' },
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: 'node-reader' },
    subjects: [{ apiGroup: RBAC_GROUP, kind: 'Group', name: 'operators' }],
  },
})
