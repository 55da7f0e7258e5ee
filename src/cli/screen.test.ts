import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../base/virtual-clock.ts'
import type { Progress, ResourceLine } from '../sync/progress.ts'
import type { Output } from './output.ts'
import { createScreen } from './screen.ts'

const application = 'default/demo'
const commit = '4f2c1aa000000000000000000000000000000000'
const seen: Progress = {
  type: 'commit-seen',
  application,
  commit: { id: commit, subject: 'A small shop', at: 0, branch: 'main' },
  seenAt: 0,
}
const healthy: Progress = { type: 'healthy', application, commit, tookMs: 1900 }

function waiting(...available: readonly number[]): Progress {
  const resources = available.map(
    (n, i): ResourceLine => ({
      kind: 'Deployment',
      namespace: 'shop',
      name: `web-${i}`,
      health: { status: 'Progressing', message: `${n} of 3 available` },
    }),
  )
  return { type: 'waiting', application, commit, resources }
}

const ESC = '\u001b'
const SYNCHRONISED = new RegExp(`${ESC}\\[\\?2026[hl]`, 'g')
const TOKEN = new RegExp(`${ESC}\\[(\\d+)A\\r${ESC}\\[J|[^${ESC}]`, 'g')

/** A terminal of so many columns that keeps what it shows: lines up, clears below, and wraps as real ones do. */
function terminal(isTerminal: boolean) {
  const size = { columns: 80, rows: 24 }
  const written: string[] = []
  const results: string[] = []
  const output: Output = {
    isTerminal,
    paint: (_, text) => text,
    columns: () => size.columns,
    rows: () => size.rows,
    result: (text) => void results.push(text),
    progress: (text) => void written.push(`${text}\n`),
    error: (text) => void written.push(`error: ${text}\n`),
    raw: (text) => void written.push(text),
  }
  const shown = () => {
    let lines: string[] = ['']
    const text = written.join('').replaceAll(SYNCHRONISED, '')
    for (const [token] of text.matchAll(TOKEN)) {
      const up = /\[(\d+)A/.exec(token)
      if (up) lines = [...lines.slice(0, lines.length - 1 - Number(up[1])), '']
      else if (token === '\n') lines.push('')
      else lines[lines.length - 1] += token
    }
    return lines.slice(0, -1)
  }
  return { output, size, written, results, shown }
}

describe('on a terminal', () => {
  test('lines that last scroll above a block that is redrawn in place', async () => {
    const clock = new VirtualClock()
    const { output, shown } = terminal(true)
    const screen = createScreen(clock, output, 'pretty')
    screen.show(seen)
    screen.show(waiting(1, 2))
    await clock.run(1000)
    screen.show(waiting(2))
    expect(shown()).toEqual([
      'demo  main @ 4f2c1aa "A small shop"',
      '  ⟳ Deployment shop/web-0   2 of 3 available',
      '    1.0 s',
    ])
    screen.show(healthy)
    screen.close()
    expect(shown()).toEqual(['demo  main @ 4f2c1aa "A small shop"', '  ✔ Healthy after 1.9 s'])
    expect(clock.pending).toBe(0)
  })

  test('every frame is one write, and nothing of the terminal is changed that would have to be put back', async () => {
    const clock = new VirtualClock()
    const { output, written } = terminal(true)
    const screen = createScreen(clock, output, 'pretty')
    screen.show(waiting(1))
    await clock.run(500)
    screen.close()
    expect(written).toHaveLength(4)
    expect(written.join('')).not.toMatch(/\?(25|1049)/)
  })

  test('a terminal that became narrower leaves nothing behind', () => {
    const { output, size, written } = terminal(true)
    const screen = createScreen(new VirtualClock(), output, 'pretty')
    screen.show(waiting(1))
    size.columns = 20
    screen.show(waiting(2))
    // 44 columns wrap to 3 lines of 20, and the time below.
    expect(written.at(-1)).toContain('\u001b[4A\r\u001b[J')
    screen.close()
  })

  test('the block leaves room on a low screen', () => {
    const { output, size, shown } = terminal(true)
    size.rows = 6
    const screen = createScreen(new VirtualClock(), output, 'pretty')
    screen.show(waiting(...Array.from({ length: 40 }, () => 1)))
    expect(shown()).toHaveLength(4)
    screen.close()
  })
})

describe('in a pipe', () => {
  test('there is one line per change, and no escape', () => {
    const { output, written } = terminal(false)
    const screen = createScreen(new VirtualClock(), output, 'pretty')
    for (const progress of [seen, waiting(1), waiting(1), waiting(2), healthy]) screen.show(progress)
    screen.close()
    expect(written).toEqual([
      'demo  main @ 4f2c1aa "A small shop"\n',
      '  ⟳ Deployment shop/web-0   1 of 3 available\n',
      '  ⟳ Deployment shop/web-0   2 of 3 available\n',
      '  ✔ Healthy after 1.9 s\n',
    ])
  })

  test('silence is broken after 30 seconds, with what is waited for', async () => {
    const clock = new VirtualClock()
    const { output, written } = terminal(false)
    const screen = createScreen(clock, output, 'plain')
    screen.show(waiting(1))
    await clock.run(61_000)
    screen.close()
    expect(written.slice(1)).toEqual([
      '  ⟳ still waiting: Deployment shop/web-0   1 of 3 available\n',
      '  ⟳ still waiting: Deployment shop/web-0   1 of 3 available\n',
    ])
  })
})

test('as JSON every event is one object of its own line on stdout, with its time', () => {
  const { output, written, results } = terminal(true)
  const screen = createScreen(new VirtualClock({ startAt: 0 }), output, 'json')
  screen.notice({ type: 'started', version: '0.1.0', url: 'https://127.0.0.1:6443', kubeconfig: '/k' })
  screen.show(healthy)
  screen.close()
  expect(written).toEqual([])
  expect(results.map((line) => JSON.parse(line))).toEqual([
    {
      time: '1970-01-01T00:00:00Z',
      type: 'started',
      version: '0.1.0',
      url: 'https://127.0.0.1:6443',
      kubeconfig: '/k',
    },
    { time: '1970-01-01T00:00:00Z', ...healthy },
  ])
})
