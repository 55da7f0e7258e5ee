import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { bytesOnDisk, overDiskLimit, podDisk } from './pod-disk.ts'

const Mi = 2 ** 20
const mount = (name: string, readOnly = false) => ({ name, mountPath: `/${name}`, readOnly })
const limited = (name: string, storage: string) => ({
  name,
  image: 'x',
  resources: { limits: { 'ephemeral-storage': storage }, requests: { 'ephemeral-storage': '1Mi' } },
})
const used = (name: string, mib: number) => ({ name, bytes: mib * Mi })

describe('A pod over a limit of its disk usage', () => {
  const scratch = (emptyDir: object) => ({ volumes: [{ name: 'scratch', emptyDir }] })
  test.each<[string, object, number, number, string | undefined]>([
    ['no limit', scratch({}), 100, 100, undefined],
    ['an emptyDir at its limit', scratch({ sizeLimit: '10Mi' }), 0, 10, undefined],
    [
      'an emptyDir over its limit',
      scratch({ sizeLimit: '10Mi' }),
      0,
      11,
      'Usage of EmptyDir volume "scratch" exceeds the limit "10Mi". ',
    ],
    ['a limit of 0, which is none', scratch({ sizeLimit: '0' }), 0, 11, undefined],
    [
      'an emptyDir in memory over its limit',
      scratch({ sizeLimit: '10Mi', medium: 'Memory' }),
      0,
      11,
      'Usage of EmptyDir volume "scratch" exceeds the limit "10Mi". ',
    ],
    [
      'containers and volumes over the limits of all containers',
      { ...scratch({}), containers: [limited('app', '15Mi'), limited('side', '5Mi')] },
      11,
      11,
      'Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ',
    ],
    [
      'what lies in memory beside',
      { ...scratch({ medium: 'Memory' }), containers: [limited('app', '15Mi')] },
      11,
      11,
      undefined,
    ],
    [
      'one container over its own limit',
      { ...scratch({}), containers: [limited('app', '10Mi'), limited('side', '50Mi')] },
      11,
      0,
      'Container app exceeded its local ephemeral storage limit "10Mi". ',
    ],
  ])('is evicted: %s', (_, spec, layer, volume, message) => {
    const disk = {
      pod: make.pod({ spec }),
      containers: [used('app', layer)],
      volumes: [used('scratch', volume)],
      inodes: 0,
    }
    expect(overDiskLimit(disk)).toBe(message)
  })
})

test('What a container declares to write goes into the first emptyDir it mounts to write, beside what was written', () => {
  const containers = [
    { name: 'app', image: 'x', volumeMounts: [mount('config'), mount('a', true), mount('b'), mount('c')] },
    { name: 'side', image: 'x', volumeMounts: [mount('b')] },
  ]
  const pod = make.pod({
    spec: {
      containers,
      volumes: [
        { name: 'config', configMap: { name: 'c' } },
        { name: 'a', emptyDir: {} },
        { name: 'b', emptyDir: {} },
        { name: 'c', emptyDir: { medium: 'Memory' } },
      ],
    },
  })
  const usage = containers.map((container) => ({ container, storage: 5, emptyDir: 7, inodes: 3 }))
  const disk = podDisk(pod, usage, {
    bytesOf: (name) => (name === 'c' ? 100 : 0),
    bytesOfRoot: () => 1,
    count: 4,
  })
  expect(disk.inodes).toBe(10)
  expect(disk.containers).toEqual([
    { name: 'app', bytes: 6 },
    { name: 'side', bytes: 6 },
  ])
  expect(disk.volumes).toEqual([
    { name: 'a', bytes: 0 },
    { name: 'b', bytes: 14 },
    { name: 'c', bytes: 100 },
  ])
  expect(bytesOnDisk(disk)).toBe(26)
})
