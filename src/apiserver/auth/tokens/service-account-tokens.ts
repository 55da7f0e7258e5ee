import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { type ServiceAccount, serviceAccount } from '../../../api/kinds/service-account.ts'
import type { Resource } from '../../../api/resource.ts'
import { INVALID_SINCE } from '../../../api/service-account-secrets.ts'
import { dateOf, parseTime } from '../../../base/date.ts'
import type { Env } from '../../../base/env.ts'
import type { Reader } from '../../admission/admission.ts'
import type { User } from '../authenticate.ts'
import { serviceAccountUser } from '../service-account-names.ts'
import { type BoundName, type BoundObject, boundKinds } from './bound-objects.ts'

/**
 * Signs and checks tokens of service accounts (ES256, one key). A token is good while its account is the same one
 * (by UID), the object it is bound to is, and its time has not come: all three are looked up each time.
 */
export const ISSUER = 'https://kubernetes.default.svc.cluster.local'
export const JWKS_PATH = '/openid/v1/jwks'
/** What the tokens of Secrets are issued by; they do not expire. */
export const LEGACY_ISSUER = 'kubernetes/serviceaccount'
const ALGORITHM = 'ES256'
/** An object that is being deleted vouches for its tokens this much longer. */
const DELETION_LEEWAY_MS = 60_000
const VERIFIED_MAX = 2000

export interface TokenRequest {
  readonly account: ServiceAccount
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
  readonly bound?: BoundObject | undefined
}

export interface IssuedToken {
  readonly token: string
  /** Epoch ms. */
  readonly expiresAt: number
}

interface Named {
  readonly name?: string
  readonly uid?: string
}

interface KubernetesClaims extends Readonly<Partial<Record<BoundName, Named>>> {
  readonly namespace?: string
  readonly serviceaccount?: Named
}

export class ServiceAccountTokens {
  readonly #env: Env
  readonly #reader: Reader
  readonly #key: KeyObject
  readonly #public: KeyObject
  readonly #keyId: string
  /** Told of each use of a token that stands in a Secret. */
  onLegacyUse: ((secret: Resource) => void) | undefined
  /** Claims by the digest of their token. */
  readonly #verified = new Map<string, JWTPayload>()

  /** `keyPem`: a P-256 private key, PKCS 8. */
  constructor(env: Env, reader: Reader, keyPem: string) {
    this.#env = env
    this.#reader = reader
    this.#key = createPrivateKey(keyPem)
    this.#public = createPublicKey(this.#key)
    const der = this.#public.export({ type: 'spki', format: 'der' })
    this.#keyId = createHash('sha256').update(der).digest('base64url')
  }

  async issue({ account, audiences, expirationSeconds, bound }: TokenRequest): Promise<IssuedToken> {
    const { namespace = '', name, uid = '' } = account.metadata
    const seconds = Math.floor(this.#env.clock.now() / 1000)
    const expiresAt = seconds + expirationSeconds
    const claims = {
      aud: [...audiences],
      iss: ISSUER,
      sub: serviceAccountUser(namespace, name).name,
      jti: this.#env.random.uuid(),
      iat: seconds,
      nbf: seconds,
      exp: expiresAt,
      'kubernetes.io': { namespace, serviceaccount: { name, uid }, ...bound?.claims },
    }
    return { token: await this.#sign(claims), expiresAt: expiresAt * 1000 }
  }

  /** The token of a Secret of type kubernetes.io/service-account-token. */
  issueLegacy(account: ServiceAccount, secretName: string): Promise<string> {
    const { namespace = '', name, uid = '' } = account.metadata
    return this.#sign({
      iss: LEGACY_ISSUER,
      sub: serviceAccountUser(namespace, name).name,
      'kubernetes.io/serviceaccount/namespace': namespace,
      'kubernetes.io/serviceaccount/secret.name': secretName,
      'kubernetes.io/serviceaccount/service-account.name': name,
      'kubernetes.io/serviceaccount/service-account.uid': uid,
    })
  }

  /** Undefined when it is not good for any of the audiences, for whatever reason: a client is not told which. */
  async authenticate(
    token: string,
    audiences: readonly string[] = [ISSUER],
  ): Promise<{ readonly user: User; readonly audiences: readonly string[] } | undefined> {
    const claims = await this.#verify(token)
    if (!claims) return undefined
    if (claims.iss === LEGACY_ISSUER) {
      const user = audiences.includes(ISSUER) ? await this.#legacyUser(token, claims) : undefined
      return user && { user, audiences: [ISSUER] }
    }
    if (claims.iss !== ISSUER || claims.exp === undefined) return undefined
    const meant = [claims.aud ?? []].flat().filter((audience) => audiences.includes(audience))
    const user = meant.length > 0 ? await this.#boundUser(claims) : undefined
    return user && { user, audiences: meant }
  }

