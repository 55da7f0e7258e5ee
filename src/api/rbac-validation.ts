import type { RbacV1Subject, V1PolicyRule, V1RoleRef } from './generated/types.ts'
import { dns1123Subdomain, pathSegment } from './names.ts'
import { fault, type StatusCause } from './status.ts'

/** The rules that roles and their bindings share (rbac.authorization.k8s.io/v1). */
export const RBAC_GROUP = 'rbac.authorization.k8s.io'

export function validateRules(
  rules: readonly V1PolicyRule[] | undefined,
  { namespaced }: { readonly namespaced: boolean },
): StatusCause[] {
  return (rules ?? []).flatMap((rule, i) => validateRule(rule, namespaced, `rules[${i}]`))
}

function validateRule(rule: V1PolicyRule, namespaced: boolean, path: string): StatusCause[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  const wrong: StatusCause[] = []
  if (verbs.length === 0) wrong.push(fault.required(`${path}.verbs`, 'verbs must contain at least one value'))
  if (nonResourceURLs.length > 0) {
    const urls = `${path}.nonResourceURLs`
    if (namespaced)
      wrong.push(fault.invalid(urls, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      const why = 'rules cannot apply to both regular resources and non-resource URLs'
      wrong.push(fault.invalid(urls, nonResourceURLs, why))
    }
    return wrong
  }
  if (apiGroups.length === 0)
    wrong.push(fault.required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
  if (resources.length === 0)
    wrong.push(fault.required(`${path}.resources`, 'resource rules must supply at least one resource'))
  return wrong
}

export function validateRoleRef(roleRef: V1RoleRef | undefined, roleKinds: readonly string[]): StatusCause[] {
  const { apiGroup = '', kind = '', name = '' } = roleRef ?? {}
  const wrong: StatusCause[] = []
  if (apiGroup !== RBAC_GROUP) wrong.push(fault.notSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]))
  if (!roleKinds.includes(kind)) wrong.push(fault.notSupported('roleRef.kind', kind, roleKinds))
  if (name === '') return [...wrong, fault.required('roleRef.name')]
  const why = pathSegment(name)
  return why === undefined ? wrong : [...wrong, fault.invalid('roleRef.name', name, why)]
}

export function validateSubjects(
  subjects: readonly RbacV1Subject[] | undefined,
  { namespaced }: { readonly namespaced: boolean },
): StatusCause[] {
  return (subjects ?? []).flatMap((subject, i) => validateSubject(subject, namespaced, `subjects[${i}]`))
}

function validateSubject(subject: RbacV1Subject, namespaced: boolean, path: string): StatusCause[] {
  const { kind, name = '', apiGroup = '', namespace = '' } = subject
  const wrong: StatusCause[] = name === '' ? [fault.required(`${path}.name`)] : []
  switch (kind) {
    case 'ServiceAccount': {
      const why = name === '' ? undefined : dns1123Subdomain(name)
      if (why !== undefined) wrong.push(fault.invalid(`${path}.name`, name, why))
      if (apiGroup !== '') wrong.push(fault.notSupported(`${path}.apiGroup`, apiGroup, ['']))
      if (!namespaced && namespace === '') wrong.push(fault.required(`${path}.namespace`))
      return wrong
    }
    case 'User':
    case 'Group':
      if (apiGroup !== RBAC_GROUP) wrong.push(fault.notSupported(`${path}.apiGroup`, apiGroup, [RBAC_GROUP]))
      return wrong
    default:
      return [...wrong, fault.notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group'])]
  }
}

interface Bound {
  readonly roleRef: V1RoleRef
  readonly subjects?: readonly RbacV1Subject[] | undefined
}

/** Users and groups are of the rbac group; so is the role. */
export function defaultBinding<B extends Bound>(binding: B): B {
  const roleRef = binding.roleRef?.apiGroup ? binding.roleRef : { ...binding.roleRef, apiGroup: RBAC_GROUP }
  if (!binding.subjects) return { ...binding, roleRef }
  const subjects = binding.subjects.map((subject) =>
    subject.apiGroup || (subject.kind !== 'User' && subject.kind !== 'Group')
      ? subject
      : { ...subject, apiGroup: RBAC_GROUP },
  )
  return { ...binding, roleRef, subjects }
}

/** A binding never changes its role: whoever may edit the subjects would otherwise hand out another one. */
export function validateSameRole(binding: Bound, old: Bound): StatusCause[] {
  const { apiGroup, kind, name } = binding.roleRef
  const before = old.roleRef
  if (apiGroup === before.apiGroup && kind === before.kind && name === before.name) return []
  return [fault.invalid('roleRef', binding.roleRef, 'cannot change roleRef')]
}

/** Names for the columns of a binding, one list for each kind of subject. */
export function subjectNames(subjects: readonly RbacV1Subject[] | undefined, kind: string): string {
  return (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ')
}
