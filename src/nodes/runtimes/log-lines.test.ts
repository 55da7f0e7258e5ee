import { expect, test } from 'vitest'
import type { LogOptions } from '../../client/node-connection.ts'
import { formatLog } from './log-lines.ts'

const LINES = ['one', 'two', 'three'].map((line, i) => ({ at: i * 1000, line }))

test.each<[string, LogOptions, string]>([
  ['everything', {}, 'one\ntwo\nthree\n'],
  ['the last lines', { tailLines: 2 }, 'two\nthree\n'],
  ['no line at all', { tailLines: 0 }, ''],
  ['what is not older', { since: 1000 }, 'two\nthree\n'],
  ['the times', { tailLines: 1, timestamps: true }, '1970-01-01T00:00:02.000000000Z three\n'],
  ['some bytes', { limitBytes: 6 }, 'one\ntw'],
  ['standard output', { stream: 'Stdout' }, 'one\ntwo\nthree\n'],
  ['standard error, which is empty', { stream: 'Stderr' }, ''],
])('A log gives %s when asked for it', (_, options, text) => {
  expect(formatLog(LINES, options).join('')).toBe(text)
})
