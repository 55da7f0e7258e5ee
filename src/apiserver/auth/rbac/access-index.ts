import type { RbacV1Subject, V1PolicyRule, V1RoleRef } from '../../../api/generated/types.ts'
import type { User } from '../authenticate.ts'
import { serviceAccountName } from '../service-account-names.ts'

/**
 * Roles and bindings as the authorizer needs them: who is named by which binding. A question costs as much as the
 * user has bindings, however many there are in the cluster. Holds references to stored objects, no copies.
 */
export interface Grant {
  /** Undefined when the role does not exist. */
  readonly rules: readonly V1PolicyRule[] | undefined
  readonly roleRef: V1RoleRef
  /** `ClusterRoleBinding "x" of ClusterRole "y" to Group "z"` */
  readonly source: string
}

export interface Binding {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined }
  readonly roleRef: V1RoleRef
  readonly subjects?: readonly RbacV1Subject[] | undefined
}

interface Role {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined }
  readonly rules?: readonly V1PolicyRule[] | undefined
}

interface Named {
  readonly binding: Binding
  readonly subject: RbacV1Subject
}

/** Namespace of what has none. */
const CLUSTER = ''

export class AccessIndex {
  /** "namespace/name"; cluster roles have an empty namespace. */
  readonly #roles = new Map<string, Role>()
  readonly #bindings = new Map<string, Binding>()
  /** Namespace, then who, then the binding's name. */
  readonly #bySubject = new Map<string, Map<string, Map<string, Named>>>()

  putRole(role: Role): void {
    this.#roles.set(idOf(role), role)
  }

  removeRole(role: Role): void {
    this.#roles.delete(idOf(role))
  }

  putBinding(binding: Binding): void {
    this.removeBinding(binding)
    const namespace = binding.metadata.namespace ?? CLUSTER
    this.#bindings.set(idOf(binding), binding)
    const bySubject = this.#bySubject.get(namespace) ?? new Map<string, Map<string, Named>>()
    this.#bySubject.set(namespace, bySubject)
    for (const subject of binding.subjects ?? []) {
      const who = subjectKey(subject, namespace)
      const named = bySubject.get(who) ?? new Map<string, Named>()
      bySubject.set(who, named)
      if (!named.has(binding.metadata.name)) named.set(binding.metadata.name, { binding, subject })
    }
  }

  removeBinding({ metadata }: Binding): void {
    const id = idOf({ metadata })
    const before = this.#bindings.get(id)
    if (!before) return
    this.#bindings.delete(id)
    const namespace = metadata.namespace ?? CLUSTER
    const bySubject = this.#bySubject.get(namespace)
    for (const subject of before.subjects ?? []) {
      const who = subjectKey(subject, namespace)
      const named = bySubject?.get(who)
      named?.delete(metadata.name)
      if (named?.size === 0) bySubject?.delete(who)
    }
    if (bySubject?.size === 0) this.#bySubject.delete(namespace)
  }

  clear(): void {
    this.#roles.clear()
    this.#bindings.clear()
    this.#bySubject.clear()
  }

  /** Undefined when there is no such role. */
  rulesOf(roleRef: Pick<V1RoleRef, 'kind' | 'name'>, namespace: string): readonly V1PolicyRule[] | undefined {
    const at = roleRef.kind === 'ClusterRole' ? CLUSTER : namespace
    const role = this.#roles.get(`${at}/${roleRef.name}`)
    return role && (role.rules ?? [])
  }

  /** What the user was given: for the whole cluster first, then in the namespace (none when it is empty). */
  *grantsOf(user: User, namespace: string): Generator<Grant> {
    const who = [`user/${user.name}`, ...user.groups.map((group) => `group/${group}`)]
    for (const place of namespace === CLUSTER ? [CLUSTER] : [CLUSTER, namespace]) {
      const bySubject = this.#bySubject.get(place)
      if (!bySubject) continue
      for (const key of who)
        for (const { binding, subject } of bySubject.get(key)?.values() ?? [])
          yield {
            rules: this.rulesOf(binding.roleRef, place),
            roleRef: binding.roleRef,
            source: describe(binding, subject),
          }
    }
  }
}

function idOf({ metadata }: Pick<Role, 'metadata'>): string {
  return `${metadata.namespace ?? CLUSTER}/${metadata.name}`
}

function subjectKey({ kind, name, namespace }: RbacV1Subject, bindingNamespace: string): string {
  if (kind === 'ServiceAccount') return `user/${serviceAccountName(namespace || bindingNamespace, name)}`
  return `${kind === 'Group' ? 'group' : 'user'}/${name}`
}

function describe({ metadata, roleRef }: Binding, subject: RbacV1Subject): string {
  const { namespace } = metadata
  const kind = namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding'
  const name = namespace === undefined ? metadata.name : `${metadata.name}/${namespace}`
  const who =
    subject.kind === 'ServiceAccount'
      ? `${subject.name}/${subject.namespace || namespace || ''}`
      : subject.name
  return `${kind} ${JSON.stringify(name)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${JSON.stringify(who)}`
}
