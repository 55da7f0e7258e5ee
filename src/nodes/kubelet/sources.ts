import type { V1ServiceAccountTokenProjection } from '../../api/generated/types.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { secret } from '../../api/kinds/secret.ts'
import { service } from '../../api/kinds/service.ts'
import { withoutStatus } from '../../api/pods.ts'
import type { Cancel } from '../../base/clock.ts'
import type { Env } from '../../base/env.ts'
import type { Client } from '../../client/client.ts'
import type { Informers } from '../../client/informers.ts'
import { hasClusterIp, serviceEnvironment } from './service-environment.ts'
import { Tokens } from './tokens.ts'

type Variables = Readonly<Record<string, string>>

/** What a pod's ConfigMaps and Secrets hold, as bytes; undefined: there is none. */
export type FindData = (
  kind: 'ConfigMap' | 'Secret',
  name: string,
) => Readonly<Record<string, Uint8Array>> | undefined

/** What the API holds for the containers of one pod. */
export interface PodSources {
  readonly data: FindData
  /** Where the services are that its containers are told of: the same object while they stay the same. */
  services(): Variables
  token(projection: V1ServiceAccountTokenProjection): string | undefined
  /** Has what is only made when somebody reads it: tokens. */
  prepare(): Promise<void>
}

/** Every container is told where the API is. */
const MASTER = 'default/kubernetes'

/** What all nodes of this process take from the API for their containers. */
export class Sources {
  readonly #informers: Informers
  readonly #tokens: Tokens
  /** Of each namespace, until one of its services changes. */
  readonly #services = new Map<string, Variables>()
  #master: Variables | undefined

  constructor(env: Env, client: Client, informers: Informers) {
    this.#informers = informers
    this.#tokens = new Tokens(env, client)
    for (const kind of [configMap, secret, service]) informers.of(kind)
  }

  /** Follows what it remembers, until cancelled. */
  start(): Cancel {
    return this.#informers.of(service).onChange(({ resource: { metadata } }) => {
      this.#services.delete(metadata.namespace ?? '')
      if (`${metadata.namespace}/${metadata.name}` !== MASTER) return
      this.#master = undefined
      this.#services.clear()
    })
  }

  of(given: Pod): PodSources {
    const pod = withoutStatus(given)
    const { namespace = '' } = pod.metadata
    return {
      data: (kind, name) => this.#dataOf(`${namespace}/${name}`, kind),
      services: () =>
        pod.spec.enableServiceLinks === false ? this.#ofMaster() : this.#ofNamespace(namespace),
      token: (projection) => this.#tokens.current(pod, projection),
      prepare: () => this.#tokens.prepare(pod),
    }
  }

  forget(uid: string): void {
    this.#tokens.forget(uid)
  }

  #ofMaster(): Variables {
    const found = this.#informers.of(service).get(MASTER)
    this.#master ??= serviceEnvironment(found && hasClusterIp(found) ? [found] : [])
    return this.#master
  }

  #ofNamespace(namespace: string): Variables {
    const known = this.#services.get(namespace)
    if (known) return known
    const found = this.#informers.of(service).byIndex('namespace', namespace).filter(hasClusterIp)
    // One that is called as the API's is does not hide it.
    const variables = { ...serviceEnvironment(found), ...this.#ofMaster() }
    this.#services.set(namespace, variables)
    return variables
  }

  #dataOf(key: string, kind: 'ConfigMap' | 'Secret'): ReturnType<FindData> {
    const found =
      kind === 'ConfigMap' ? this.#informers.of(configMap).get(key) : this.#informers.of(secret).get(key)
    if (!found) return undefined
    const encoded = 'binaryData' in found ? found.binaryData : kind === 'Secret' ? found.data : undefined
    const plain = kind === 'ConfigMap' ? found.data : undefined
    return Object.fromEntries([
      ...Object.entries(plain ?? {}).map(([name, text]) => [name, Buffer.from(text)] as const),
      ...Object.entries(encoded ?? {}).map(([name, text]) => [name, Buffer.from(text, 'base64')] as const),
    ])
  }
}
