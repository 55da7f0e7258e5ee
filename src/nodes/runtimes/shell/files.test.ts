import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../base/virtual-clock.ts'
import { NO_SURROUNDINGS } from '../surroundings.ts'
import { type SharedVolume, VolumeData } from '../volume-data.ts'
import { ContainerFiles } from './files.ts'

const clock = new VirtualClock({ seed: 1 })
const bytes = (text: string) => new TextEncoder().encode(text)
const mounted = (...volumes: readonly (Partial<SharedVolume> & Pick<SharedVolume, 'path' | 'open'>)[]) =>
  new ContainerFiles(
    { ...NO_SURROUNDINGS, volumes: volumes.map((each) => ({ base: '', isReadOnly: false, ...each })) },
    clock,
  )
const read = (files: ContainerFiles, path: string) => new TextDecoder().decode(files.read(path))

describe('A volume that containers share', () => {
  test('shows in each what the others write, wherever they have it mounted', () => {
    const data = new VolumeData()
    const one = mounted({ path: '/cache', open: () => data })
    const other = mounted({ path: '/var/lib/app', open: () => data })
    one.makeFolder('/cache/a/b', true)
    one.write('/cache/a/b/file', bytes('hello'))
    expect(read(other, '/var/lib/app/a/b/file')).toBe('hello')
    expect(other.list('/var/lib/app')).toEqual(['a'])
    expect(other.list('/var/lib')).toEqual(['app'])
    other.remove('/var/lib/app/a')
    expect(one.find('/cache/a/b/file')).toBeUndefined()
    expect(data.bytes).toBe(0)
  })

  test('is not seen outside of it, and keeps apart what is not in it', () => {
    const data = new VolumeData()
    const one = mounted({ path: '/cache', open: () => data })
    const other = mounted({ path: '/cache', open: () => data })
    one.write('/tmp/own', bytes('mine'))
    expect(other.find('/tmp/own')).toBeUndefined()
    expect(one.find('/cached')).toBeUndefined()
  })

  test('shows a part of it where only that is mounted', () => {
    const data = new VolumeData()
    const all = mounted({ path: '/all', open: () => data })
    const part = mounted({ path: '/part', base: '/sub', open: () => data })
    part.write('/part/x', bytes('1'))
    expect(read(all, '/all/sub/x')).toBe('1')
    expect(part.list('/part')).toEqual(['x'])
  })

  test('is not written where it is mounted to read, nor removed while it is mounted', () => {
    const data = new VolumeData()
    const files = mounted({ path: '/data', open: () => data, isReadOnly: true })
    expect(() => files.write('/data/x', bytes('1'))).toThrow('Read-only file system')
    expect(() => files.remove('/data')).toThrow('Device or resource busy')
  })

  test('has room for 16 MiB', () => {
    const data = new VolumeData()
    const files = mounted({ path: '/data', open: () => data })
    files.write('/data/x', new Uint8Array(10 * 2 ** 20))
    expect(() => files.write('/data/y', new Uint8Array(10 * 2 ** 20))).toThrow('No space left on device')
    files.write('/data/x', new Uint8Array(1))
    files.write('/data/y', new Uint8Array(10 * 2 ** 20))
  })
})
