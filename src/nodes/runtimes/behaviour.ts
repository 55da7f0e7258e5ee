import { createHash } from 'node:crypto'
import picomatch from 'picomatch'
import { parseDuration } from '../../api/duration.ts'
import {
  type SimulatedAnswer,
  type SimulatedCommand,
  type SimulatedImage,
  simulatedImage,
} from '../../api/kinds/simulated-image.ts'
import { parseQuantity } from '../../api/quantity.ts'
import { parseTime } from '../../base/date.ts'
import type { Informers } from '../../client/informers.ts'

/** What an image does that no SimulatedImage speaks of; the kind's schema documents the same defaults. */
const DEFAULTS = {
  pullTime: '1s',
  startTime: '500ms',
  readyAfter: '0s',
  stopTime: '0s',
  size: '50Mi',
} as const

export interface Behaviour {
  /** The SimulatedImage that says so; empty: nobody does. */
  readonly name: string
  readonly pullMs: number
  readonly pullError: string | undefined
  readonly startMs: number
  readonly readyMs: number
  readonly stopMs: number
  readonly sizeBytes: number
  readonly exit:
    | { readonly code: number; readonly afterMs: number; readonly message: string | undefined }
    | undefined
  readonly usage: SimulatedImage['spec']['usage']
  /** Epoch ms of the declaration: a load that all share counts from then. */
  readonly declaredAt: number
  readonly logs: readonly string[]
  readonly logEveryMs: number | undefined
  readonly commands: readonly SimulatedCommand[]
  readonly http: readonly SimulatedAnswer[]
}

/** Finds what SimulatedImage objects declare about images. */
export class Behaviours {
  readonly #informers: Informers
  readonly #matchers = new WeakMap<SimulatedImage, (image: string) => boolean>()
  /** By image, until something is declared anew. */
  readonly #known = new Map<string, Behaviour>()

  constructor(informers: Informers) {
    this.#informers = informers
    informers.of(simulatedImage).onChange(() => this.#known.clear())
  }

  of(image: string): Behaviour {
    const known = this.#known.get(image)
    if (known) return known
    const behaviour = this.#find(image)
    this.#known.set(image, behaviour)
    return behaviour
  }

  #find(image: string): Behaviour {
    const found = this.#informers
      .of(simulatedImage)
      .list()
      .toSorted(
        (a, b) =>
          specificity(b, image) - specificity(a, image) || (a.metadata.name < b.metadata.name ? -1 : 1),
      )
      .find((one) => this.#matcherOf(one)(image))
    return read(found)
  }

  /** Whether memory is declared for any image: what is not declared stays below its request. */
  declareMemory(): boolean {
    return this.#informers
      .of(simulatedImage)
      .list()
      .some(({ spec: { usage } }) =>
        [usage?.load?.memoryPerRequest, usage?.memory, usage?.peak?.memory].some(
          (each) => each !== undefined,
        ),
      )
  }

  /** Whether any image writes to the disk. */
  declareStorage(): boolean {
    return this.#informers
      .of(simulatedImage)
      .list()
      .some(({ spec: { usage } }) =>
        [usage, usage?.peak].some((amounts) => amounts?.storage ?? amounts?.emptyDir ?? amounts?.inodes),
      )
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

function read(found: SimulatedImage | undefined): Behaviour {
  const spec = found?.spec
  const ms = (text: string | undefined, fallback: string) => parseDuration(text ?? fallback) ?? 0
  return {
    name: found?.metadata.name ?? '',
    pullMs: ms(spec?.pullTime, DEFAULTS.pullTime),
    pullError: spec?.pullError,
    startMs: ms(spec?.startTime, DEFAULTS.startTime),
    readyMs: ms(spec?.readyAfter, DEFAULTS.readyAfter),
    stopMs: ms(spec?.stopTime, DEFAULTS.stopTime),
    sizeBytes: parseQuantity(spec?.size ?? DEFAULTS.size),
    exit: spec?.exit && {
      code: spec.exit.code ?? 0,
      afterMs: ms(spec.exit.after, '0s'),
      message: spec.exit.message,
    },
    usage: spec?.usage,
    declaredAt: parseTime(found?.metadata.creationTimestamp) ?? 0,
    logs: spec?.logs ?? [],
    logEveryMs: spec?.logEvery === undefined ? undefined : Math.max(1, ms(spec.logEvery, '0s')),
    commands: spec?.commands ?? [],
    http: spec?.http ?? [],
  }
}

/** Made up, and the same for one reference everywhere: "registry.example/app@sha256:…". */
export function imageIdOf(image: string): string {
  const [reference = '', digest] = image.split('@')
  if (digest !== undefined) return image
  const slash = reference.lastIndexOf('/')
  const colon = reference.indexOf(':', slash + 1)
  const name = colon < 0 ? reference : reference.slice(0, colon)
  return `${name}@sha256:${createHash('sha256').update(image).digest('hex')}`
}
