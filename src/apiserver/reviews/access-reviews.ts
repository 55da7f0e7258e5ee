import type {
  V1NonResourceAttributes,
  V1ResourceAttributes,
  V1SelfSubjectRulesReview,
  V1SubjectAccessReview,
} from '../../api/generated/types.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { AnyResource } from '../../api/resource.ts'
import {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  subjectAccessReview,
} from '../../api/review-kinds.ts'
import { badRequest, fault, invalid, type StatusCause } from '../../api/status.ts'
import { type Attributes, resourceAttributes } from '../auth/attributes.ts'
import type { User } from '../auth/authenticate.ts'
import { compact } from '../auth/rbac/rules.ts'
import type { Answering, Asked } from './review.ts'

/** authorization.k8s.io: may this user, or may I, do this? What all may I do? */

type Spec = Partial<NonNullable<V1SubjectAccessReview['spec']>>

export const reviewAccess: Answering = async (asked) => {
  const spec = specOf(asked.body)
  check(subjectAccessReview, spec, { needsUser: true })
  return answer(asked, userOf(spec), spec)
}

export const reviewLocalAccess: Answering = async (asked) => {
  const spec = specOf(asked.body)
  check(localSubjectAccessReview, spec, { needsUser: true })
  const namespace = spec.resourceAttributes?.namespace ?? ''
  if (spec.nonResourceAttributes)
    throw invalid(localSubjectAccessReview, '', [
      fault.invalid(
        'spec.nonResourceAttributes',
        spec.nonResourceAttributes,
        'disallowed on this kind of request',
      ),
    ])
  if (namespace !== asked.namespace)
    throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
  return answer(asked, userOf(spec), spec)
}

export const reviewOwnAccess: Answering = async (asked) => {
  const spec = specOf(asked.body)
  check(selfSubjectAccessReview, spec, { needsUser: false })
  return answer(asked, asked.context.user, spec)
}

export const reviewOwnRules: Answering = async ({ access, body, context }) => {
  const { namespace = '' } = ((body as unknown as V1SelfSubjectRulesReview).spec ?? {}) as {
    namespace?: string
  }
  if (namespace === '') throw badRequest('no namespace on request')
  const rules = access.rulesFor(context.user, namespace)
  const resourceRules = compact(rules.filter(({ resources }) => resources?.length))
  const nonResourceRules = compact(rules.filter(({ nonResourceURLs }) => nonResourceURLs?.length))
  return { ...body, status: { resourceRules, nonResourceRules, incomplete: false } }
}

function specOf(body: AnyResource): Spec {
  return (body.spec ?? {}) as Spec
}

function check(kind: AnyKind, spec: Spec, { needsUser }: { readonly needsUser: boolean }): void {
  const wrong: StatusCause[] = []
  const both = 'cannot be specified in combination with resourceAttributes'
  if (spec.resourceAttributes && spec.nonResourceAttributes)
    wrong.push(fault.invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, both))
  if (!spec.resourceAttributes && !spec.nonResourceAttributes)
    wrong.push(
      fault.invalid(
        'spec.resourceAttributes',
        spec.resourceAttributes ?? null,
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    )
  if (needsUser && !spec.user && !spec.groups?.length)
    wrong.push(fault.invalid('spec.user', spec.user ?? '', 'at least one of user or group must be specified'))
  if (wrong.length > 0) throw invalid(kind, '', wrong)
}

function userOf({ user = '', uid, groups = [], extra }: Spec): User {
  return { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) }
}

async function answer({ access, body }: Asked, user: User, spec: Spec): Promise<AnyResource> {
  const verdict = await access.authorizer.authorize(attributesOf(user, spec))
  const { allowed, denied, reason } = verdict
  return {
    ...body,
    status: { allowed, ...(denied ? { denied } : {}), ...(reason === '' ? {} : { reason }) },
  }
}

function attributesOf(user: User, spec: Spec): Attributes {
  const path: V1NonResourceAttributes | undefined = spec.nonResourceAttributes
  if (path) return { type: 'path', user, verb: path.verb ?? '', path: path.path ?? '' }
  const asked: V1ResourceAttributes = spec.resourceAttributes ?? {}
  return resourceAttributes(user, {
    verb: asked.verb ?? '',
    group: asked.group ?? '',
    version: asked.version ?? '',
    resource: asked.resource ?? '',
    subresource: asked.subresource ?? '',
    namespace: asked.namespace ?? '',
    name: asked.name ?? '',
    fieldSelector: asked.fieldSelector?.rawSelector ?? '',
  })
}
