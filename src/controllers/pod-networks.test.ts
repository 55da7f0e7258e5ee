import { describe, expect, test } from 'vitest'
import { createTestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { event } from '../api/kinds/event.ts'
import { node } from '../api/kinds/node.ts'
import { EventRecorder } from '../client/events.ts'
import { nodeIpamController } from './node-ipam.ts'
import { PodNetworks, podCidr } from './pod-networks.ts'
import { ControllerRunner } from './runner.ts'

describe('podCidr', () => {
  test.each([
    [0, '10.244.0.0/24'],
    [255, '10.244.255.0/24'],
    [256, '10.245.0.0/24'],
    [3071, '10.255.255.0/24'],
    [3072, '10.100.0.0/24'],
  ])('%i is %s', (n, cidr) => {
    expect(podCidr(n)).toBe(cidr)
  })
  test('is unique for the largest pools', () => {
    expect(new Set(Array.from({ length: 15_000 }, (_, n) => podCidr(n))).size).toBe(15_000)
  })
})

const having = (...numbers: number[]) =>
  numbers.map((n) => make.node({ metadata: { name: `n${n}` }, spec: { podCIDR: podCidr(n) } }))

describe('Networks of nodes', () => {
  test('fill the gaps', () => {
    expect(new PodNetworks().take(having(0, 2), ['a', 'b'])).toEqual(['10.244.1.0/24', '10.244.3.0/24'])
  })
  test('are not given twice, whether their nodes were seen yet or not', () => {
    const networks = new PodNetworks()
    expect(networks.take([], ['a'])).toEqual(['10.244.0.0/24'])
    expect(networks.take([], ['b'])).toEqual(['10.244.1.0/24'])
    expect(networks.take([], ['a'])).toEqual(['10.244.0.0/24'])
    networks.forget('a')
    expect(networks.take([], ['c'])).toEqual(['10.244.0.0/24'])
  })
  test('are free again when a node that had one is gone', () => {
    const networks = new PodNetworks()
    networks.take([], ['a'])
    networks.take(having(0), ['b'])
    expect(networks.take([], ['c'])).toEqual(['10.244.0.0/24'])
  })
  test('are used up some time', () => {
    expect(new PodNetworks(3).take(having(1), ['a', 'b', 'c', 'd'])).toEqual([
      '10.244.0.0/24',
      '10.244.2.0/24',
    ])
  })
})

test('A node gets a network, hears that there is none, and gets that of the next one to go', async () => {
  const { env, client, informers, clock, close } = await createTestCluster()
  const events = new EventRecorder(env, client, 'node-ipam-controller')
  const controller = nodeIpamController(new PodNetworks(2))
  const runner = new ControllerRunner({ env, client, informers, events }, controller)
  await Promise.all([runner.start(), clock.run(1)])
  for (const name of ['a', 'b', 'c']) {
    await client.create(node, make.node({ metadata: { name } }))
    await clock.run(10)
  }
  const networks = async () => (await client.list(node)).items.map(({ spec }) => spec.podCIDRs?.[0])
  expect(await networks()).toEqual(['10.244.0.0/24', '10.244.1.0/24', undefined])
  await clock.run(5000)
  const told = (await client.list(event)).items.map(({ reason, message }) => [reason, message])
  expect(told).toEqual([['CIDRNotAvailable', 'Node c status is now: CIDRNotAvailable']])
  await client.delete(node, { name: 'a' })
  await clock.run(100)
  expect(await networks()).toEqual(['10.244.1.0/24', '10.244.0.0/24'])
  await runner.stop()
  await close()
})
