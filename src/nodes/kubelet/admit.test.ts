import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import type { V1Container, V1PodSpec } from '../../api/generated/types.ts'
import { admit, refusedUnderPressure } from './admit.ts'

const node = make.node({ metadata: { labels: { disk: 'ssd' } } })
const pod = (spec: Partial<V1PodSpec> = {}, container: Partial<V1Container> = {}) =>
  make.pod({ spec: { ...spec, containers: [{ name: 'app', image: 'x', ...container }] } as never })
const asks = (requests: Readonly<Record<string, string>>) => pod({}, { resources: { requests } })
const binds = (hostPort: number, more: { hostIP?: string; protocol?: string } = {}) =>
  pod({}, { ports: [{ containerPort: 80, hostPort, ...more }] })

describe('A node', () => {
  test.each<[string, Parameters<typeof admit>, string | undefined]>([
    ['takes what fits', [asks({ cpu: '1' }), node, [asks({ cpu: '3' })]], undefined],
    [
      'refuses more cpu than is left, counted in thousandths',
      [asks({ cpu: '1500m' }), node, [asks({ cpu: '2' }), asks({ cpu: '1' })]],
      "OutOfcpu: Node didn't have enough resource: cpu, requested: 1500, used: 3000, capacity: 4000",
    ],
    [
      'refuses more memory than it has',
      [asks({ memory: '20Gi' }), node, []],
      "OutOfmemory: Node didn't have enough resource: memory, requested: 21474836480, used: 0, capacity: 17179869184",
    ],
    ['does not mind an extended resource it does not know', [asks({ 'x.io/gpu': '1' }), node, []], undefined],
    [
      'refuses one pod too many',
      [pod(), make.node({ status: { allocatable: { pods: '1' } } }), [pod()]],
      "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1",
    ],
    [
      'refuses a pod that selects another node',
      [pod({ nodeSelector: { disk: 'hdd' } }), node, []],
      "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ],
    [
      'refuses a host port that is taken',
      [binds(80), node, [binds(80)]],
      "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    ],
    [
      'takes the same port of another protocol',
      [binds(80), node, [binds(80, { protocol: 'UDP' })]],
      undefined,
    ],
    [
      'takes the same port on another address',
      [binds(80, { hostIP: '10.0.0.1' }), node, [binds(80, { hostIP: '10.0.0.2' })]],
      undefined,
    ],
    [
      'refuses an address where all are taken',
      [binds(80, { hostIP: '10.0.0.1' }), node, [binds(80)]],
      "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    ],
    [
      'refuses what does not tolerate NoExecute',
      [pod(), make.node({ spec: { taints: [{ key: 'k', effect: 'NoExecute' }] } }), []],
      "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    ],
    [
      'leaves NoSchedule to the scheduler',
      [pod(), make.node({ spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }), []],
      undefined,
    ],
  ])('%s', (_, question, answer) => {
    const rejection = admit(...question)
    expect(rejection && `${rejection.reason}: ${rejection.message}`).toBe(answer)
  })
})

describe('A node under pressure', () => {
  const small = asks({ memory: '1Mi' })
  const tolerations = [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' }]
  test.each<[string, Parameters<typeof refusedUnderPressure>, string | undefined]>([
    ['of nothing takes all', [pod(), []], undefined],
    ['of memory refuses who asks for none', [pod(), ['MemoryPressure']], '[MemoryPressure]'],
    ['of memory takes who asks for some', [small, ['MemoryPressure']], undefined],
    ['of memory takes who bears it', [pod({ tolerations }), ['MemoryPressure']], undefined],
    ['of disk refuses all', [small, ['DiskPressure']], '[DiskPressure]'],
    ['of both refuses all', [small, ['MemoryPressure', 'DiskPressure']], '[MemoryPressure DiskPressure]'],
    ['takes critical pods', [pod({ priority: 2_000_000_000 }), ['DiskPressure']], undefined],
  ])('%s', (_, given, conditions) => {
    expect(refusedUnderPressure(...given)).toEqual(
      conditions && { reason: 'Evicted', message: `The node had condition: ${conditions}. ` },
    )
  })
})
