import { type DestinationStream, type Logger, pino } from 'pino'

/** pino's own logger: `log.info({ pod: key }, 'message')`. Never log an object that may be a Secret. */
export type Log = Logger

export const silentLog: Log = pino({ level: 'silent' })

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** JSON lines on stderr by default. The stream is asynchronous: a stuck reader must not stop the API (S-F04). */
export function createLog(options: { level: LogLevel; to?: DestinationStream }): Log {
  return pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    options.to ?? pino.destination({ dest: 2, sync: false }),
  )
}
