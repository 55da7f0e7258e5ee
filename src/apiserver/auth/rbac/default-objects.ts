import type { RbacV1Subject, V1PolicyRule } from '../../../api/generated/types.ts'
import { type ClusterRole, clusterRole } from '../../../api/kinds/cluster-role.ts'
import { type ClusterRoleBinding, clusterRoleBinding } from '../../../api/kinds/cluster-role-binding.ts'
import { type Role, role } from '../../../api/kinds/role.ts'
import { type RoleBinding, roleBinding } from '../../../api/kinds/role-binding.ts'
import { RBAC_GROUP } from '../../../api/rbac-validation.ts'
import { apiVersionOf, type ObjectMeta } from '../../../api/resource.ts'
import { controllerRoles } from './controller-roles.ts'
import {
  type DefaultRole,
  defaultClusterRoleBindings,
  defaultClusterRoles,
  EVENTS,
  kubeSystemRoles,
} from './default-roles.ts'

/** The default roles and bindings as objects, from their one-line forms. Pure. */

export const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

const READ = ['get', 'list', 'watch']
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update']

/** Reads "read apps deployments,replicasets", "get core configmaps a,b" and "get url /metrics". */
export function readRule(line: string): V1PolicyRule {
  const [verbs = '', group = '', targets = '', names] = line.split(' ')
  const expanded = verbs
    .split(',')
    .flatMap((verb) => (verb === 'read' ? READ : verb === 'write' ? WRITE : [verb]))
  const all = { verbs: expanded.sort() }
  if (group === 'url') return { nonResourceURLs: targets.split(','), ...all }
  return {
    apiGroups: group.split(',').map((name) => (name === 'core' ? '' : name)),
    resources: targets.split(','),
    ...(names === undefined ? {} : { resourceNames: names.split(',') }),
    ...all,
  }
}

const clusterRoles: Readonly<Record<string, DefaultRole>> = {
  ...defaultClusterRoles,
  ...Object.fromEntries(
    Object.entries(controllerRoles).map(([name, rules]) => [
      `system:controller:${name}`,
      { rules: [...rules, ...EVENTS] },
    ]),
  ),
}

const clusterRoleBindings: Readonly<Record<string, readonly string[]>> = {
  ...defaultClusterRoleBindings,
  ...Object.fromEntries(
    Object.keys(controllerRoles).map((name) => [
      `system:controller:${name}`,
      [`ServiceAccount kube-system/${name}`],
    ]),
  ),
}

export const defaultObjects: readonly (
  | { readonly kind: typeof clusterRole; readonly wanted: ClusterRole }
  | { readonly kind: typeof role; readonly wanted: Role }
  | { readonly kind: typeof clusterRoleBinding; readonly wanted: ClusterRoleBinding }
  | { readonly kind: typeof roleBinding; readonly wanted: RoleBinding }
)[] = [
  ...Object.entries(clusterRoles).map(([name, made]) => ({
    kind: clusterRole,
    wanted: clusterRoleOf(name, made),
  })),
  ...Object.entries(kubeSystemRoles).map(([name, { rules }]) => ({
    kind: role,
    wanted: { ...head('Role', name, 'kube-system'), rules: rules.map(readRule) },
  })),
  ...Object.entries(clusterRoleBindings).map(([name, subjects]) => ({
    kind: clusterRoleBinding,
    wanted: {
      ...head('ClusterRoleBinding', name),
      roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name },
      subjects: subjects.map(readSubject),
    },
  })),
  ...Object.entries(kubeSystemRoles).map(([name, { subjects }]) => ({
    kind: roleBinding,
    wanted: {
      ...head('RoleBinding', name, 'kube-system'),
      roleRef: { apiGroup: RBAC_GROUP, kind: 'Role', name },
      subjects: subjects.map(readSubject),
    },
  })),
]

function clusterRoleOf(name: string, { rules, aggregateTo, aggregates }: DefaultRole): ClusterRole {
  const made = head('ClusterRole', name)
  const labels = aggregateTo
    ? { ...made.metadata.labels, [aggregationLabel(aggregateTo)]: 'true' }
    : made.metadata.labels
  const object = { ...made, metadata: { ...made.metadata, labels } }
  if (!aggregates) return { ...object, rules: rules.map(readRule) }
  const clusterRoleSelectors = [{ matchLabels: { [aggregationLabel(name)]: 'true' } }]
  return { ...object, aggregationRule: { clusterRoleSelectors }, rules: [] }
}

function aggregationLabel(role: string): string {
  return `rbac.authorization.k8s.io/aggregate-to-${role}`
}

function head<K extends string>(
  kind: K,
  name: string,
  namespace?: string,
): { apiVersion: string; kind: K; metadata: ObjectMeta } {
  return {
    apiVersion: apiVersionOf({ group: RBAC_GROUP, version: 'v1' }),
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
      annotations: { [AUTOUPDATE]: 'true' },
    },
  }
}

function readSubject(line: string): RbacV1Subject {
  const [kind = '', name = ''] = line.split(' ')
  if (kind !== 'ServiceAccount') return { apiGroup: RBAC_GROUP, kind, name }
  const [namespace = '', account = ''] = name.split('/')
  return { kind, name: account, namespace }
}
