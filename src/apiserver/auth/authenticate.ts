import { createHash, timingSafeEqual } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/** Who asks. Kubernetes' user.Info. */
export interface User {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/** For parts in this process, which carry no credential at all. */
export const LOOPBACK: User = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

export interface Credentials {
  readonly socket: TLSSocket
  /** The Authorization header. */
  readonly authorization: string | undefined
}

/** Returns the user, undefined when there are no credentials, or 'refused' when those given are wrong. */
export type Authenticator = (credentials: Credentials) => User | undefined | 'refused'

/** A client certificate our own authority signed: CN is the name, each O a group (the TLS layer checked the chain). */
export const clientCertificate: Authenticator = ({ socket }) => {
  if (!socket.authorized) return undefined
  const subject = socket.getPeerCertificate(false)?.subject as
    | { CN?: string | string[]; O?: string | string[] }
    | undefined
  const name = [subject?.CN ?? []].flat()[0]
  if (!name) return undefined
  return { name, groups: [...[subject?.O ?? []].flat(), 'system:authenticated'] }
}

/** Fixed bearer tokens, compared in constant time. */
export function bearerTokens(
  tokens: readonly { readonly token: string; readonly user: User }[],
): Authenticator {
  const known = tokens.map(({ token, user }) => ({ digest: digest(token), user }))
  return ({ authorization }) => {
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return undefined
    const given = digest(token)
    const found = known.find((candidate) => timingSafeEqual(candidate.digest, given))
    return found ? found.user : 'refused'
  }
}

/** The first authenticator with an answer decides; a wrong credential is not repaired by another one. */
export function authenticate(
  authenticators: readonly Authenticator[],
  credentials: Credentials,
): User | undefined | 'refused' {
  for (const authenticator of authenticators) {
    const user = authenticator(credentials)
    if (user !== undefined) return user
  }
  return undefined
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
