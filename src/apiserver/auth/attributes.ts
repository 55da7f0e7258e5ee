import { qualified } from '../../api/status.ts'
import type { RequestInfo } from '../request-info.ts'
import type { User } from './authenticate.ts'

/** What is asked of an authorizer: may this user do this? Kubernetes' authorizer.Attributes. */
export type Attributes = ResourceAttributes | PathAttributes

export interface ResourceAttributes {
  readonly type: 'resource'
  readonly user: User
  readonly verb: string
  readonly group: string
  readonly version: string
  /** The plural. */
  readonly resource: string
  readonly subresource: string
  /** Empty: cluster-scoped, or all namespaces. */
  readonly namespace: string
  /** Empty: any. */
  readonly name: string
  /** As it was sent; empty for none. */
  readonly fieldSelector: string
}

export interface PathAttributes {
  readonly type: 'path'
  readonly user: User
  /** The method in lower case. */
  readonly verb: string
  readonly path: string
}

/** A question about a resource that no request asks: what is not said is empty. */
export function resourceAttributes(
  user: User,
  asked: Partial<Omit<ResourceAttributes, 'type' | 'user'>>,
): ResourceAttributes {
  return {
    type: 'resource',
    user,
    verb: '',
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    fieldSelector: '',
    ...asked,
  }
}

/** A request as the authorizer, the handlers and the audit log all see it: from the one reading of the URL (A-25). */
export function attributesOf(user: User, info: RequestInfo, method: string): Attributes {
  if (info.type === 'other') return { type: 'path', user, verb: method.toLowerCase(), path: info.path }
  const { verb, group, version, plural, subresource = '', namespace = '', name = '' } = info
  // GET /api/v1/namespaces/x reads a namespace, and a role in that namespace may allow it.
  const isNamespace = group === '' && plural === 'namespaces' && name !== ''
  return {
    type: 'resource',
    user,
    verb,
    group,
    version,
    resource: plural,
    subresource,
    namespace: isNamespace ? name : namespace,
    name: name || nameSelected(info.verb, info.query.get('fieldSelector')),
    fieldSelector: info.query.get('fieldSelector') ?? '',
  }
}

/** A list or watch of exactly one name counts as naming it, so that resourceNames can allow it. */
function nameSelected(verb: string, fieldSelector: string | null): string {
  if (fieldSelector === null || (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection'))
    return ''
  return /^metadata\.name==?([^,=!]+)$/.exec(fieldSelector)?.[1] ?? ''
}

/** `User "jane" cannot list resource "pods" in API group "" in the namespace "default"` */
export function describeRefusal(attributes: Attributes): string {
  const who = `User ${JSON.stringify(attributes.user.name)}`
  if (attributes.type === 'path')
    return `${who} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`
  const { verb, group, resource, subresource, namespace } = attributes
  const what = JSON.stringify(subresource ? `${resource}/${subresource}` : resource)
  const where = namespace === '' ? ' at the cluster scope' : ` in the namespace ${JSON.stringify(namespace)}`
  return `${who} cannot ${verb} resource ${what} in API group ${JSON.stringify(group)}${where}`
}

/** `deployments.apps "web"`: what a Forbidden begins with. */
export function describeTarget({ group, resource, name }: ResourceAttributes): string {
  return `${qualified({ group, plural: resource })}${name ? ` ${JSON.stringify(name)}` : ''}`
}
