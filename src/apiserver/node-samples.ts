import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import type { Env } from '../base/env.ts'
import type { ContainerUsage, NodeConnections, NodeUsage } from '../client/node-connection.ts'
import type { Reader } from './admission/admission.ts'

/** Samples are this far apart, as a metrics server takes them; a time between two shows the one before. */
export const SAMPLE_MS = 15_000

/**
 * What nodes and pods use, each asked at most once a sample, when somebody wants to know. A node that is gone has none
 * from the next sample on.
 */
export class NodeSamples {
  readonly #env: Env
  readonly #reader: Reader
  readonly #connections: NodeConnections
  readonly #nodes = new Map<string, NodeUsage | undefined>()
  readonly #pods = new Map<string, Promise<readonly Pod[]>>()
  readonly #containers = new Map<Pod, readonly ContainerUsage[]>()
  #at = 0

  constructor(env: Env, reader: Reader, connections: NodeConnections) {
    this.#env = env
    this.#reader = reader
    this.#connections = connections
  }

  /** Epoch ms of the sample that holds now. */
  get at(): number {
    const now = this.#env.clock.now()
    return now - (now % SAMPLE_MS)
  }

  ofNode(node: string): NodeUsage | undefined {
    this.#renew()
    if (!this.#nodes.has(node)) this.#nodes.set(node, this.#connections.get(node)?.usage())
    return this.#nodes.get(node)
  }

  /** The pods that ran when this was first asked of the sample, in one namespace or everywhere. */
  pods(namespace = ''): Promise<readonly Pod[]> {
    this.#renew()
    const known = this.#pods.get(namespace)
    if (known) return known
    const running = (async () => {
      const all = await this.#reader.all(podKind, namespace === '' ? undefined : namespace)
      return all.filter(({ status }) => status?.phase === 'Running')
    })()
    this.#pods.set(namespace, running)
    return running
  }

  /** Of one of these pods: its containers that run on a node that can be reached. */
  containersOf(pod: Pod): readonly ContainerUsage[] {
    this.#renew()
    const known = this.#containers.get(pod)
    if (known) return known
    const connection = this.#connections.get(pod.spec.nodeName ?? '')
    const {
      containerStatuses = [],
      initContainerStatuses = [],
      ephemeralContainerStatuses = [],
    } = pod.status ?? {}
    const used = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].flatMap(
      ({ name, containerID }): readonly ContainerUsage[] => {
        const usage = containerID === undefined ? undefined : connection?.containerUsage(containerID)
        return usage ? [{ name, ...usage }] : []
      },
    )
    this.#containers.set(pod, used)
    return used
  }

  /** Of the sample before, nothing holds. */
  #renew(): void {
    if (this.#at === this.at) return
    this.#at = this.at
    this.#nodes.clear()
    this.#pods.clear()
    this.#containers.clear()
  }
}
