import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { lockDirectory } from './directory-lock.ts'

const root = mkdtempSync(join(tmpdir(), 'seamark-lock-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const directory = () => mkdtempSync(join(root, 'data-'))
const hasProc = existsSync('/proc/self/stat')

test('A directory has one holder, whom the refusal names, until released', () => {
  const path = directory()
  const unlock = lockDirectory(path)
  expect(() => lockDirectory(path)).toThrow(
    `Data directory "${path}" is in use by process ${process.pid}; stop it, or choose another with --data`,
  )
  unlock()
  lockDirectory(path)()
  expect(readdirSync(path)).toEqual([])
})

test.each([
  ['of a process that is gone', JSON.stringify({ pid: 2 ** 30, started: 'boot/1' })],
  ['that was cut short', '{"pid":'],
  ['that is empty', ''],
])('A lock %s is taken over', (_, left) => {
  const path = directory()
  writeFileSync(join(path, 'lock'), left)
  const unlock = lockDirectory(path)
  expect(JSON.parse(readFileSync(join(path, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid })
  expect(readdirSync(path)).toEqual(['lock'])
  unlock()
})

test.runIf(hasProc)('A lock whose pid now belongs to another process is taken over', () => {
  const path = directory()
  writeFileSync(join(path, 'lock'), JSON.stringify({ pid: process.pid, started: 'an earlier boot/1' }))
  lockDirectory(path)()
})

test('A lock that somebody else holds by now is not released', () => {
  const path = directory()
  const unlock = lockDirectory(path)
  writeFileSync(join(path, 'lock'), 'another')
  unlock()
  expect(readFileSync(join(path, 'lock'), 'utf8')).toBe('another')
})
