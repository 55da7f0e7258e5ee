import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import type { V1Container, V1LimitRangeItem } from './generated/types.ts'
import { claimLimitFaults, limitFaults, withDefaultResources } from './limits.ts'

const item = (fields: Omit<V1LimitRangeItem, 'type'>, type = 'Container'): V1LimitRangeItem => ({
  type,
  ...fields,
})
const container = (resources: V1Container['resources'] = {}, name = 'app'): V1Container => ({
  name,
  image: 'a',
  resources,
})

describe('A pod beyond its limits is told', () => {
  const cpu = (request?: string, limit?: string) =>
    container({
      ...(request ? { requests: { cpu: request } } : {}),
      ...(limit ? { limits: { cpu: limit } } : {}),
    })
  test.each<[string, V1LimitRangeItem, V1Container[], readonly string[]]>([
    ['nothing when it keeps to them', item({ min: { cpu: '1' }, max: { cpu: '2' } }), [cpu('1', '2')], []],
    [
      'a limit too high',
      item({ max: { cpu: '2' } }),
      [cpu('1', '3')],
      ['maximum cpu usage per Container is 2, but limit is 3'],
    ],
    [
      'no limit',
      item({ max: { cpu: '2' } }),
      [cpu('1')],
      ['maximum cpu usage per Container is 2.  No limit is specified'],
    ],
    [
      'a request too high',
      item({ max: { cpu: '500m' } }),
      [cpu('1', '500m')],
      ['maximum cpu usage per Container is 500m, but request is 1'],
    ],
    [
      'a request too low',
      item({ min: { cpu: '200m' } }),
      [cpu('100m', '1')],
      ['minimum cpu usage per Container is 200m, but request is 100m'],
    ],
    [
      'no request',
      item({ min: { cpu: '200m' } }),
      [cpu(undefined, '1')],
      ['minimum cpu usage per Container is 200m.  No request is specified'],
    ],
    [
      'a limit too low',
      item({ min: { cpu: '200m' } }),
      [cpu('200m', '100m')],
      ['minimum cpu usage per Container is 200m, but limit is 100m'],
    ],
    [
      'a ratio too high',
      item({ maxLimitRequestRatio: { cpu: '2' } }),
      [cpu('100m', '300m')],
      ['cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000'],
    ],
    [
      'a ratio of nothing',
      item({ maxLimitRequestRatio: { cpu: '2' } }),
      [cpu(undefined, '1')],
      ['cpu max limit to request ratio per Container is 2, but no request is specified or request is 0'],
    ],
    [
      'a ratio without a limit',
      item({ maxLimitRequestRatio: { cpu: '2' } }),
      [cpu('1')],
      ['cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0'],
    ],
    [
      'the sum of its containers',
      item({ max: { cpu: '2' } }, 'Pod'),
      [cpu('1', '1'), cpu('1', '1500m')],
      ['maximum cpu usage per Pod is 2, but limit is 2500m'],
    ],
    [
      'each container that is wrong',
      item({ max: { cpu: '1' } }),
      [cpu('1', '2'), cpu('1', '3')],
      [
        'maximum cpu usage per Container is 1, but limit is 2',
        'maximum cpu usage per Container is 1, but limit is 3',
      ],
    ],
    ['nothing about claims', item({ max: { storage: '1Gi' } }, 'PersistentVolumeClaim'), [cpu()], []],
  ])('%s', (_, range, containers, expected) => expect(limitFaults({ containers }, [range])).toEqual(expected))
})

test.each<[string, object, string[]]>([
  [
    'too large',
    { requests: { storage: '10Gi' } },
    ['maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 10Gi'],
  ],
  [
    'too small',
    { requests: { storage: '1Gi' } },
    ['minimum storage usage per PersistentVolumeClaim is 2Gi, but request is 1Gi'],
  ],
  ['just right', { requests: { storage: '5Gi' } }, []],
])('A claim that is %s is told so', (_, resources, expected) =>
  expect(
    claimLimitFaults({ resources }, [
      item({ min: { storage: '2Gi' }, max: { storage: '5Gi' } }, 'PersistentVolumeClaim'),
    ]),
  ).toEqual(expected),
)

test('Defaults fill in what is not said, and an annotation tells which', () => {
  const range = item({
    default: { cpu: '1', memory: '256Mi' },
    defaultRequest: { cpu: '100m', memory: '128Mi' },
  })
  const pod = make.pod({
    spec: {
      containers: [
        container(),
        container({ requests: { cpu: '2' }, limits: { cpu: '3', memory: '1Gi' } }, 'busy'),
      ],
      initContainers: [container({ limits: { cpu: '1' } }, 'setup')],
    },
  })
  const filled = withDefaultResources(pod, [range])
  expect(filled.spec.containers.map(({ resources }) => resources)).toEqual([
    { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '256Mi' } },
    { requests: { cpu: '2', memory: '128Mi' }, limits: { cpu: '3', memory: '1Gi' } },
  ])
  expect(filled.metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
    'LimitRanger plugin set: cpu, memory request for container app; cpu, memory limit for container app; memory request for container busy; cpu, memory request for init container setup; memory limit for init container setup',
  )
  expect(withDefaultResources(filled, [range])).toBe(filled)
})
