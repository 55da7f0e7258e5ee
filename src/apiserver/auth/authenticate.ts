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

interface Credentials {
  readonly socket: TLSSocket
  /** The Authorization header. */
  readonly authorization: string | undefined
}

type TokenAuthenticator = (token: string) => Promise<{ readonly user: User } | undefined>

/**
 * The user; undefined when there are no credentials, 'refused' when those given are wrong. A client certificate
 * decides before a token, as in kube-apiserver; a wrong token is not repaired by anything.
 */
export async function authenticate(
  { socket, authorization }: Credentials,
  byToken: TokenAuthenticator,
): Promise<User | undefined | 'refused'> {
  const certified = clientCertificate(socket)
  if (certified) return certified
  const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) return undefined
  return (await byToken(token))?.user ?? 'refused'
}

/** A connection has one certificate for as long as it lasts. */
const known = new WeakMap<TLSSocket, User>()

/** A client certificate our own authority signed: CN is the name, each O a group (the TLS layer checked the chain). */
function clientCertificate(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined
  const before = known.get(socket)
  if (before) return before
  const subject = socket.getPeerCertificate(false)?.subject as
    | { CN?: string | string[]; O?: string | string[] }
    | undefined
  const name = [subject?.CN ?? []].flat()[0]
  if (!name) return undefined
  const user = { name, groups: [...[subject?.O ?? []].flat(), 'system:authenticated'] }
  known.set(socket, user)
  return user
}

/** Fixed bearer tokens, compared in constant time. */
export function bearerTokens(
  tokens: readonly { readonly token: string; readonly user: User }[],
): (token: string) => User | undefined {
  const held = tokens.map(({ token, user }) => ({ digest: digest(token), user }))
  return (token) => {
    const given = digest(token)
    return held.find((candidate) => timingSafeEqual(candidate.digest, given))?.user
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
