import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { timelineOf } from '../support/timeline.ts'

/** Each folder is a scenario, in.yaml, and what happened when, expected.txt; UPDATE=1 rewrites them. */
const ROOT = join(import.meta.dirname, 'timelines')
const read = (name: string) => readFileSync(join(ROOT, name, 'in.yaml'), 'utf8')

describe('in a whole cluster, in time, happens', () => {
  test.each(readdirSync(ROOT))('%s', async (name) => {
    const expected = join(ROOT, name, 'expected.txt')
    const text = await timelineOf(read(name))
    if (process.env['UPDATE'] || !existsSync(expected)) writeFileSync(expected, text)
    expect(text).toBe(readFileSync(expected, 'utf8'))
  })

  test('the same thing twice', async () => {
    const scenario = read('deployment-surge-1-unavailable-0')
    expect(await timelineOf(scenario)).toBe(await timelineOf(scenario))
  })
})
