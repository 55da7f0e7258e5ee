import { describe, expect, test } from 'vitest'
import { createTestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { kinds } from '../api/kinds/index.ts'
import { ipAddress } from '../api/kinds/ip-address.ts'
import { service } from '../api/kinds/service.ts'
import { type ServiceCIDR, serviceCidr } from '../api/kinds/service-cidr.ts'
import { startControllers } from './index.ts'
import { isNeeded } from './service-cidr.ts'

const range = (name: string, ...cidrs: string[]): ServiceCIDR => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name },
  spec: { cidrs },
})

describe('A ServiceCIDR that is to go is needed', () => {
  test.each<[string, string[], string[][], string[], boolean]>([
    ['not while none of it is given', ['10.1.0.0/24'], [], ['10.2.0.1'], false],
    ['while an address of it is given', ['10.1.0.0/24'], [], ['10.1.0.9'], true],
    ['not where a larger one covers it', ['10.1.0.0/24'], [['10.1.0.0/16']], ['10.1.0.9'], false],
    ['not where another is the same', ['10.1.0.0/24'], [['10.1.0.0/24']], ['10.1.0.9'], false],
    ['not where a smaller one has the address', ['10.1.0.0/24'], [['10.1.0.0/28']], ['10.1.0.9'], false],
    ['where a smaller one lacks the address', ['10.1.0.0/24'], [['10.1.0.0/28']], ['10.1.0.99'], true],
    ['for either family', ['10.1.0.0/24', 'fd00::/112'], [['10.1.0.0/16']], ['fd00::9'], true],
  ])('%s', (_, cidrs, others, given, expected) => {
    const rest = others.map((each, i) => range(`other-${i}`, ...each))
    expect(isNeeded(range('going', ...cidrs), rest, given)).toBe(expected)
  })
})

test('A ServiceCIDR goes when the last Service has given its address back, and 10 s are over', async () => {
  const cluster = await createTestCluster()
  const options = { informers: cluster.informers, kinds: () => kinds }
  const running = startControllers(cluster.env, cluster.client, options)
  const { client, clock } = cluster
  await client.create(serviceCidr, range('more', '10.97.0.0/24'))
  await clock.run(1000)
  await client.create(service, make.service({ spec: { clusterIP: '10.97.0.9' } }))
  await clock.run(1000)
  expect((await client.get(ipAddress, { name: '10.97.0.9' })).spec.parentRef.name).toBe('web')
  await client.delete(serviceCidr, { name: 'more' })
  await clock.run(20_000)
  const { status } = await client.get(serviceCidr, { name: 'more' })
  expect(status?.conditions).toMatchObject([{ type: 'Ready', status: 'False', reason: 'Terminating' }])
  await expect(
    client.create(service, make.service({ metadata: { name: 'late' }, spec: { clusterIP: '10.97.0.10' } })),
  ).rejects.toThrow('the provided network does not match the current range')
  const web = { namespace: 'default', name: 'web' }
  const changed = await client.patch(service, web, 'merge', { metadata: { labels: { still: 'here' } } })
  expect(changed.spec.clusterIP).toBe('10.97.0.9')
  await client.delete(service, web)
  await clock.run(5000)
  await expect(client.get(serviceCidr, { name: 'more' })).rejects.toMatchObject({ reason: 'NotFound' })
  await running.stop()
  await cluster.close()
})
