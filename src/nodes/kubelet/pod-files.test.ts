import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { memorySizeOf, memoryVolumeMax, PodFiles } from './pod-files.ts'

const Mi = 2 ** 20
const container = (name: string, memory?: string, mounts: readonly object[] = []) => ({
  name,
  image: 'x',
  resources: memory === undefined ? {} : { limits: { memory } },
  volumeMounts: mounts as never,
})

describe('An emptyDir in memory holds', () => {
  const memory = (sizeLimit?: string) => ({ medium: 'Memory', ...(sizeLimit ? { sizeLimit } : {}) })
  test.each([
    ['the limits of all containers', [container('a', '100Mi'), container('b', '50Mi')], memory(), 150],
    ['its own limit where that is less', [container('a', '100Mi')], memory('64Mi'), 64],
    ['no more than the containers may use', [container('a', '100Mi')], memory('1Gi'), 100],
    ['its own limit where a container has none', [container('a', '1Mi'), container('b')], memory('64Mi'), 64],
    ['anything where nobody has a limit', [container('a')], memory(), undefined],
    [
      'anything on a disk, where eviction sees to it',
      [container('a', '1Mi')],
      { sizeLimit: '1Mi' },
      undefined,
    ],
  ])('%s', (_, containers, volume, mebibytes) => {
    const size = memorySizeOf(make.pod({ spec: { containers } }), volume)
    expect(size === undefined ? undefined : size / Mi).toBe(mebibytes)
  })

  test('no more than the pod may use', () => {
    const resources = { limits: { memory: '32Mi' } }
    const pod = make.pod({ spec: { containers: [container('a', '100Mi')], resources } })
    expect(memorySizeOf(pod, memory('64Mi'))).toBe(32 * Mi)
  })
})

test('What was written into memory is the memory of who mounts it first to write', () => {
  const mount = (readOnly = false) => [{ name: 'm', mountPath: '/m', readOnly }]
  const [reader, writer, other] = [
    container('reader', undefined, mount(true)),
    container('writer', '64Mi', mount()),
    container('other', undefined, mount()),
  ]
  const volumes = [{ name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } }]
  const pod = make.pod({ spec: { containers: [reader, writer, other], volumes } })
  const files = new PodFiles('uid', () => {})
  const bytes = new Uint8Array(100)
  const entry = { isDirectory: false, bytes, mode: 0o644, modifiedAt: 0, isReadOnly: false }
  files.mountsOf(pod, other)[0]?.open().put('/a', entry)
  expect([reader, writer, other].map((one) => files.memoryOf(pod, one))).toEqual([0, 100, 0])
  expect([reader, writer].map((one) => memoryVolumeMax(pod, one))).toEqual([0, 8 * Mi])
})
