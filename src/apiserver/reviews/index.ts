import type { KindRef } from '../../api/kind.ts'
import { serviceAccount } from '../../api/kinds/service-account.ts'
import {
  binding,
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectReview,
  selfSubjectRulesReview,
  subjectAccessReview,
  tokenReview,
} from '../../api/review-kinds.ts'
import { reviewAccess, reviewLocalAccess, reviewOwnAccess, reviewOwnRules } from './access-reviews.ts'
import { bindPod } from './binding.ts'
import { reviewSelf, reviewToken } from './identity-reviews.ts'
import type { Answering } from './review.ts'
import { requestToken } from './token-request.ts'

/** What answers a POST that stores nothing, by kind and subresource. One line per question. */
const answering: readonly (readonly [KindRef, string, Answering])[] = [
  [selfSubjectReview, '', reviewSelf],
  [binding, '', bindPod],
  [tokenReview, '', reviewToken],
  [subjectAccessReview, '', reviewAccess],
  [localSubjectAccessReview, '', reviewLocalAccess],
  [selfSubjectAccessReview, '', reviewOwnAccess],
  [selfSubjectRulesReview, '', reviewOwnRules],
  [serviceAccount, 'token', requestToken],
]

export function answeringOf({ group, plural }: KindRef, subresource: string): Answering | undefined {
  return answering.find(
    ([kind, sub]) => kind.plural === plural && kind.group === group && sub === subresource,
  )?.[2]
}
