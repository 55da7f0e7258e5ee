import { ageColumn, nameColumn } from './age.ts'
import { textColumn, wideColumn } from './columns.ts'
import type { RbacV1Subject, V1RoleRef } from './generated/types.ts'
import type { Column } from './kind.ts'
import { subjectNames } from './rbac-validation.ts'
import type { Resource } from './resource.ts'

/** Roles have no printer of their own in Kubernetes: name and the whole time of creation. */
export const roleColumns: readonly Column<Resource>[] = [
  nameColumn,
  {
    name: 'Created At',
    type: 'date',
    description:
      'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations.',
    value: ({ metadata }) => metadata.creationTimestamp ?? null,
  },
]

interface Bound extends Resource {
  readonly roleRef: V1RoleRef
  readonly subjects?: readonly RbacV1Subject[] | undefined
}

export const bindingColumns: readonly Column<Bound>[] = [
  nameColumn,
  textColumn(
    'Role',
    'RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error. This field is immutable.',
    ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`,
  ),
  ageColumn,
  wideColumn('Users', 'Users in the roleBinding', ({ subjects }) => subjectNames(subjects, 'User')),
  wideColumn('Groups', 'Groups in the roleBinding', ({ subjects }) => subjectNames(subjects, 'Group')),
  wideColumn('ServiceAccounts', 'ServiceAccounts in the roleBinding', ({ subjects }) =>
    subjectNames(subjects, 'ServiceAccount'),
  ),
]
