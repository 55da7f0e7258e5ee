import type { V1Container } from '../../api/generated/types.ts'
import type { LogLine } from './log-lines.ts'

const MESSAGE_BYTES_MAX = 4096
const LOG_BYTES_MAX = 2048
const LOG_LINES_MAX = 80

interface Ended {
  readonly container: V1Container
  /** None, where nobody has looked at them. */
  readonly files?: { textOf(path: string): string | undefined } | undefined
}

/**
 * What the status of a pod says of the end of a container beside its exit code (kuberuntime_container.go
 * getTerminationMessage): what its image declares, or what it left in its terminationMessagePath; if that is nothing, it failed and its policy is
 * FallbackToLogsOnError, the end of its log. Pure.
 */
export function terminationMessage(
  { container, files }: Ended,
  code: number,
  declared: string | undefined,
  log: () => readonly LogLine[],
): string {
  const { terminationMessagePath = '/dev/termination-log', terminationMessagePolicy } = container
  const left = declared ?? files?.textOf(terminationMessagePath) ?? ''
  if (left !== '') return cut(left, MESSAGE_BYTES_MAX)
  if (code === 0 || terminationMessagePolicy !== 'FallbackToLogsOnError') return ''
  const text = log()
    .slice(-LOG_LINES_MAX)
    .map(({ line }) => `${line}\n`)
    .join('')
  const bytes = Buffer.from(text)
  return bytes.subarray(Math.max(0, bytes.length - LOG_BYTES_MAX)).toString('utf8')
}

function cut(text: string, bytesMax: number): string {
  return Buffer.from(text).subarray(0, bytesMax).toString('utf8')
}
