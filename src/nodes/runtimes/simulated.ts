import type { Duplex } from 'node:stream'
import type { V1Container, V1LifecycleHandler, V1Probe } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { withoutStatus } from '../../api/pods.ts'
import { type Cancel, every, sleep } from '../../base/clock.ts'
import type { Env } from '../../base/env.ts'
import type { Informers } from '../../client/informers.ts'
import type { ProcessIo } from '../../client/node-connection.ts'
import { type Behaviour, Behaviours, imageIdOf } from './behaviour.ts'
import { endOf } from './container-end.ts'
import { ImageCache, type ImageOnDisk, imageVolumesOf } from './image-cache.ts'
import { type Log, type LogLine, logOf, withSaid } from './log-lines.ts'
import { ownCommand, recallLog, runOwnCommand } from './own-command.ts'
import type {
  ContainerHandle,
  ContainerUse,
  Exit,
  ProbeAnswer,
  RunningContainer,
  Runtime,
} from './runtime.ts'
import { NO_FAULTS, type RuntimeFaults } from './runtime-faults.ts'
import { ServedRequests, type Server } from './served-requests.ts'
import { ContainerFiles } from './shell/files.ts'
import { followLog } from './simulated-attach.ts'
import { runInContainer } from './simulated-exec.ts'
import { flapping, simulatedHook, simulatedProbe } from './simulated-hook.ts'
import { answerHttp, listensOn } from './simulated-http.ts'
import { memoryOfVolumes, NO_SURROUNDINGS, type Surroundings } from './surroundings.ts'
import { terminationMessage } from './termination-message.ts'
import { figuresAt, NO_USAGE, usageAt } from './usage.ts'

/** Of a hook: nobody reads what it says. */
const SILENT = { stdout: async () => {}, stderr: async () => {} }

/** Usage is sampled this often, as a metrics server does. */
const SAMPLE_MS = 15_000

interface Running {
  handle: ContainerHandle
  readonly node: string
  readonly pod: Pod
  container: V1Container
  readonly behaviour: Behaviour
  readonly surroundings: Surroundings
  /** What was written to it beside its own lines; made when there is something. */
  said?: { readonly lines: readonly LogLine[]; readonly total: number }
  /** Made when somebody looks. */
  files?: ContainerFiles
  readonly onLog: Set<() => void>
  /** While it runs what its spec says. */
  own?: AbortController | undefined
  /** Of the end that comes by itself. */
  cancelExit: Cancel
  stopping?: { readonly at: number; readonly cancel: Cancel } | undefined
  readonly onEnd: (() => void)[]
}

/**
 * Containers that exist only as times: how long a pull and a start take, when probes answer, when and how the process
 * ends, what it uses; all declared by SimulatedImage objects. Costs nothing while nothing happens.
 */
export class SimulatedRuntime implements Runtime {
  readonly name = 'simulated'
  readonly version = 'simulated://1.0.0'
  readonly #env: Env
  readonly #behaviours: Behaviours
  readonly #faults: RuntimeFaults
  readonly #containers = new Map<string, Running>()
  readonly #byNode = new Map<string, Set<string>>()
  readonly #requests: ServedRequests
  readonly #images = new ImageCache()
  readonly #pulls = new Map<string, Promise<number>>()
  readonly #tell = new Set<(podUid: string) => void>()

  constructor(env: Env, informers: Informers, faults: RuntimeFaults = NO_FAULTS) {
    this.#faults = faults
    this.#env = env
    this.#behaviours = new Behaviours(informers)
    this.#requests = new ServedRequests(informers, (at) => this.#servers(at))
  }

  hasImage(node: string, image: string): boolean {
    return this.#images.has(node, image)
  }

  pull(node: string, image: string): Promise<number> {
    const key = `${node}\n${image}`
    const running = this.#pulls.get(key)
    if (running) return running
    const pull = this.#pull(node, image).finally(() => this.#pulls.delete(key))
    this.#pulls.set(key, pull)
    return pull
  }

  async #pull(node: string, image: string): Promise<number> {
    const behaviour = this.#behaviours.of(image)
    if (!this.hasImage(node, image))
      await sleep(this.#env.clock, behaviour.pullMs + this.#faults.delayMs(node))
    const pullError = behaviour.pullError ?? this.#faults.pullError(node, image)
    if (pullError !== undefined) throw new Error(`failed to pull and unpack image "${image}": ${pullError}`)
    this.#images.put(node, image, behaviour.sizeBytes, this.#env.clock.now())
    return behaviour.sizeBytes
  }

