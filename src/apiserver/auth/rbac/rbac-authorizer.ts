import type { V1PolicyRule } from '../../../api/generated/types.ts'
import type { Attributes } from '../attributes.ts'
import type { User } from '../authenticate.ts'
import type { Authorizer, Verdict } from '../authorize.ts'
import type { AccessIndex } from './access-index.ts'
import { ruleAllows } from './rules.ts'

/** Role-based access control over an index of roles and bindings; allows or has no opinion, never denies. */
export class RbacAuthorizer implements Authorizer {
  readonly #index: AccessIndex

  constructor(index: AccessIndex) {
    this.#index = index
  }

  authorize(attributes: Attributes): Verdict {
    const namespace = attributes.type === 'resource' ? attributes.namespace : ''
    const missing: string[] = []
    for (const { rules, roleRef, source } of this.#index.grantsOf(attributes.user, namespace)) {
      if (rules?.some((rule) => ruleAllows(rule, attributes)))
        return { allowed: true, reason: `RBAC: allowed by ${source}` }
      const plural = roleRef.kind === 'ClusterRole' ? 'clusterrole' : 'role'
      if (!rules)
        missing.push(`${plural}.rbac.authorization.k8s.io ${JSON.stringify(roleRef.name)} not found`)
    }
    const texts = [...new Set(missing)]
    const reason = texts.length > 1 ? `[${texts.join(', ')}]` : (texts[0] ?? '')
    return { allowed: false, reason: reason === '' ? '' : `RBAC: ${reason}` }
  }

  /** All the user holds in the namespace (cluster-wide when it is empty). */
  rulesFor(user: User, namespace: string): readonly V1PolicyRule[] {
    return [...this.#index.grantsOf(user, namespace)].flatMap(({ rules }) => rules ?? [])
  }
}
