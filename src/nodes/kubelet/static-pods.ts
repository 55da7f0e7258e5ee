import type { V1PodStatus } from '../../api/generated/types.ts'
import { type Node, node as nodeKind } from '../../api/kinds/node.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { keyOf } from '../../api/resource.ts'
import { isMirrorPod, nodeUidOf } from '../../api/static-pods.ts'
import { isReason } from '../../api/status.ts'
import { formatTime } from '../../base/date.ts'
import type { Env } from '../../base/env.ts'
import type { Client } from '../../client/client.ts'
import type { Informers } from '../../client/informers.ts'
import { isWritten } from './pod-status.ts'
import type { PodWorker } from './pod-worker.ts'
import { mirrorOf } from './static-pod.ts'
import { type PodReports, removePod, writeStatus } from './write-pod.ts'

interface Running {
  readonly pod: Pod
  worker: PodWorker | undefined
  /** Its manifest is gone, or says something else: it has ended by then (epoch ms). */
  endsAt: number | undefined
  /** What became of it, whether the API knows or not. */
  status: V1PodStatus | undefined
  mirror: Pod | undefined
}

interface StaticPodsOptions {
  readonly env: Env
  readonly client: Client
  readonly informers: Informers
  readonly node: string
  lookAgain(key: string, afterMs: number): void
  /** Nothing goes between this node and the API. */
  isCut(): boolean
  take(key: string, pod: Pod, reports: PodReports): PodWorker
  forget(uid: string): void
}

/**
 * The static pods of one node. Each runs as its manifest says, whatever the API says or whether it answers; as far as
 * it does, a mirror pod shows it. A mirror that somebody deletes is made again, and the containers never notice.
 */
export class StaticPods {
  readonly #options: StaticPodsOptions
  readonly #running = new Map<string, Running>()
  #wanted = new Map<string, Pod>()

  constructor(options: StaticPodsOptions) {
    this.#options = options
  }

  /** What the manifests say now. */
  set(pods: readonly Pod[]): void {
    const keys = new Set([...this.#wanted.keys(), ...pods.map(keyOf)])
    this.#wanted = new Map(
      pods.map((pod) => {
        const before = this.#wanted.get(keyOf(pod))
        return [keyOf(pod), before && before.metadata.uid === pod.metadata.uid ? before : pod]
      }),
    )
    for (const key of keys) this.#options.lookAgain(key, 0)
  }

  keys(): readonly string[] {
    return [...new Set([...this.#wanted.keys(), ...this.#running.keys()])]
  }

  async sync(key: string, mirror: Pod | undefined): Promise<void> {
    const { env, isCut, client } = this.#options
    const wanted = this.#wanted.get(key)
    const running = this.#running.get(key) ?? (wanted && this.#begin(key, wanted, mirror))
    if (!running) {
      if (mirror && !isCut()) await removePod(client, mirror)
      return
    }
    const { pod } = running
    if (pod.metadata.uid !== wanted?.metadata.uid)
      running.endsAt ??= env.clock.now() + (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000
    running.mirror = mirror
    running.worker ??= this.#options.take(key, seen(running), this.#reports(key, running))
    await running.worker.sync(seen(running))
  }

  /** A mirror of this very pod tells what ran before this process began. */
  #begin(key: string, pod: Pod, mirror: Pod | undefined): Running {
    const isSame = mirror !== undefined && nodeUidOf(mirror) === pod.metadata.uid
    const status = isSame && mirror.status?.startTime ? mirror.status : undefined
    const running = { pod, worker: undefined, endsAt: undefined, status, mirror }
    this.#running.set(key, running)
    return running
  }

  #reports(key: string, running: Running): PodReports {
    const { client, isCut, forget, lookAgain } = this.#options
    return {
      status: async (_, status) => {
        running.status = { ...running.status, ...status }
        if (isCut()) return undefined
        const mirror = running.endsAt === undefined ? await this.#mirror(key, running) : running.mirror
        if (mirror && !isWritten(mirror, status)) await writeStatus(client, mirror, status)
        return undefined
      },
      release: async ({ metadata: { uid = '' } }) => {
        forget(uid)
        this.#running.delete(key)
        // The new one, or the mirror that is left.
        lookAgain(key, 0)
      },
    }
  }

  /** The mirror as it is, or made anew; undefined when there cannot be one. */
  async #mirror(key: string, { pod, mirror }: Running): Promise<Pod | undefined> {
    const { client, informers, env, node: name } = this.#options
    // What was made or deleted a moment ago has not been seen yet.
    const found = mirror ?? (await find(client, pod))
    if (found && !isMirrorPod(found)) return undefined
    const isGood = nodeUidOf(found ?? pod) === pod.metadata.uid && !found?.metadata.deletionTimestamp
    if (found && isGood) return found
    if (found) await removePod(client, found)
    const node: Node | undefined = informers.of(nodeKind).get(name)
    if (!node || node.metadata.deletionTimestamp !== undefined) return undefined
    try {
      return await client.create(podKind, mirrorOf(pod, node))
    } catch (error) {
      env.log.debug({ err: error, pod: key }, 'mirror pod not created, tried again')
      throw error
    }
  }
}

function seen({ pod, endsAt, status }: Running): Pod {
  const deletionTimestamp = endsAt === undefined ? {} : { deletionTimestamp: formatTime(endsAt) }
  return { ...pod, metadata: { ...pod.metadata, ...deletionTimestamp }, ...(status ? { status } : {}) }
}

async function find(client: Client, { metadata: { namespace, name } }: Pod): Promise<Pod | undefined> {
  try {
    return await client.get(podKind, { namespace, name })
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  }
}
