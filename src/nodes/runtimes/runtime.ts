import type { Duplex } from 'node:stream'
import type { V1Container, V1LifecycleHandler, V1Probe } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import type { Cancel } from '../../base/clock.ts'
import type { ContainerUsage, ProcessIo } from '../../client/node-connection.ts'
import type { ImageOnDisk } from './image-cache.ts'
import type { Log } from './log-lines.ts'
import type { Surroundings } from './surroundings.ts'

/** How a container ended. */
export interface Exit {
  readonly code: number
  /** Completed, Error or OOMKilled. */
  readonly reason: string
  /** Epoch ms. */
  readonly at: number
  /** What it left to be told of its end. */
  readonly message?: string | undefined
}

/** A container that was started, as the runtime sees it. */
export interface ContainerHandle {
  /** "simulated://…" */
  readonly id: string
  readonly imageId: string
  /** Epoch ms. */
  readonly startedAt: number
  readonly exit?: Exit | undefined
}

export interface ProbeAnswer {
  readonly ok: boolean
  readonly message: string
  /** The answer cannot change before this time (epoch ms); Infinity: not until `onChange` says so. */
  readonly until: number
}

export interface RunningContainer {
  readonly podUid: string
  readonly name: string
  readonly id: string
  /** Epoch ms. */
  readonly startedAt: number
}

export interface ContainerUse extends Pick<ContainerUsage, 'cpu' | 'memory' | 'figures'> {
  /** Bytes written beside volumes. */
  readonly storage: number
  /** Bytes written into the first emptyDir. */
  readonly emptyDir: number
  /** Files on the disk. */
  readonly inodes: number
}

/**
 * What a kubelet asks of a container runtime; shaped after CRI (pull, create and start, stop, remove, status, stats),
 * one object for all nodes of a kind. `node` names the node whose image cache and containers are meant. A pull or a
 * start that fails throws an Error whose message is what the pod's status shows.
 */
export interface Runtime {
  /** As NodePool.spec.runtime names it. */
  readonly name: string
  /** For nodeInfo.containerRuntimeVersion. */
  readonly version: string
  hasImage(node: string, image: string): boolean
  /** Resolves with the size in bytes. An image that is there already is only checked; the same pull is made once. */
  pull(node: string, image: string): Promise<number>
  start(node: string, pod: Pod, container: V1Container, surroundings?: Surroundings): Promise<ContainerHandle>
  /** A container that ran before this process began; it goes on from there. One that has ended is there for its log. */
  adopt(
    node: string,
    pod: Pod,
    container: V1Container,
    handle: ContainerHandle,
    surroundings?: Surroundings,
  ): void
  find(id: string): ContainerHandle | undefined
  /**
   * Asks it to end (143 where it obeys), and ends it after the grace (137). Resolves when it has ended. Asked again, the
   * earlier end holds; what has ended, or is not known, stays as it is.
   */
  stop(id: string, graceMs: number): Promise<void>
  /** Gives it the container's resources while it runs. */
  resize(id: string, container: V1Container): void
  /** Ends it at once, of itself. */
  crash(id: string, code: number, reason: string): void
  /** Forgets a container that has ended. */
  remove(id: string): void
  /** Asks once, with the pod's address where the probe names no host. */
  probe(id: string, probe: V1Probe, podIP: string): ProbeAnswer
  /** Runs a lifecycle hook to its end; resolves with why it failed, or undefined. */
  hook(id: string, handler: V1LifecycleHandler): Promise<string | undefined>
  /** Nothing when it does not run. */
  usage(id: string): ContainerUse
  /** Whether what runs could use more memory than it asks for: where not, nobody has to look. */
  mayRunShort(): boolean
  /** The same of the node's disk, as far as containers write to it. */
  mayFillDisk(): boolean
  /** Those that run on a node. */
  containers(node: string): readonly RunningContainer[]
  /** Has the log there of one that ended before this process began, as far as it can be had. */
  recall(id: string): Promise<void>
  /** What it wrote, oldest first; also after its end, until it is removed. Undefined: there is no such container. */
  logs(id: string): Log | undefined
  /** Tells when there may be more to read, and when it ended. */
  onLog(id: string, tell: () => void): Cancel
  /** Runs a command in it and resolves with its exit code; rejects when the container does not run. */
  exec(id: string, command: readonly string[], io: ProcessIo): Promise<number>
  /** Its own process from now on: what it writes, and what is sent to it. Resolves when it ends. */
  attach(id: string, io: ProcessIo): Promise<void>
  /** A connection to a port of the pod's network; undefined when nothing listens there. */
  dial(node: string, podUid: string, port: number): Duplex | undefined
  images(node: string): readonly ImageOnDisk[]
  /** Not while a container uses it. */
  removeImage(node: string, image: string): void
  /** A container ended, or the behaviour of containers changed: the pod is looked at again. */
  onChange(tell: (podUid: string) => void): Cancel
}
