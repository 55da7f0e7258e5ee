import type { Duplex } from 'node:stream'
import { ApiError } from '../api/status.ts'
import { Wake } from '../base/wake.ts'
import type {
  ContainerUsage,
  LogOptions,
  NodeConnection,
  NodeUsage,
  ProcessIo,
} from '../client/node-connection.ts'
import { formatLog } from './runtimes/log-lines.ts'
import type { Runtime } from './runtimes/runtime.ts'

/** A node of this process, for the API server. */
export class LocalNodeConnection implements NodeConnection {
  readonly #node: string
  readonly #runtime: Runtime

  constructor(node: string, runtime: Runtime) {
    this.#node = node
    this.#runtime = runtime
  }

  async *logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<string> {
    await this.#runtime.recall(id)
    const first = this.#runtime.logs(id)
    if (!first) {
      yield `unable to retrieve container logs for ${id}`
      return
    }
    const wake = new Wake()
    const cancel = this.#runtime.onLog(id, () => wake.wake())
    try {
      let left = options.limitBytes ?? Number.POSITIVE_INFINITY
      let { lines, total } = first
      let limits: LogOptions = options
      for (;;) {
        for (const text of formatLog(lines, limits)) {
          yield text
          left -= Buffer.byteLength(text)
        }
        if (!options.follow || left <= 0) return
        let now = this.#runtime.logs(id)
        while (now && now.total === total && !this.#runtime.find(id)?.exit && !signal.aborted) {
          await wake.wait(signal)
          now = this.#runtime.logs(id)
        }
        if (!now || now.total === total || signal.aborted) return
        lines = now.lines.slice(-(now.total - total))
        total = now.total
        limits = {
          ...options,
          tailLines: undefined,
          since: undefined,
          ...(options.limitBytes === undefined ? {} : { limitBytes: left }),
        }
      }
    } finally {
      cancel()
    }
  }

  async exec(id: string, command: readonly string[], io: ProcessIo): Promise<number> {
    return this.#runtime.exec(id, command, io)
  }

  async attach(id: string, io: ProcessIo): Promise<void> {
    await this.#runtime.attach(id, io)
  }

  async dial(podUid: string, port: number): Promise<Duplex> {
    const connection = this.#runtime.dial(this.#node, podUid, port)
    if (connection) return connection
    throw new ApiError('ServiceUnavailable', `dial tcp4 127.0.0.1:${port}: connect: connection refused`)
  }

  usage(): NodeUsage {
    return usageOf(this.#runtime, this.#node)
  }

  containerUsage(id: string): Omit<ContainerUsage, 'name'> | undefined {
    const handle = this.#runtime.find(id)
    return handle && !handle.exit ? { startedAt: handle.startedAt, ...this.#runtime.usage(id) } : undefined
  }
}

/** What all that runs on a node uses now. */
export function usageOf(runtime: Runtime, node: string): NodeUsage {
  const pods = new Map<string, ContainerUsage[]>()
  let [cpu, memory] = [0, 0]
  for (const { podUid, name, id, startedAt } of runtime.containers(node)) {
    const used = runtime.usage(id)
    cpu += used.cpu
    memory += used.memory
    const own = pods.get(podUid) ?? []
    pods.set(podUid, own)
    own.push({ name, startedAt, ...used })
  }
  return { cpu, memory, pods: [...pods].map(([uid, containers]) => ({ uid, containers })) }
}
