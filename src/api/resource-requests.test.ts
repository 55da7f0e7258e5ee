import { describe, expect, test } from 'vitest'
import type { V1Container, V1PodSpec } from './generated/types.ts'
import { limitsOf, qosClassOf, type ResourceList, requestsOf } from './resource-requests.ts'

const asks = (requests: ResourceList, restartPolicy?: 'Always'): V1Container => ({
  name: 'c',
  resources: { requests },
  ...(restartPolicy ? { restartPolicy } : {}),
})
const cpu = (amount: string) => asks({ cpu: amount })
const sidecar = (amount: string) => asks({ cpu: amount }, 'Always')

describe('requestsOf', () => {
  test.each<[string, V1PodSpec, ResourceList]>([
    ['nothing is nothing', { containers: [{ name: 'c' }] }, {}],
    ['containers add up', { containers: [cpu('100m'), cpu('900m')] }, { cpu: '1' }],
    ['a larger init container counts', { initContainers: [cpu('2')], containers: [cpu('1')] }, { cpu: '2' }],
    [
      'init containers run one by one',
      { initContainers: [cpu('2'), cpu('3')], containers: [cpu('1')] },
      { cpu: '3' },
    ],
    [
      'a smaller init container does not count',
      { initContainers: [cpu('500m')], containers: [cpu('1')] },
      { cpu: '1' },
    ],
    [
      'a sidecar runs beside the containers',
      { initContainers: [sidecar('1')], containers: [cpu('1')] },
      { cpu: '2' },
    ],
    [
      'an init container runs beside the sidecars started before it',
      { initContainers: [sidecar('1'), cpu('3'), sidecar('5')], containers: [cpu('1')] },
      { cpu: '7' },
    ],
    [
      'an init container may need more than all that follows',
      { initContainers: [sidecar('1'), cpu('8')], containers: [cpu('1')] },
      { cpu: '9' },
    ],
    [
      'each resource is judged alone',
      { initContainers: [asks({ memory: '1Gi' })], containers: [cpu('1')] },
      { cpu: '1', memory: '1Gi' },
    ],
    [
      'overhead is added',
      { containers: [cpu('1')], overhead: { cpu: '250m', memory: '1Mi' } },
      { cpu: '1250m', memory: '1Mi' },
    ],
    [
      'the pod speaks for its containers',
      { containers: [cpu('1')], resources: { requests: { cpu: '3' } } },
      { cpu: '3' },
    ],
    [
      'the pod does not speak for devices',
      { containers: [asks({ 'a/gpu': '1' })], resources: { requests: { 'a/gpu': '9', cpu: '1' } } },
      { 'a/gpu': '1', cpu: '1' },
    ],
  ])('%s', (_, spec, expected) => expect(requestsOf(spec)).toEqual(expected))

  test('counts what containers do not say', () => {
    const spec = { containers: [cpu('1'), { name: 'd' }] }
    expect(requestsOf(spec, { cpu: '100m', memory: '200Mi' })).toEqual({ cpu: '1100m', memory: '400Mi' })
  })
})

test('limitsOf adds overhead only to what is limited', () => {
  const spec = {
    containers: [{ name: 'c', resources: { limits: { cpu: '1' } } }],
    overhead: { cpu: '1', memory: '1Gi' },
  }
  expect(limitsOf(spec)).toEqual({ cpu: '2' })
})

describe('qosClassOf', () => {
  const both = { cpu: '1', memory: '1Gi' }
  const of = (...resources: NonNullable<V1Container['resources']>[]): V1PodSpec => ({
    containers: resources.map((one) => ({ name: 'c', resources: one })),
  })
  test.each<[string, V1PodSpec, string]>([
    ['nothing', of({}), 'BestEffort'],
    ['zeros', of({ requests: { cpu: '0' }, limits: { memory: '0' } }), 'BestEffort'],
    ['devices alone', of({ limits: { 'a/gpu': '1' } }), 'BestEffort'],
    ['a request', of({ requests: { cpu: '1' } }), 'Burstable'],
    ['limits of one resource', of({ limits: { cpu: '1' }, requests: { cpu: '1' } }), 'Burstable'],
    ['limits that requests equal', of({ limits: both, requests: both }), 'Guaranteed'],
    [
      'limits that requests equal in other words',
      of({ limits: both, requests: { cpu: '1000m', memory: '1024Mi' } }),
      'Guaranteed',
    ],
    ['limits without requests', of({ limits: both }), 'Guaranteed'],
    ['limits above requests', of({ limits: both, requests: { cpu: '1', memory: '1Mi' } }), 'Burstable'],
    ['one container without', of({ limits: both }, {}), 'Burstable'],
    ['an init container without', { ...of({ limits: both }), initContainers: [{ name: 'i' }] }, 'Burstable'],
    ['pod-level limits', { ...of({}), resources: { limits: both, requests: both } }, 'Guaranteed'],
    ['an empty pod level', { ...of({ limits: both }), resources: {} }, 'Guaranteed'],
  ])('%s', (_, spec, expected) => expect(qosClassOf(spec)).toBe(expected))
})