  /** For /openid/v1/jwks. */
  jwks(): object {
    const { kty, crv, x, y } = this.#public.export({ format: 'jwk' })
    return { keys: [{ use: 'sig', kty, kid: this.#keyId, crv, alg: ALGORITHM, x, y }] }
  }

  async #boundUser(claims: JWTPayload): Promise<User | undefined> {
    const { namespace, serviceaccount, ...bound } = (claims['kubernetes.io'] ?? {}) as KubernetesClaims
    const account = await this.#account(namespace, serviceaccount)
    if (!account || namespace === undefined) return undefined
    const extra: Record<string, readonly string[]> = {}
    if (claims.jti) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${claims.jti}`]
    for (const name of ['pod', 'secret', 'node'] as const) {
      const claim = bound[name]
      if (!claim?.name) continue
      // A token of a pod says its node for information; only one bound to the node itself depends on it.
      const isBinding = name !== 'node' || !bound.pod
      if (isBinding && !(await this.#isLive(name, namespace, claim))) return undefined
      if (name === 'secret') continue
      extra[`authentication.kubernetes.io/${name}-name`] = [claim.name]
      if (claim.uid) extra[`authentication.kubernetes.io/${name}-uid`] = [claim.uid]
    }
    const { name, uid = '' } = account.metadata
    return serviceAccountUser(namespace, name, { uid, extra })
  }

  async #legacyUser(token: string, claims: JWTPayload): Promise<User | undefined> {
    const claim = (name: string) => {
      const value = claims[`kubernetes.io/serviceaccount/${name}`]
      return typeof value === 'string' ? value : ''
    }
    const namespace = claim('namespace')
    const account = await this.#account(namespace, {
      name: claim('service-account.name'),
      uid: claim('service-account.uid'),
    })
    const secret = await this.#reader.find(boundKinds.secret, { namespace, name: claim('secret.name') })
    const kept = (secret as { data?: Readonly<Record<string, string>> } | undefined)?.data?.['token']
    if (!account || kept === undefined || Buffer.from(kept, 'base64').toString() !== token) return undefined
    // Marked because nobody used it for a year: only who takes the label off may use it again.
    if (!secret || secret.metadata.labels?.[INVALID_SINCE]) return undefined
    this.onLegacyUse?.(secret)
    return serviceAccountUser(namespace, account.metadata.name, { uid: account.metadata.uid ?? '' })
  }

  async #account(
    namespace: string | undefined,
    { name, uid }: Named = {},
  ): Promise<ServiceAccount | undefined> {
    if (!namespace || !name || !uid) return undefined
    const account = await this.#reader.find(serviceAccount, { namespace, name })
    return account?.metadata.uid === uid && !this.#isOver(account) ? account : undefined
  }

  async #isLive(kind: BoundName, namespace: string, { name = '', uid }: Named): Promise<boolean> {
    const object = await this.#reader.find(boundKinds[kind], { namespace, name })
    return object !== undefined && object.metadata.uid === uid && !this.#isOver(object)
  }

  #isOver({ metadata }: { readonly metadata: { readonly deletionTimestamp?: string | undefined } }): boolean {
    const at = parseTime(metadata.deletionTimestamp)
    return at !== undefined && at + DELETION_LEEWAY_MS < this.#env.clock.now()
  }

  async #sign(claims: JWTPayload): Promise<string> {
    const { SignJWT } = await import('jose')
    return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, kid: this.#keyId }).sign(this.#key)
  }

  /** A signature that was found good stays so: it is checked once, the times in the token always. */
  async #verify(token: string): Promise<JWTPayload | undefined> {
    const now = this.#env.clock.now()
    const digest = createHash('sha256').update(token).digest('base64')
    const known = this.#verified.get(digest)
    if (known) return isInTime(known, now) ? known : undefined
    const { jwtVerify } = await import('jose')
    try {
      const options = { algorithms: [ALGORITHM], currentDate: dateOf(now) }
      const { payload } = await jwtVerify(token, this.#public, options)
      if (this.#verified.size >= VERIFIED_MAX) this.#verified.clear()
      this.#verified.set(digest, payload)
      return payload
    } catch {
      return undefined
    }
  }
}

function isInTime({ exp, nbf = 0 }: JWTPayload, now: number): boolean {
  return nbf * 1000 <= now && (exp === undefined || now < exp * 1000)
}
