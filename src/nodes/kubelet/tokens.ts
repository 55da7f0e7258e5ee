import type { V1ServiceAccountTokenProjection } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { serviceAccount } from '../../api/kinds/service-account.ts'
import { parseTime } from '../../base/date.ts'
import type { Env } from '../../base/env.ts'
import { isObject } from '../../base/json.ts'
import type { Client } from '../../client/client.ts'

const DEFAULT_SECONDS = 3600
const MAX_AGE_MS = 24 * 3_600_000
/** Nobody asks again for a token that was refused before this has passed. */
const RETRY_MS = 10_000

interface Held {
  readonly text: string | undefined
  /** A better one is asked for then (epoch ms). */
  readonly dueAt: number
}

/** When a token is to be replaced (kubelet/token requiresRefresh): at 80 % of its life, after a day at the latest. Pure. */
export function tokenDueAt(expiresAt: number, lifeMs: number): number {
  return Math.min(expiresAt - lifeMs * 0.2, expiresAt - lifeMs + MAX_AGE_MS)
}

/**
 * The tokens that projected volumes show. A simulated container is the only reader, so that a token is asked for when
 * something in it is about to look, and not while nobody does.
 */
export class Tokens {
  readonly #env: Env
  readonly #client: Client
  readonly #held = new Map<string, Held>()
  readonly #asked = new Map<string, Promise<void>>()

  constructor(env: Env, client: Client) {
    this.#env = env
    this.#client = client
  }

  /** As it is now; undefined: there is none yet, or none to be had. What is too old is asked for again. */
  current(pod: Pod, projection: V1ServiceAccountTokenProjection): string | undefined {
    if (this.#isDue(pod, projection)) void this.#ask(pod, projection)
    return this.#held.get(idOf(pod, projection))?.text
  }

  /** Has all of a pod's tokens there, and none that is too old. One that cannot be had is left as it was. */
  async prepare(pod: Pod): Promise<void> {
    const due = (pod.spec.volumes ?? [])
      .flatMap(({ projected }) => projected?.sources ?? [])
      .flatMap(({ serviceAccountToken }) => serviceAccountToken ?? [])
      .filter((each) => this.#isDue(pod, each))
    await Promise.all(due.map((each) => this.#ask(pod, each)))
  }

  forget(uid: string): void {
    for (const id of this.#held.keys()) if (id.startsWith(`${uid} `)) this.#held.delete(id)
  }

  #isDue(pod: Pod, projection: V1ServiceAccountTokenProjection): boolean {
    return this.#env.clock.now() >= (this.#held.get(idOf(pod, projection))?.dueAt ?? 0)
  }

  #ask(pod: Pod, projection: V1ServiceAccountTokenProjection): Promise<void> {
    const id = idOf(pod, projection)
    const asked = this.#asked.get(id) ?? this.#request(id, pod, projection)
    this.#asked.set(id, asked)
    return asked.finally(() => this.#asked.delete(id))
  }

  async #request(id: string, { metadata, spec }: Pod, projection: V1ServiceAccountTokenProjection) {
    const { namespace, name, uid } = metadata
    const { audience, expirationSeconds = DEFAULT_SECONDS } = projection
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        ...(audience ? { audiences: [audience] } : {}),
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    }
    const key = { namespace, name: spec.serviceAccountName ?? 'default' }
    const now = this.#env.clock.now()
    try {
      const { token, expirationTimestamp } = statusOf(
        await this.#client.createSubresource(serviceAccount, key, 'token', body),
      )
      const expiresAt = parseTime(expirationTimestamp) ?? now + expirationSeconds * 1000
      this.#held.set(id, { text: token, dueAt: tokenDueAt(expiresAt, expirationSeconds * 1000) })
    } catch (error) {
      this.#env.log.debug({ err: error, pod: `${namespace}/${name}` }, 'no token for a pod')
      this.#held.set(id, { text: this.#held.get(id)?.text, dueAt: now + RETRY_MS })
    }
  }
}

function idOf({ metadata }: Pod, { audience = '', expirationSeconds = 0 }: V1ServiceAccountTokenProjection) {
  return `${metadata.uid ?? ''} ${audience} ${expirationSeconds}`
}

function statusOf(answer: unknown): { readonly token?: string; readonly expirationTimestamp?: string } {
  const status = isObject(answer) ? answer['status'] : undefined
  const text = (field: string) => {
    const value = isObject(status) ? status[field] : undefined
    return typeof value === 'string' ? { [field]: value } : {}
  }
  return { ...text('token'), ...text('expirationTimestamp') }
}
