import type { Cancel, Clock } from '../../base/clock.ts'
import type { ProcessIo } from '../../client/node-connection.ts'
import { type Logged, type LogLine, linesTo, logOf } from './log-lines.ts'

/**
 * What a container writes from now on, until it ends. What is sent to it goes into its log: a process that says what it
 * reads.
 */
export async function followLog(
  clock: Clock,
  running: Logged & { readonly onEnd: (() => void)[] },
  io: ProcessIo,
  onLog: (tell: () => void) => Cancel,
  say: (line: LogLine) => void,
): Promise<void> {
  let seen = logOf(running, clock.now()).total
  const cancel = onLog(() => {
    const { lines, total } = logOf(running, clock.now())
    const news = total > seen ? lines.slice(-(total - seen)) : []
    seen = total
    for (const { line } of news) void io.stdout(Buffer.from(`${line}${io.tty ? '\r' : ''}\n`))
  })
  const listen = async () => {
    const typed = linesTo((line) => say({ at: clock.now(), line }))
    for await (const chunk of io.stdin ?? []) typed.write(chunk)
  }
  try {
    const ended = new Promise<void>((resolve, reject) => {
      running.onEnd.push(resolve)
      io.signal.addEventListener('abort', () => reject(io.signal.reason), { once: true })
    })
    listen().catch(() => {})
    await ended
  } finally {
    cancel()
  }
}
