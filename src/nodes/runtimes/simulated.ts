import { createHash } from 'node:crypto'
import picomatch from 'picomatch'
import { parseDuration } from '../../api/duration.ts'
import type { V1Container, V1Probe } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { type SimulatedImage, simulatedImage } from '../../api/kinds/simulated-image.ts'
import { isMeantToEnd } from '../../api/pods.ts'
import { parseQuantity } from '../../api/quantity.ts'
import { type Cancel, sleep } from '../../base/clock.ts'
import type { Env } from '../../base/env.ts'
import type { Informers } from '../../client/informers.ts'
import { probeRefusal } from './probe-refusal.ts'
import type { ContainerHandle, Exit, ProbeAnswer, Runtime } from './runtime.ts'

/** What an image does that no SimulatedImage speaks of; the kind's schema documents the same defaults. */
const DEFAULTS = {
  pullTime: '1s',
  startTime: '500ms',
  readyAfter: '0s',
  stopTime: '0s',
  size: '50Mi',
} as const

/** Of a container that is meant to end and whose image declares no end: an init container, a Job's. */
const DEFAULT_END = { code: 0, afterMs: 1000 } as const

interface Behaviour {
  readonly pullMs: number
  readonly pullError: string | undefined
  readonly startMs: number
  readonly readyMs: number
  readonly stopMs: number
  readonly sizeBytes: number
  readonly exit: { readonly code: number; readonly afterMs: number } | undefined
  readonly usage: { readonly cpu?: string | undefined; readonly memory?: string | undefined }
  readonly logs: readonly string[]
}

interface Running {
  handle: ContainerHandle
  readonly node: string
  readonly podUid: string
  readonly container: V1Container
  readonly behaviour: Behaviour
  readonly logs: { readonly at: number; readonly line: string }[]
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
  readonly #informers: Informers
  readonly #containers = new Map<string, Running>()
  readonly #images = new Map<string, Map<string, number>>()
  readonly #pulls = new Map<string, Promise<number>>()
  readonly #matchers = new WeakMap<SimulatedImage, (image: string) => boolean>()
  readonly #tell = new Set<(podUid: string) => void>()

  constructor(env: Env, informers: Informers) {
    this.#env = env
    this.#informers = informers
    informers.of(simulatedImage)
  }

  hasImage(node: string, image: string): boolean {
    return this.#images.get(node)?.has(image) ?? false
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
    const behaviour = this.#behaviourOf(image)
    if (!this.hasImage(node, image)) await sleep(this.#env.clock, behaviour.pullMs)
    if (behaviour.pullError !== undefined)
      throw new Error(`failed to pull and unpack image "${image}": ${behaviour.pullError}`)
    this.#keepImage(node, image, behaviour)
    return behaviour.sizeBytes
  }

  #keepImage(node: string, image: string, { sizeBytes }: Behaviour): void {
    const images = this.#images.get(node) ?? new Map<string, number>()
    this.#images.set(node, images.set(image, sizeBytes))
  }

