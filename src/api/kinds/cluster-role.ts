import type { V1ClusterRole } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { roleColumns } from '../rbac-columns.ts'
import { RBAC_GROUP, validateRules } from '../rbac-validation.ts'
import type { Stored } from '../resource.ts'
import { validateLabelSelector } from '../selectors.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ClusterRole = Stored<V1ClusterRole>

export const clusterRole = defineKind<ClusterRole>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  scope: 'Cluster',
  schema: 'V1ClusterRole',
  nameRule: 'path-segment',
  applyWave: WAVE.identity,
  validate({ rules, aggregationRule }) {
    const path = 'aggregationRule.clusterRoleSelectors'
    const selectors = aggregationRule?.clusterRoleSelectors ?? []
    return [
      ...validateRules(rules, { namespaced: false }),
      ...(aggregationRule && selectors.length === 0
        ? [fault.required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
        : selectors.flatMap((selector, i) => validateLabelSelector(selector, `${path}[${i}]`))),
    ]
  },
  columns: roleColumns,
  example: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'node-reader' },
    rules: [
      { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
      { nonResourceURLs: ['/metrics'], verbs: ['get'] },
    ],
  },
})
