import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { restoreRecord } from './record.ts'
import {
  environmentReferences,
  heldAgain,
  heldBack,
  missingReference,
  mountTimedOut,
  NOT_HELD,
  volumeReferences,
} from './references.ts'

describe('What a container needs', () => {
  test('is what its environment names and is not optional', () => {
    const references = environmentReferences({
      name: 'app',
      envFrom: [{ configMapRef: { name: 'all' } }, { secretRef: { name: 'maybe', optional: true } }],
      env: [
        { name: 'A', value: 'plain' },
        { name: 'B', valueFrom: { secretKeyRef: { name: 'login', key: 'token' } } },
        { name: 'C', valueFrom: { configMapKeyRef: { name: 'other', key: 'k', optional: true } } },
      ],
    })
    expect(references).toEqual([
      { kind: 'ConfigMap', name: 'all' },
      { kind: 'Secret', name: 'login', key: 'token' },
    ])
  })

  test('is what volumes name, also projected ones, with the name of the volume', () => {
    const volumes = [
      { name: 'a', configMap: { name: 'settings' } },
      { name: 'b', secret: { secretName: 'login', optional: true } },
      { name: 'c', projected: { sources: [{ secret: { name: 'tls' } }, { configMap: { name: 'ca' } }] } },
      { name: 'd', emptyDir: {} },
    ]
    expect(volumeReferences(make.pod({ spec: { volumes } as never }))).toEqual([
      { kind: 'ConfigMap', name: 'settings', volume: 'a' },
      { kind: 'Secret', name: 'tls', volume: 'c' },
      { kind: 'ConfigMap', name: 'ca', volume: 'c' },
    ])
  })
})

test.each([
  ['nothing when all is there', 'settings', 'color', undefined],
  ['what is not there', 'other', 'color', 'configmap "other" not found'],
  ['which key is not', 'settings', 'size', "couldn't find key size in ConfigMap default/settings"],
  [
    'not what an object inherits',
    'settings',
    'toString',
    "couldn't find key toString in ConfigMap default/settings",
  ],
])('A missing reference says %s', (_, name, key, message) => {
  const find = (_kind: string, wanted: string) => (wanted === 'settings' ? { color: 'blue' } : undefined)
  expect(missingReference([{ kind: 'ConfigMap', name, key }], find, 'default')).toBe(message)
})

describe('A pod is held back', () => {
  const secret = { volumes: [{ name: 'a', secret: { secretName: 'login' } }] }
  const held = (spec: object, address: string | undefined) => {
    const pod = make.pod({ spec: spec as never })
    return heldBack(
      pod,
      restoreRecord(pod, 0),
      () => undefined,
      () => address,
    )
  }

  test.each([
    ['by a volume, and takes no address then', secret, '10.0.0.1', undefined, 'FailedMount'],
    ['by nothing else once it has an address', {}, '10.0.0.1', '10.0.0.1', undefined],
    ['while there is no address', {}, undefined, undefined, 'FailedCreatePodSandBox'],
  ])('%s', (_, spec, address, podIP, reason) => {
    const { why, ...rest } = held(spec, address)
    expect([rest.podIP, why?.[0]]).toEqual([podIP, reason])
  })
})

describe('A pod whose volume cannot be mounted', () => {
  const why = ['FailedMount', 'MountVolume.SetUp failed for volume "v" : secret "keys" not found'] as const

  test('is tried again after 0.5 s, 1 s, 2 s … 122 s, and told every 123 s that it takes too long', () => {
    let held = NOT_HELD
    let now = 1000
    const waits: number[] = []
    const longAt: number[] = []
    for (let i = 0; i < 12; i += 1) {
      held = heldAgain(held, why, now)
      waits.push((held.until - now) / 1000)
      if (held.isLong) longAt.push((now - 1000) / 1000)
      now = held.until
    }
    expect(waits).toEqual([0.5, 1, 2, 4, 8, 16, 32, 64, 122, 122, 122, 122])
    expect(longAt).toEqual([127.5, 371.5])
  })

  test('is told by the names of the volumes that are missing', () => {
    const volumes = [
      { name: 'there', configMap: { name: 'settings' } },
      { name: 'v', secret: { secretName: 'keys' } },
    ]
    const find = (kind: string) => (kind === 'ConfigMap' ? {} : undefined)
    expect(mountTimedOut(make.pod({ spec: { volumes } }), find)).toEqual([
      'FailedMount',
      'Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[]: context deadline exceeded',
    ])
  })
})
