import { describe, expect, test } from 'vitest'
import { terminationMessage } from './termination-message.ts'

const lines = Array.from({ length: 200 }, (_, i) => ({ at: i, line: `line ${i}` }))
const fallback = { name: 'app', terminationMessagePolicy: 'FallbackToLogsOnError' }

describe('What is told of the end of a container', () => {
  test.each([
    ['is what it left', { name: 'app' }, 0, 'done', 'done'],
    ['is what it left, also when the log would do', fallback, 1, 'bad disk', 'bad disk'],
    ['is nothing when it left nothing', { name: 'app' }, 1, '', ''],
    ['is nothing of the log when it succeeded', fallback, 0, '', ''],
    ['is at most 4096 bytes', { name: 'app' }, 0, 'x'.repeat(5000), 'x'.repeat(4096)],
  ])('%s', (_, container, code, left, message) => {
    expect(terminationMessage({ container }, code, left, () => lines)).toBe(message)
  })

  test('is the last 80 lines of the log when it failed and its policy says so', () => {
    const message = terminationMessage({ container: fallback }, 1, undefined, () => lines)
    expect(message.split('\n').length - 1).toBe(80)
    expect(message.endsWith('line 199\n')).toBe(true)
  })

  test('is at most 2048 bytes of the log', () => {
    const long = [{ at: 0, line: 'y'.repeat(5000) }]
    expect(Buffer.byteLength(terminationMessage({ container: fallback }, 1, undefined, () => long))).toBe(
      2048,
    )
  })
})
