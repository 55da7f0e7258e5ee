import type { Env } from '../base/env.ts'
import type { NodeConnections, NodeUsage } from '../client/node-connection.ts'

/** Samples are this far apart, as a metrics server takes them; a time between two shows the one before. */
export const SAMPLE_MS = 15_000

/** What the nodes say of their use, each asked at most once a sample. A node that is gone has none from the next one on. */
export class NodeSamples {
  readonly #env: Env
  readonly #connections: NodeConnections
  readonly #taken = new Map<string, NodeUsage | undefined>()
  #at = 0

  constructor(env: Env, connections: NodeConnections) {
    this.#env = env
    this.#connections = connections
  }

  /** Epoch ms of the sample that holds now. */
  get at(): number {
    const now = this.#env.clock.now()
    return now - (now % SAMPLE_MS)
  }

  of(node: string): NodeUsage | undefined {
    if (this.#at !== this.at) this.#taken.clear()
    this.#at = this.at
    if (!this.#taken.has(node)) this.#taken.set(node, this.#connections.get(node)?.usage())
    return this.#taken.get(node)
  }
}
