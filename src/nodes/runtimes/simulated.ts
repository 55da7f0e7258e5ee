import picomatch from 'picomatch'
import { parseDuration } from '../../api/duration.ts'
import type { V1Container } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { type SimulatedImage, simulatedImage } from '../../api/kinds/simulated-image.ts'
import { parseQuantity } from '../../api/quantity.ts'
import { type Cancel, sleep } from '../../base/clock.ts'
import type { Env } from '../../base/env.ts'
import type { Informers } from '../../client/informers.ts'
import type { ContainerHandle, Exit, ProbeAnswer, Runtime } from './runtime.ts'

/** What an image does that no SimulatedImage speaks of; the kind's schema documents the same defaults. */
const DEFAULTS = { pullTime: '1s', startTime: '500ms', readyAfter: '0s', size: '50Mi' } as const

interface Behaviour {
  readonly pullMs: number
  readonly pullError: string | undefined
  readonly startMs: number
  readonly readyMs: number
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
  cancel: Cancel
  onExit: (() => void)[]
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
  readonly #tell = new Set<(podUid: string) => void>()

  constructor(env: Env, informers: Informers) {
    this.#env = env
    this.#informers = informers
    informers.of(simulatedImage)
  }

  hasImage(node: string, image: string): boolean {
    return this.#images.get(node)?.has(image) ?? false
  }

  async pull(node: string, image: string): Promise<number> {
    const behaviour = this.#behaviourOf(image)
    await sleep(this.#env.clock, behaviour.pullMs)
    if (behaviour.pullError !== undefined) {
      throw new Error(`failed to pull and unpack image "${image}": ${behaviour.pullError}`)
    }
    const images = this.#images.get(node) ?? new Map<string, number>()
    this.#images.set(node, images)
    images.set(image, behaviour.sizeBytes)
    return behaviour.sizeBytes
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
    const images = this.#images.get(node) ?? new Map<string, number>()
    this.#images.set(node, images)
    const behaviour = this.#behaviourOf(container.image ?? '')
    images.set(container.image ?? '', behaviour.sizeBytes)
    this.#run(node, pod, container, handle, behaviour)
  }

  find(id: string): ContainerHandle | undefined {
    return this.#containers.get(id)?.handle
  }

  async stop(id: string, _graceMs: number): Promise<void> {
    // A simulated process obeys SIGTERM at once.
    this.#end(id, { code: 143, reason: 'Error' })
  }

  remove(id: string): void {
    const running = this.#containers.get(id)
    if (!running) return
    running.cancel()
    this.#containers.delete(id)
  }

  probe(id: string): ProbeAnswer {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit)
      return { ok: false, message: 'container is not running', until: Number.POSITIVE_INFINITY }
    const readyAt = running.handle.startedAt + running.behaviour.readyMs
    if (this.#env.clock.now() >= readyAt) return { ok: true, message: '', until: Number.POSITIVE_INFINITY }
    return { ok: false, message: 'dial tcp: connect: connection refused', until: readyAt }
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
      cancel: () => {},
      onExit: [],
    }
    this.#containers.set(handle.id, running)
    const limit = container.resources?.limits?.['memory']
    if (limit !== undefined && memoryOf(running) > parseQuantity(limit)) {
      running.cancel = this.#env.clock.after(0, () =>
        this.#end(handle.id, { code: 137, reason: 'OOMKilled' }),
      )
    } else if (behaviour.exit) {
      const { code, afterMs } = behaviour.exit
      const left = Math.max(0, handle.startedAt + afterMs - this.#env.clock.now())
      running.cancel = this.#env.clock.after(left, () =>
        this.#end(handle.id, { code, reason: code === 0 ? 'Completed' : 'Error' }),
      )
    }
  }

  #end(id: string, { code, reason }: Omit<Exit, 'at'>): void {
    const running = this.#containers.get(id)
    if (!running || running.handle.exit) return
    running.cancel()
    running.handle = { ...running.handle, exit: { code, reason, at: this.#env.clock.now() } }
    for (const tell of this.#tell) tell(running.podUid)
  }

  #behaviourOf(image: string): Behaviour {
    const found = this.#informers
      .of(simulatedImage)
      .list()
      .toSorted(
        (a, b) =>
          specificity(b, image) - specificity(a, image) || (a.metadata.name < b.metadata.name ? -1 : 1),
      )
      .find(({ spec }) => spec.images.some((glob) => picomatch.isMatch(image, glob)))
    return read(found?.spec)
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

/** Stable and made up: the name spelled in hex. */
function imageIdOf(image: string): string {
  const digest = Buffer.from(image).toString('hex').slice(0, 64).padEnd(64, '0')
  return `${image.split('@')[0]}@sha256:${digest}`
}