  async start(node: string, pod: Pod, container: V1Container): Promise<ContainerHandle> {
    const behaviour = this.#behaviourOf(container.image ?? '')
    await sleep(this.#env.clock, behaviour.startMs)
    const handle = {
      id: `simulated://${this.#env.random.uuid().replaceAll('-', '')}`,
      imageId: imageIdOf(container.image ?? ''),
      startedAt: this.#env.clock.now(),
    }
    this.#run(node, pod, container, handle, behaviour)
    return handle
  }

  adopt(node: string, pod: Pod, container: V1Container, handle: ContainerHandle): void {
    const behaviour = this.#behaviourOf(container.image ?? '')
    this.#keepImage(node, container.image ?? '', behaviour)
    this.#run(node, pod, container, handle, behaviour)
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

  remove(id: string): void {
    const running = this.#containers.get(id)
    if (!running) return
    this.#cancelEnds(running)
    this.#containers.delete(id)
  }

  probe(id: string, probe: V1Probe, podIP: string): ProbeAnswer {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit)
      return { ok: false, message: 'container is not running', until: Number.POSITIVE_INFINITY }
    const readyAt = running.handle.startedAt + running.behaviour.readyMs
    if (this.#env.clock.now() >= readyAt) return { ok: true, message: '', until: Number.POSITIVE_INFINITY }
    return { ok: false, message: probeRefusal(probe, running.container, podIP), until: readyAt }
  }

  usage(id: string): { readonly cpu: number; readonly memory: number } {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit) return { cpu: 0, memory: 0 }
    const { usage } = running.behaviour
    const requests = running.container.resources?.requests
    const cpu =
      usage.cpu !== undefined ? parseQuantity(usage.cpu) : parseQuantity(requests?.['cpu'] ?? '0.01') / 10
    return { cpu, memory: memoryOf(running) }
  }

  logs(id: string): readonly { readonly at: number; readonly line: string }[] {
    return this.#containers.get(id)?.logs ?? []
  }

  images(node: string): readonly { readonly names: readonly string[]; readonly sizeBytes: number }[] {
    return [...(this.#images.get(node) ?? [])].map(([image, sizeBytes]) => ({ names: [image], sizeBytes }))
  }

  onChange(tell: (podUid: string) => void): Cancel {
    this.#tell.add(tell)
    return () => this.#tell.delete(tell)
  }

  #run(node: string, pod: Pod, container: V1Container, handle: ContainerHandle, behaviour: Behaviour): void {
    const logs = behaviour.logs.map((line) => ({ at: handle.startedAt, line }))
    const running: Running = {
      handle,
      node,
      podUid: pod.metadata.uid ?? '',
      container,
      behaviour,
      logs,
      cancelExit: () => {},
      onEnd: [],
    }
    this.#containers.set(handle.id, running)
    const limit = container.resources?.limits?.['memory']
    if (limit !== undefined && memoryOf(running) > parseQuantity(limit)) {
      running.cancelExit = this.#env.clock.after(0, () =>
        this.#end(handle.id, { code: 137, reason: 'OOMKilled' }),
      )
      return
    }
    const exit = behaviour.exit ?? (isMeantToEnd(pod, container) ? DEFAULT_END : undefined)
    if (exit) {
      const { code, afterMs } = exit
      const left = Math.max(0, handle.startedAt + afterMs - this.#env.clock.now())
      running.cancelExit = this.#env.clock.after(left, () =>
        this.#end(handle.id, { code, reason: code === 0 ? 'Completed' : 'Error' }),
      )
    }
  }

  #end(id: string, { code, reason }: Omit<Exit, 'at'>): void {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit) return
    this.#cancelEnds(running)
    running.handle = { ...running.handle, exit: { code, reason, at: this.#env.clock.now() } }
    for (const tell of running.onEnd.splice(0)) tell()
    for (const tell of this.#tell) tell(running.podUid)
  }

  #cancelEnds({ cancelExit, stopping }: Running): void {
    cancelExit()
    stopping?.cancel()
  }

  #behaviourOf(image: string): Behaviour {
    const found = this.#informers
      .of(simulatedImage)
      .list()
      .toSorted(
        (a, b) =>
          specificity(b, image) - specificity(a, image) || (a.metadata.name < b.metadata.name ? -1 : 1),
      )
      .find((one) => this.#matcherOf(one)(image))
    return read(found?.spec)
  }

  /** Objects are never changed, so what was compiled for one holds as long as it does. */
  #matcherOf(one: SimulatedImage): (image: string) => boolean {
    const known = this.#matchers.get(one)
    if (known) return known
    const globs = picomatch([...one.spec.images])
    const matcher = (image: string) => one.spec.images.includes(image) || globs(image)
    this.#matchers.set(one, matcher)
    return matcher
  }
}

/** A reference without a wildcard says more than a glob. */
function specificity({ spec }: SimulatedImage, image: string): number {
  return spec.images.includes(image) ? 1 : 0
}

function read(spec: SimulatedImage['spec'] | undefined): Behaviour {
  const ms = (text: string | undefined, fallback: string) => parseDuration(text ?? fallback) ?? 0
  return {
    pullMs: ms(spec?.pullTime, DEFAULTS.pullTime),
    pullError: spec?.pullError,
    startMs: ms(spec?.startTime, DEFAULTS.startTime),
    readyMs: ms(spec?.readyAfter, DEFAULTS.readyAfter),
    stopMs: ms(spec?.stopTime, DEFAULTS.stopTime),
    sizeBytes: parseQuantity(spec?.size ?? DEFAULTS.size),
    exit: spec?.exit ? { code: spec.exit.code ?? 0, afterMs: ms(spec.exit.after, '0s') } : undefined,
    usage: spec?.usage ?? {},
    logs: spec?.logs ?? [],
  }
}

function memoryOf({ behaviour, container }: Running): number {
  if (behaviour.usage.memory !== undefined) return parseQuantity(behaviour.usage.memory)
  return parseQuantity(container.resources?.requests?.['memory'] ?? '20Mi') / 2
}

/** Made up, and the same for one reference everywhere: "registry.example/app@sha256:…". */
function imageIdOf(image: string): string {
  const [reference = '', digest] = image.split('@')
  if (digest !== undefined) return image
  const slash = reference.lastIndexOf('/')
  const colon = reference.indexOf(':', slash + 1)
  const name = colon < 0 ? reference : reference.slice(0, colon)
  return `${name}@sha256:${createHash('sha256').update(image).digest('hex')}`
}
