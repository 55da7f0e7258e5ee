import type { RbacV1Subject, V1PolicyRule, V1RoleRef } from '../../../api/generated/types.ts'
import { type ClusterRole, clusterRole } from '../../../api/kinds/cluster-role.ts'
import { clusterRoleBinding } from '../../../api/kinds/cluster-role-binding.ts'
import { role } from '../../../api/kinds/role.ts'
import { roleBinding } from '../../../api/kinds/role-binding.ts'
import type { AnyResource } from '../../../api/resource.ts'
import { forbidden, notFound } from '../../../api/status.ts'
import { deepEqual } from '../../../base/json.ts'
import type { Admission, AdmissionRequest } from '../../admission/admission.ts'
import { resourceAttributes } from '../attributes.ts'
import type { User } from '../authenticate.ts'
import type { Authorizer } from '../authorize.ts'
import type { AccessIndex } from './access-index.ts'
import type { RbacAuthorizer } from './rbac-authorizer.ts'
import { compact, formatRule, formatTexts, rulesNotHeld } from './rules.ts'

export interface EscalationSources {
  readonly authorizer: Authorizer
  readonly rbac: RbacAuthorizer
  readonly index: AccessIndex
}

const EVERYTHING: readonly V1PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
]

/**
 * Nobody gives away what they do not hold: a role may only be written by who has all of its rules or the verb
 * `escalate` on it, a binding only by who has the role's rules or the verb `bind` on the role.
 */
export function rbacEscalation({ authorizer, rbac, index }: EscalationSources): Admission {
  return {
    name: 'RBACEscalation',
    concerns: ({ operation, kind, context, subresource }) =>
      kind.group === role.group &&
      operation !== 'DELETE' &&
      subresource === '' &&
      !context.user.groups.includes('system:masters'),
    async validate(request) {
      const { kind } = request
      if (kind === role || kind === clusterRole) return checkRole(request)
      if (kind === roleBinding || kind === clusterRoleBinding) return checkBinding(request)
    },
  }

  async function checkRole({ kind, object, old, context: { user } }: AdmissionRequest): Promise<void> {
    const { rules = [], aggregationRule, metadata } = object as unknown as ClusterRole
    const before = old as unknown as ClusterRole | undefined
    const isSame =
      before && deepEqual(before.rules ?? [], rules) && deepEqual(before.aggregationRule, aggregationRule)
    if (isSame || (await may(user, 'escalate', kind.plural, metadata.namespace, metadata.name))) return
    if (aggregationRule && rulesNotHeld(rbac.rulesFor(user, ''), EVERYTHING).length > 0)
      throw forbidden(kind, metadata.name, 'must have cluster-admin privileges to use an aggregationRule')
    confirm(user, metadata.namespace ?? '', rules, kind, object)
  }

  async function checkBinding({ kind, object, old, context: { user } }: AdmissionRequest): Promise<void> {
    const { roleRef, subjects, metadata } = object as unknown as Bound
    const before = old as unknown as Bound | undefined
    if (before && deepEqual(before.roleRef, roleRef) && deepEqual(before.subjects ?? [], subjects ?? []))
      return
    const target = roleRef.kind === 'ClusterRole' ? clusterRole : role
    if (await may(user, 'bind', target.plural, metadata.namespace, roleRef.name)) return
    const rules = index.rulesOf(roleRef, metadata.namespace ?? '')
    if (!rules) throw notFound(target, roleRef.name)
    confirm(user, metadata.namespace ?? '', rules, kind, object)
  }

  function confirm(
    user: User,
    namespace: string,
    wanted: readonly V1PolicyRule[],
    kind: AdmissionRequest['kind'],
    { metadata }: AnyResource,
  ): void {
    const missing = rulesNotHeld(rbac.rulesFor(user, namespace), wanted)
    if (missing.length === 0) return
    const lines = compact(missing).map(formatRule).sort()
    const who = `user ${JSON.stringify(user.name)} (groups=${formatTexts(user.groups)})`
    throw forbidden(
      kind,
      metadata.name,
      `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}`,
    )
  }

  async function may(
    user: User,
    verb: string,
    resource: string,
    namespace: string | undefined,
    name: string,
  ): Promise<boolean> {
    const attributes = resourceAttributes(user, {
      verb,
      group: role.group,
      version: role.version,
      resource,
      namespace: namespace ?? '',
      name,
    })
    return (await authorizer.authorize(attributes)).allowed
  }
}

interface Bound {
  readonly metadata: AnyResource['metadata']
  readonly roleRef: V1RoleRef
  readonly subjects?: readonly RbacV1Subject[]
}
