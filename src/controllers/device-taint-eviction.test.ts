import { describe, expect, test } from 'vitest'
import { formatTime } from '../base/date.ts'
import { deviceEvictionAt } from './device-taint-eviction.ts'

const ADDED = Date.UTC(2026, 0, 1)
const slice = (generation: number, effect: string) => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceSlice',
  metadata: { name: `gpus-${generation}` },
  spec: {
    driver: 'x.example',
    pool: { name: 'a', generation, resourceSliceCount: 1 },
    devices: [
      { name: '0', taints: [{ key: 'hot', value: 'yes', effect, timeAdded: formatTime(ADDED) }] },
      { name: '1' },
    ],
  },
})
const result = (device: string, ...tolerations: object[]) => ({
  request: 'gpu',
  driver: 'x.example',
  pool: 'a',
  device,
  tolerations,
})

describe('Who uses a device', () => {
  test.each([
    ['without taints stays', [slice(1, 'NoExecute')], [result('1')], undefined],
    ['with a taint goes at once', [slice(1, 'NoExecute')], [result('0')], 0],
    ['with a taint that only keeps others away stays', [slice(1, 'NoSchedule')], [result('0')], undefined],
    [
      'whose taint it tolerates stays',
      [slice(1, 'NoExecute')],
      [result('0', { key: 'hot', operator: 'Exists' })],
      undefined,
    ],
    [
      'whose taint it tolerates for a minute goes after it',
      [slice(1, 'NoExecute')],
      [result('0', { operator: 'Exists' }, { key: 'hot', operator: 'Exists', tolerationSeconds: 60 })],
      ADDED + 60_000,
    ],
    ['goes when one of two devices must', [slice(1, 'NoExecute')], [result('1'), result('0')], 0],
    [
      'of whose pool there is a newer generation stays when that has no taint',
      [slice(1, 'NoExecute'), slice(2, 'None')],
      [result('0')],
      undefined,
    ],
  ])('%s', (_, slices, results, expected) => expect(deviceEvictionAt(results, slices)).toBe(expected))

  test('whose taint does not say since when it is there goes its time after the slice was written', () => {
    const { spec, ...rest } = slice(1, 'NoExecute')
    const written = ADDED + 3_600_000
    const undated = {
      ...rest,
      metadata: {
        name: 'gpus',
        creationTimestamp: formatTime(ADDED),
        managedFields: [{ time: formatTime(written) }],
      },
      spec: { ...spec, devices: [{ name: '0', taints: [{ key: 'hot', effect: 'NoExecute' }] }] },
    }
    const tolerant = result('0', { key: 'hot', operator: 'Exists', tolerationSeconds: 60 })
    expect(deviceEvictionAt([tolerant], [undated])).toBe(written + 60_000)
  })
})
