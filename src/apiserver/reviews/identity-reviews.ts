import { tokenReview } from '../../api/review-kinds.ts'
import { fault, invalid } from '../../api/status.ts'
import type { User } from '../auth/authenticate.ts'
import { ISSUER } from '../auth/tokens/service-account-tokens.ts'
import type { Answering } from './review.ts'

/** authentication.k8s.io: who am I (kubectl auth whoami), and whose token is this? */

export const reviewSelf: Answering = async ({ body, context }) => ({
  ...body,
  status: { userInfo: userInfoOf(context.user) },
})

/** The token never comes back in an answer that is stored or logged: the review itself is neither. */
export const reviewToken: Answering = async ({ access, body }) => {
  const { token = '', audiences = [] } = (body.spec ?? {}) as {
    token?: string
    audiences?: readonly string[]
  }
  if (token === '') throw invalid(tokenReview, '', [fault.required('spec.token')])
  const found = await access.authenticateToken(token, audiences.length > 0 ? audiences : [ISSUER])
  if (!found) return { ...body, status: { user: {}, error: '[invalid bearer token]' } }
  const status = { authenticated: true, user: userInfoOf(found.user), audiences: found.audiences }
  return { ...body, status }
}

function userInfoOf({ name, uid, groups, extra }: User): object {
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) }
}
