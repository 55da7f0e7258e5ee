import { formatMicroTime } from '../../base/date.ts'
import type { LogOptions } from '../../client/node-connection.ts'

export interface LogLine {
  /** Epoch ms. */
  readonly at: number
  readonly line: string
}

export interface Log {
  readonly lines: readonly LogLine[]
  /** How many there ever were: more than what is kept, once it has rotated. */
  readonly total: number
}

/** As much as a container's log holds before it rotates. */
export const LOG_LINES_MAX = 1000
/** Of what somebody says to a container; more of a line is dropped. */
const LINE_MAX = 4096

/**
 * The lines a reader asked for, as text: those since a time, the last of them, with their times in front, until a
 * number of bytes. All a simulated container writes is standard output. Pure.
 */
export function formatLog(lines: readonly LogLine[], options: LogOptions): string[] {
  const { tailLines, since, timestamps, limitBytes, stream } = options
  if (stream === 'Stderr') return []
  const recent = since === undefined ? lines : lines.filter(({ at }) => at >= since)
  const last = tailLines === undefined ? recent : tailLines === 0 ? [] : recent.slice(-tailLines)
  const texts = last.map(({ at, line }) => `${timestamps ? `${nanoTime(at)} ` : ''}${line}\n`)
  return limitBytes === undefined ? texts : cut(texts, limitBytes)
}

/** "2026-01-01T00:00:00.123000000Z" */
function nanoTime(at: number): string {
  const iso = formatMicroTime(at)
  return iso.replace('Z', '000Z')
}

function cut(texts: readonly string[], limit: number): string[] {
  const kept: string[] = []
  let left = limit
  for (const text of texts) {
    const bytes = Buffer.from(text)
    kept.push(bytes.length <= left ? text : bytes.subarray(0, left).toString('utf8'))
    left -= bytes.length
    if (left <= 0) break
  }
  return kept
}

export interface Logged {
  readonly handle: {
    readonly startedAt: number
    readonly exit?: { readonly at: number; readonly code: number; readonly reason: string } | undefined
  }
  readonly behaviour: { readonly logs: readonly string[]; readonly logEveryMs: number | undefined }
  readonly container: { readonly name: string; readonly image?: string | undefined }
  /** What was written to it beside its own lines. */
  readonly said?: Log | undefined
  /** It runs what its spec says: the log is that process' own. */
  readonly own?: unknown
}

/** With more of it, as much as a log holds. */
export function withSaid(said: Log = { lines: [], total: 0 }, lines: readonly LogLine[]): Log {
  return { lines: [...said.lines, ...lines].slice(-LOG_LINES_MAX), total: said.total + lines.length }
}

/** Its start, what its image declares, what was said to it, and its end; as much as a log holds. */
export function logOf({ handle, behaviour, container, said, own }: Logged, now: number): Log {
  const { startedAt, exit } = handle
  const { logs, logEveryMs } = behaviour
  const { name, image } = container
  const tellsLife = own === undefined
  const lines: LogLine[] = [
    ...(tellsLife
      ? [{ at: startedAt, line: `seamark: container ${name} started, simulating ${image}` }]
      : []),
    ...logs.map((line) => ({ at: startedAt, line })),
  ]
  const count = logEveryMs === undefined ? 0 : Math.floor(((exit?.at ?? now) - startedAt) / logEveryMs)
  for (let i = Math.max(1, count - LOG_LINES_MAX); i <= count; i += 1) {
    const line = logs[(i - 1) % logs.length] ?? `seamark: container ${name} runs`
    lines.push({ at: startedAt + i * (logEveryMs ?? 0), line })
  }
  if (said) {
    lines.push(...said.lines)
    lines.sort((a, b) => a.at - b.at)
  }
  if (exit && tellsLife) {
    const why = exit.reason === 'OOMKilled' ? ', out of memory' : ''
    lines.push({ at: exit.at, line: `seamark: container ${name} exited with code ${exit.code}${why}` })
  }
  const total = (tellsLife ? 1 + (exit ? 1 : 0) : 0) + logs.length + count + (said?.total ?? 0)
  return { lines: lines.slice(-LOG_LINES_MAX), total }
}

/** Cuts what a process writes into lines; what has no newline is told at the end. */
export function linesTo(say: (line: string) => void) {
  let text = ''
  return {
    write(data: Uint8Array) {
      const lines = (text + Buffer.from(data).toString()).split('\n')
      text = (lines.pop() ?? '').slice(0, LINE_MAX)
      for (const line of lines) say(line.slice(0, LINE_MAX))
    },
    end() {
      if (text !== '') say(text)
    },
  }
}
