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
export const LINE_MAX = 4096

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
