import type { V1PolicyRule } from '../../api/generated/types.ts'
import type { ServiceAccount } from '../../api/kinds/service-account.ts'
import { RBAC_GROUP } from '../../api/rbac-validation.ts'
import type { Resource } from '../../api/resource.ts'
import type { Env } from '../../base/env.ts'
import type { Admission, Reader } from '../admission/admission.ts'
import type { Registry } from '../registry.ts'
import type { Store } from '../store/store.ts'
import { resourceAttributes } from './attributes.ts'
import { bearerTokens, type User } from './authenticate.ts'
import { type Authorizer, union } from './authorize.ts'
import { certificateAdmission } from './certificate-admission.ts'
import { follow } from './follow.ts'
import { NodeAuthorizer } from './node-authorizer.ts'
import type { Pki } from './pki.ts'
import { AccessIndex, type Binding } from './rbac/access-index.ts'
import { rbacEscalation } from './rbac/escalation.ts'
import { RbacAuthorizer } from './rbac/rbac-authorizer.ts'
import { keepDefaults } from './rbac/reconcile-defaults.ts'
import { noteLegacyUse } from './tokens/legacy-use.ts'
import { ServiceAccountTokens } from './tokens/service-account-tokens.ts'

/** The first requests are answered first: on a new cluster they are the administrator's, who needs no role. */
const DEFAULTS_AFTER_MS = 100

interface Issuing {
  readonly authority: Pki['authority']
  mayAskFor(user: User, sort: string): Promise<boolean>
  issueToken(account: ServiceAccount, secretName: string): Promise<string>
}

/** Who is asking, and may they? All that the listener knows about users; parts in this process never meet it. */
export class Access {
  readonly authorizer: Authorizer
  readonly tokens: ServiceAccountTokens
  /** For the controllers that give out certificates and tokens. */
  readonly issuing: Issuing
  readonly #env: Env
  readonly #store: Store
  readonly #index = new AccessIndex()
  readonly #rbac = new RbacAuthorizer(this.#index)
  readonly #stop = new AbortController()
  readonly #known: (token: string) => User | undefined

  constructor(env: Env, store: Store, reader: Reader, pki: Pki) {
    this.#env = env
    this.#store = store
    this.tokens = new ServiceAccountTokens(env, reader, pki.tokenKeyPem)
    this.authorizer = union([new NodeAuthorizer(env, store, reader, this.#stop.signal), this.#rbac])
    this.issuing = {
      authority: pki.authority,
      mayAskFor: async (user, sort) =>
        (
          await this.authorizer.authorize(
            resourceAttributes(user, {
              verb: 'create',
              group: 'certificates.k8s.io',
              resource: 'certificatesigningrequests',
              subresource: sort,
            }),
          )
        ).allowed,
      issueToken: (account, secretName) => this.tokens.issueLegacy(account, secretName),
    }
    const admin = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }
    this.#known = bearerTokens([{ token: pki.adminToken, user: admin }])
  }

  /** Resolves when roles and bindings are known; the default ones are made soon. */
  async start(registry: Registry): Promise<void> {
    this.tokens.onLegacyUse = (secret) => void noteLegacyUse(registry, secret)
    const prefix = `/registry/${RBAC_GROUP}/`
    await follow(this.#env, this.#store, prefix, rbacFollower(this.#index), this.#stop.signal)
    const cancel = this.#env.clock.after(DEFAULTS_AFTER_MS, () => {
      void keepDefaults(registry, this.#stop.signal)
    })
    this.#stop.signal.addEventListener('abort', cancel, { once: true })
  }

  stop(): void {
    this.#stop.abort()
  }

  /** Checks of writes that need to know what the writer may do. */
  get admission(): readonly Admission[] {
    return [
      rbacEscalation({ authorizer: this.authorizer, rbac: this.#rbac, index: this.#index }),
      certificateAdmission(this.authorizer),
    ]
  }

  rulesFor(user: User, namespace: string): readonly V1PolicyRule[] {
    const all: V1PolicyRule[] = user.groups.includes('system:masters')
      ? [
          { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
          { nonResourceURLs: ['*'], verbs: ['*'] },
        ]
      : []
    return [...all, ...this.#rbac.rulesFor(user, namespace)]
  }

  /** Undefined when the token is not good; a fixed token is good for every audience asked for. */
  async authenticateToken(
    token: string,
    audiences?: readonly string[],
  ): Promise<{ readonly user: User; readonly audiences: readonly string[] } | undefined> {
    const known = this.#known(token)
    if (known) return { user: known, audiences: audiences ?? [] }
    return this.tokens.authenticate(token, audiences)
  }
}

function rbacFollower(index: AccessIndex) {
  return {
    clear: () => index.clear(),
    put(key: string, object: Resource) {
      if (isBinding(key)) index.putBinding(object as Resource & Binding)
      else index.putRole(object)
    },
    remove(key: string, object: Resource) {
      if (isBinding(key)) index.removeBinding(object as Resource & Binding)
      else index.removeRole(object)
    },
  }
}

function isBinding(key: string): boolean {
  return key.split('/')[3]?.endsWith('bindings') === true
}
