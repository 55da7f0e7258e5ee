import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createEnv } from '../base/env.ts'
import { seededRandom } from '../base/random.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import { WrittenFiles } from './written-files.ts'

const UID = '5ad5b9a8-1111-4222-8333-944445555666'
const everybody = () => true
const file = (text: string) => ({
  isDirectory: false,
  bytes: Buffer.from(text),
  mode: 0o600,
  modifiedAt: 5,
  isReadOnly: false,
})

let folder: string
let clock: VirtualClock
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'written-'))
  clock = new VirtualClock({ seed: 1 })
})
afterEach(() => rm(folder, { recursive: true }))

const open = () => new WrittenFiles(createEnv({ clock, random: seededRandom(1) }), folder)

describe('What containers have written', () => {
  test('is there again for the next process, with modes and times', async () => {
    const files = open()
    files.load(everybody)
    files.of(UID).root('app').put('/etc/motd', file('hello'))
    await files.stop()
    const next = open()
    next.load(everybody)
    const root = next.of(UID).root('app')
    expect(root.get('/etc/motd')).toMatchObject({ ...file('hello'), bytes: expect.anything() })
    expect(Buffer.from(root.get('/etc/motd')?.bytes ?? []).toString()).toBe('hello')
    expect(root.bytes).toBe(5)
  })

  test('is on the disk a second later, in a file that only its owner reads', async () => {
    const files = open()
    files.of(UID).root('app').put('/a', file('1'))
    expect(await readdir(folder)).toEqual([])
    await clock.run(1000)
    await files.stop()
    expect(await readdir(folder)).toEqual([`${UID}.json`])
  })

  test('is gone with its pod', async () => {
    const files = open()
    files.of(UID).root('app').put('/a', file('1'))
    await files.stop()
    files.forget(UID)
    await files.stop()
    expect(await readdir(folder)).toEqual([])
  })

  test('of a pod that went while no process ran is removed at the next start', async () => {
    const files = open()
    files.of(UID).root('app').put('/a', file('1'))
    await files.stop()
    open().load(() => false)
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    ['cut off in the middle', '{"root/app":[["/a",'],
    ['something else', '[1,2]'],
    ['of another shape', '{"root/app":[{"path":"/a"}]}'],
    ['empty', ''],
  ])('is left out when its file is %s', async (_, text) => {
    await writeFile(join(folder, `${UID}.json`), text)
    const files = open()
    files.load(everybody)
    expect(files.of(UID).areUsed).toBe(false)
  })

  test('is not kept of a pod that has only been looked at', async () => {
    const files = open()
    files.of(UID).root('app').seed('/etc/hosts', file('127.0.0.1 localhost'))
    await files.stop()
    expect(await readdir(folder)).toEqual([])
  })

  test('replaces the file as a whole: nothing half written carries its name', async () => {
    const files = open()
    files.of(UID).root('app').put('/a', file('1'))
    await files.stop()
    files.of(UID).root('app').put('/b', file('2'))
    await files.stop()
    expect(JSON.parse(await readFile(join(folder, `${UID}.json`), 'utf8'))).toEqual({
      'root/app': [
        ['/a', 0o600, 5, 'MQ=='],
        ['/b', 0o600, 5, 'Mg=='],
      ],
    })
  })
})