  async start(
    node: string,
    pod: Pod,
    container: V1Container,
    surroundings: Surroundings = NO_SURROUNDINGS,
  ): Promise<ContainerHandle> {
    const behaviour = this.#behaviours.of(container.image ?? '')
    await sleep(this.#env.clock, behaviour.startMs + this.#faults.delayMs(node))
    const handle = {
      id: `simulated://${this.#env.random.uuid().replaceAll('-', '')}`,
      imageId: imageIdOf(container.image ?? ''),
      startedAt: this.#env.clock.now(),
    }
    this.#run(node, pod, container, handle, behaviour, surroundings)
    return handle
  }

  adopt(
    node: string,
    pod: Pod,
    container: V1Container,
    handle: ContainerHandle,
    surroundings: Surroundings = NO_SURROUNDINGS,
  ): void {
    if (this.#containers.has(handle.id)) return
    const behaviour = this.#behaviours.of(container.image ?? '')
    this.#images.put(node, container.image ?? '', behaviour.sizeBytes, this.#env.clock.now())
    this.#run(node, pod, container, handle, behaviour, surroundings)
  }

  find(id: string): ContainerHandle | undefined {
    return this.#containers.get(id)?.handle
  }

  stop(id: string, graceMs: number): Promise<void> {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit) return Promise.resolve()
    const { stopMs } = running.behaviour
    const isKilled = graceMs < stopMs || graceMs === 0
    const waitMs = Math.min(graceMs, stopMs)
    const at = this.#env.clock.now() + waitMs
    const ended = new Promise<void>((resolve) => running.onEnd.push(resolve))
    if (running.stopping === undefined || at < running.stopping.at) {
      running.stopping?.cancel()
      const end = () => this.#end(id, { code: isKilled ? 137 : 143, reason: 'Error' })
      if (waitMs === 0) end()
      else running.stopping = { at, cancel: this.#env.clock.after(waitMs, end) }
    }
    return ended
  }

  resize(id: string, container: V1Container): void {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit) return
    running.container = container
    running.cancelExit()
    this.#await(running)
  }

  crash(id: string, code: number, reason: string): void {
    this.#end(id, { code, reason })
  }

  remove(id: string): void {
    const running = this.#containers.get(id)
    if (!running) return
    this.#cancelEnds(running)
    this.#containers.delete(id)
    this.#byNode.get(running.node)?.delete(id)
    this.#use(running, -1)
  }

  probe(id: string, probe: V1Probe, podIP: string): ProbeAnswer {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit)
      return { ok: false, message: 'container is not running', until: Number.POSITIVE_INFINITY }
    const readyAt = running.handle.startedAt + running.behaviour.readyMs
    const flapMs = this.#faults.flapMs(running.node, running.pod, running.container)
    if (flapMs !== undefined) return flapping(this.#env.clock.now(), flapMs)
    return simulatedProbe(probe, running, podIP, readyAt, this.#env.clock.now())
  }

  async hook(id: string, handler: V1LifecycleHandler): Promise<string | undefined> {
    const running = this.#running(id)
    const io = { stdin: undefined, tty: false, signal: new AbortController().signal, ...SILENT }
    return simulatedHook(this.#env.clock, handler, running, (command) => this.exec(id, command, io))
  }

  /** By what is declared now, which may have changed since it started. */
  usage(id: string): ContainerUse {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit) return { ...NO_USAGE, figures: [] }
    const { container, handle } = running
    const at = this.#env.clock.now() - (this.#env.clock.now() % SAMPLE_MS)
    const server = this.#serverOf(running, at)
    const perSecond = this.#requests.perSecond(server, at)
    const { usage } = server.behaviour
    const ranMs = Math.max(0, at - handle.startedAt)
    const used = usageAt(usage, container.resources?.requests, ranMs, perSecond)
    const memory = used.memory + memoryOfVolumes(running.surroundings, used.emptyDir)
    return { ...used, memory, figures: figuresAt(usage, ranMs, perSecond) }
  }

  *#servers(at: number): Iterable<Server> {
    for (const running of this.#containers.values())
      if (!running.handle.exit) yield this.#serverOf(running, at)
  }

  #serverOf({ pod, container, handle, stopping }: Running, at: number): Server {
    const behaviour = this.#behaviours.of(container.image ?? '')
    const isReady = handle.startedAt + behaviour.readyMs <= at && !stopping
    return { podUid: pod.metadata.uid ?? '', behaviour, isReady }
  }

  mayRunShort(): boolean {
    return this.#behaviours.declareMemory()
  }

  mayFillDisk(): boolean {
    return this.#behaviours.declareStorage()
  }

  containers(node: string): readonly RunningContainer[] {
    return [...(this.#byNode.get(node) ?? [])].flatMap((id) => {
      const running = this.#containers.get(id)
      if (!running || running.handle.exit) return []
      const { pod, container, handle } = running
      return [{ podUid: pod.metadata.uid ?? '', name: container.name, id, startedAt: handle.startedAt }]
    })
  }

  async recall(id: string): Promise<void> {
    const running = this.#containers.get(id)
    if (!running?.handle.exit || running.said || running.own) return
    const lines = await recallLog(this.#env.clock, running)
    if (lines.length > 0)
      Object.assign(running, { said: withSaid(undefined, lines), own: new AbortController() })
  }

  logs(id: string): Log | undefined {
    const running = this.#containers.get(id)
    return running && logOf(running, this.#env.clock.now())
  }

  onLog(id: string, tell: () => void): Cancel {
    const running = this.#containers.get(id)
    if (!running) return () => {}
    running.onLog.add(tell)
    const { logEveryMs } = running.behaviour
    const stop = logEveryMs === undefined ? () => {} : every(this.#env.clock, logEveryMs, tell)
    return () => {
      stop()
      running.onLog.delete(tell)
    }
  }

  async exec(id: string, command: readonly string[], io: ProcessIo): Promise<number> {
    const running = this.#running(id)
    return runInContainer(this.#env.clock, { ...running, files: this.#filesOf(running) }, command, io)
  }

  async attach(id: string, io: ProcessIo): Promise<void> {
    const running = this.#running(id)
    if (running.container.stdin && io.stdin && !running.own) return this.#converse(id, running, io)
    return followLog(
      this.#env.clock,
      running,
      io,
      (tell) => this.onLog(id, tell),
      (line) => this.#say(running, line),
    )
  }

  /** A container that waits for somebody to type is a shell, and ends with it. */
  async #converse(id: string, running: Running, io: ProcessIo): Promise<void> {
    const code = await this.exec(id, ['sh'], io)
    const isGone = io.signal.aborted && !running.container.stdinOnce
    if (!isGone) this.#end(id, { code, reason: code === 0 ? 'Completed' : 'Error' })
  }

  dial(node: string, podUid: string, port: number): Duplex | undefined {
    for (const { id } of this.containers(node).filter((each) => each.podUid === podUid)) {
      const running = this.#containers.get(id)
      if (running && listensOn(running, port)) return answerHttp(running, port)
    }
    return undefined
  }

  images(node: string): readonly ImageOnDisk[] {
    return this.#images.of(node)
  }

  removeImage(node: string, image: string): void {
    this.#images.remove(node, image)
  }

  onChange(tell: (podUid: string) => void): Cancel {
    this.#tell.add(tell)
    return () => this.#tell.delete(tell)
  }

  #running(id: string): Running {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit) throw new Error(`container ${id} is not running`)
    return running
  }

  #say(running: Running, ...lines: readonly LogLine[]): void {
    running.said = withSaid(running.said, lines)
    for (const tell of running.onLog) tell()
  }

  #run(
    node: string,
    pod: Pod,
    container: V1Container,
    handle: ContainerHandle,
    behaviour: Behaviour,
    surroundings: Surroundings,
  ): void {
    const running: Running = {
      handle,
      node,
      pod: withoutStatus(pod),
      container,
      behaviour,
      surroundings,
      onLog: new Set(),
      cancelExit: () => {},
      onEnd: [],
    }
    this.#containers.set(handle.id, running)
    const ids = this.#byNode.get(node) ?? new Set()
    this.#byNode.set(node, ids.add(handle.id))
    this.#use(running, 1)
    if (handle.exit) return
    const command = ownCommand(container, behaviour)
    if (command) void this.#obey(running, command)
    this.#await(running)
  }

  /** It does what its spec says, and ends as that ends. */
  async #obey(running: Running, command: readonly string[]): Promise<void> {
    running.own = new AbortController()
    const { signal } = running.own
    const say = (line: LogLine) => this.#say(running, line)
    this.#filesOf(running)
    const code = await runOwnCommand(this.#env.clock, { ...running, command, signal, say })
    if (running.handle.exit) return
    const reason = code === 0 ? 'Completed' : 'Error'
    if (code !== undefined) return this.#end(running.handle.id, { code, reason })
    running.own = undefined
    running.cancelExit()
    this.#await(running)
  }

  #filesOf(running: Running): ContainerFiles {
    running.files ??= new ContainerFiles(running.surroundings, this.#env.clock)
    return running.files
  }

  #use({ node, pod, container }: Running, by: 1 | -1): void {
    for (const image of [container.image ?? '', ...imageVolumesOf(pod, container)])
      this.#images.use(node, image, by, this.#env.clock.now())
  }

  #await(running: Running): void {
    const { handle } = running
    const end = endOf(running, this.#env.clock.now(), () => this.usage(handle.id).memory)
    if (!end) return
    const left = Math.max(0, handle.startedAt + end.afterMs - this.#env.clock.now())
    running.cancelExit = this.#env.clock.after(left, () => this.#end(handle.id, end))
  }

  #end(id: string, { code, reason, message }: Omit<Exit, 'at'>): void {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit) return
    this.#cancelEnds(running)
    const at = this.#env.clock.now()
    const said = terminationMessage(running, code, message, () => logOf(running, at).lines)
    const exit = { code, reason, at, ...(said === '' ? {} : { message: said }) }
    running.handle = { ...running.handle, exit }
    for (const tell of running.onLog) tell()
    for (const tell of running.onEnd.splice(0)) tell()
    for (const tell of this.#tell) tell(running.pod.metadata.uid ?? '')
  }

  #cancelEnds({ cancelExit, stopping, own }: Running): void {
    cancelExit()
    stopping?.cancel()
    own?.abort()
  }
}
