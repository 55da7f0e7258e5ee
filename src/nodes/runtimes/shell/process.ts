import type { Clock } from '../../../base/clock.ts'
import type { ContainerFiles } from './files.ts'

/** Bytes that come in, piece by piece; undefined at the end. */
export interface Input {
  read(): Promise<Uint8Array | undefined>
}

/** What a command of the small shell is given. */
export interface Process {
  readonly args: readonly string[]
  readonly env: Map<string, string>
  readonly cwd: string
  readonly stdin: Input
  readonly files: ContainerFiles
  readonly clock: Clock
  readonly hostname: string
  /** The container's own processes, first the one with id 1. */
  readonly processes: readonly string[]
  readonly signal: AbortSignal
  out(data: string | Uint8Array): Promise<void>
  err(text: string): Promise<void>
}

/** Resolves with the exit code. */
export type Command = (process: Process) => Promise<number>

/** What one command may keep in memory of what it reads. */
const READ_MAX = 16 * 1024 * 1024

export const NO_INPUT: Input = { read: () => Promise.resolve(undefined) }

export function inputOf(bytes: Uint8Array): Input {
  let left: Uint8Array | undefined = bytes.length > 0 ? bytes : undefined
  return {
    read: () => {
      const now = left
      left = undefined
      return Promise.resolve(now)
    },
  }
}

export function inputFrom(chunks: AsyncIterable<Uint8Array> | undefined): Input {
  const iterator = chunks?.[Symbol.asyncIterator]()
  if (!iterator) return NO_INPUT
  return {
    async read() {
      const { done, value } = await iterator.next()
      return done ? undefined : value
    },
  }
}

/** All of it; throws when it is more than a simulated container holds. */
export async function readAll(input: Input): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for (let chunk = await input.read(); chunk; chunk = await input.read()) {
    size += chunk.length
    if (size > READ_MAX) throw new Error(`more than ${READ_MAX} bytes do not fit in a simulated container`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
