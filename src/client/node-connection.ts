import type { Duplex } from 'node:stream'

export interface LogOptions {
  readonly follow?: boolean | undefined
  /** The last so many lines of what there is. */
  readonly tailLines?: number | undefined
  /** Epoch ms: nothing older. */
  readonly since?: number | undefined
  readonly timestamps?: boolean | undefined
  readonly limitBytes?: number | undefined
  readonly stream?: 'All' | 'Stdout' | 'Stderr' | undefined
}

/** The ends of a process that somebody talks to. Writing resolves when there is room for more. */
export interface ProcessIo {
  /** Absent: nothing is sent. It ends when the sender closes it. */
  readonly stdin: AsyncIterable<Uint8Array> | undefined
  readonly tty: boolean
  /** Aborted when nobody listens any more. */
  readonly signal: AbortSignal
  stdout(bytes: Uint8Array): Promise<void>
  stderr(bytes: Uint8Array): Promise<void>
}

/** A figure that a container exposes, in base units. */
export interface NamedAmount {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export interface ContainerUsage {
  readonly name: string
  /** Epoch ms. */
  readonly startedAt: number
  /** Cores. */
  readonly cpu: number
  /** Bytes. */
  readonly memory: number
  /** Beside the resources it uses. */
  readonly figures: readonly NamedAmount[]
}

/** What ran on a node when it was last asked. */
export interface NodeUsage {
  readonly cpu: number
  readonly memory: number
  readonly pods: readonly { readonly uid: string; readonly containers: readonly ContainerUsage[] }[]
}

/**
 * How the API server reaches a node: the kubelet's own API, as far as people use it through the API server. `id` is a
 * container's as its status names it. Every failure is an ApiError.
 */
export interface NodeConnection {
  /** Whole lines, each with its end; ends with the container when it is followed. */
  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<string>
  /** Resolves with the exit code. */
  exec(id: string, command: readonly string[], io: ProcessIo): Promise<number>
  /** The process that runs already; resolves when it ends. Its exit code is in the pod's status. */
  attach(id: string, io: ProcessIo): Promise<void>
  /** A connection to a port of the pod's own network. Rejects when nothing listens there. */
  dial(podUid: string, port: number): Promise<Duplex>
  /** Of all that runs there. */
  usage(): NodeUsage
  /** Of one container; undefined when it does not run there. */
  containerUsage(id: string): Omit<ContainerUsage, 'name'> | undefined
}

/** The nodes that can be reached now, by name. Nodes come and go; whoever runs one says so. */
export class NodeConnections {
  readonly #byNode = new Map<string, NodeConnection>()

  set(node: string, connection: NodeConnection): void {
    this.#byNode.set(node, connection)
  }

  delete(node: string): void {
    this.#byNode.delete(node)
  }

  get(node: string): NodeConnection | undefined {
    return this.#byNode.get(node)
  }
}
