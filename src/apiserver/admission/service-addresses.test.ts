import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { type Service, service } from '../../api/kinds/service.ts'
import { serviceCidr } from '../../api/kinds/service-cidr.ts'

let cluster: TestCluster
let count = 0
beforeEach(async () => {
  cluster = await createTestCluster()
  count = 0
})
afterEach(() => cluster.close())

const add = (spec: Partial<Service['spec']> = {}, options: { dryRun?: boolean } = {}) =>
  cluster.client.create(
    service,
    { ...make.service({ metadata: { name: `svc-${++count}` } }), spec: { ...make.service().spec, ...spec } },
    options,
  )
const remove = ({ metadata: { namespace, name } }: Service) =>
  cluster.client.delete(service, { namespace, name })
const lastTwo = (ip: string | undefined) => ip?.split('.').slice(2).map(Number) ?? []

describe('The address of a Service', () => {
  test('is drawn from above the static band of 10.96.0.0/16', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, () => add()))
    const ips = made.map(({ spec }) => spec.clusterIP)
    expect(new Set(ips).size).toBe(50)
    expect(ips.every((ip) => ip?.startsWith('10.96.') && (lastTwo(ip)[0] ?? 0) >= 1)).toBe(true)
    expect(made[0]?.spec.clusterIPs).toEqual([ips[0]])
  })

  test('may be asked for', async () =>
    expect((await add({ clusterIP: '10.96.0.10' })).spec).toMatchObject({
      clusterIP: '10.96.0.10',
      clusterIPs: ['10.96.0.10'],
    }))

  test.each([
    ['outside the ranges', '10.97.0.1', 'the provided network does not match the current range'],
    [
      'of the network itself',
      '10.96.0.0',
      'is not in the valid range. The range of valid IPs is 10.96.0.0/16',
    ],
    ['with leading zeros', '10.96.0.010', ''],
  ])('%s is refused', async (_, clusterIP, message) =>
    expect(add({ clusterIP })).rejects.toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining(message),
    }),
  )

  test('is refused while another has it, and free once that is gone', async () => {
    const first = await add({ clusterIP: '10.96.0.10' })
    await expect(add({ clusterIP: '10.96.0.10' })).rejects.toThrow(
      'failed to allocate IP 10.96.0.10: provided IP is already allocated',
    )
    await remove(first)
    expect((await add({ clusterIP: '10.96.0.10' })).spec.clusterIP).toBe('10.96.0.10')
  })

  test('goes to one of two who ask at the same time', async () => {
    const asked = await Promise.allSettled([
      add({ clusterIP: '10.96.0.10' }),
      add({ clusterIP: '10.96.0.10' }),
    ])
    expect(asked.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('is none when headless or an external name', async () => {
    expect((await add({ clusterIP: 'None' })).spec.clusterIP).toBe('None')
    const named = { type: 'ExternalName', externalName: 'db.example' }
    expect((await add(named)).spec).not.toHaveProperty('clusterIP')
  })

  test('stays when an update leaves it out', async () => {
    const made = await add()
    const { clusterIP: _, clusterIPs: _ips, ...spec } = made.spec
    expect((await cluster.client.update<Service>(service, { ...made, spec })).spec.clusterIP).toBe(
      made.spec.clusterIP,
    )
  })

  test('of a dry run or a refused write is not kept', async () => {
    await add({ clusterIP: '10.96.0.10' }, { dryRun: true })
    await expect(add({ clusterIP: '10.96.0.10', ports: [] })).rejects.toThrow('spec.ports')
    expect((await add({ clusterIP: '10.96.0.10' })).spec.clusterIP).toBe('10.96.0.10')
  })
})

describe('With more service ranges', () => {
  const range = (name: string, ...cidrs: string[]) =>
    cluster.client.create(serviceCidr, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name },
      spec: { cidrs },
    })

  test('an address may be asked for of any, and is drawn of the next when one is full', async () => {
    await range('kubernetes', '10.1.0.0/30')
    await range('more', '10.2.0.0/28')
    expect((await add({ clusterIP: '10.2.0.9' })).spec.clusterIP).toBe('10.2.0.9')
    const drawn = await Promise.all([add(), add(), add()])
    const ips = drawn.map(({ spec }) => spec.clusterIP).toSorted()
    expect(ips.slice(0, 2)).toEqual(['10.1.0.1', '10.1.0.2'])
    expect(ips[2]).toMatch(/^10\.2\.0\./)
  })

  test('of both families a Service may have an address of each, and give the second back', async () => {
    await range('six', 'fd00:10:96::/112')
    const made = await add({ ipFamilyPolicy: 'PreferDualStack' })
    const [four, six] = made.spec.clusterIPs ?? []
    expect(made.spec.ipFamilies).toEqual(['IPv4', 'IPv6'])
    expect([four?.startsWith('10.96.'), six?.startsWith('fd00:10:96::')]).toEqual([true, true])
    const change = (spec: object) =>
      cluster.client.patch<Service>(service, { namespace: 'default', name: made.metadata.name }, 'merge', {
        spec,
      })
    await expect(change({ clusterIPs: [four] })).rejects.toThrow(
      'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be \'SingleStack\' to release the secondary cluster IP',
    )
    const single = await change({ ipFamilyPolicy: 'SingleStack' })
    expect([single.spec.clusterIPs, single.spec.ipFamilies]).toEqual([[four], ['IPv4']])
    const dual = await change({ ipFamilyPolicy: 'RequireDualStack' })
    expect(dual.spec.clusterIPs).toHaveLength(2)
  })

  test('a Service of both can be changed when the range of one is on its way out', async () => {
    await range('six', 'fd00:10:96::/112')
    const made = await add({ ipFamilyPolicy: 'RequireDualStack' })
    const held = await cluster.client.get(serviceCidr, { name: 'six' })
    const finalizers = ['networking.k8s.io/service-cidr-finalizer']
    await cluster.client.update(serviceCidr, { ...held, metadata: { ...held.metadata, finalizers } })
    await cluster.client.delete(serviceCidr, { name: 'six' })
    const { namespace, name } = made.metadata
    const labels = { still: 'here' }
    const changed = await cluster.client.patch<Service>(service, { namespace, name }, 'merge', {
      metadata: { labels },
    })
    expect(changed.spec.clusterIPs).toEqual(made.spec.clusterIPs)
    await expect(add({ ipFamilyPolicy: 'RequireDualStack' })).rejects.toThrow('not configured for dual-stack')
  })

  test('the first family may be the other one', async () => {
    await range('six', 'fd00:10:96::/112')
    const { spec } = await add({ ipFamilies: ['IPv6'] })
    expect([spec.ipFamilyPolicy, spec.clusterIP?.startsWith('fd00:10:96::')]).toEqual(['SingleStack', true])
  })
})

test('With one range only there is no second family', async () => {
  await expect(add({ ipFamilyPolicy: 'RequireDualStack' })).rejects.toThrow(
    'this cluster is not configured for dual-stack services',
  )
  expect((await add({ ipFamilyPolicy: 'PreferDualStack' })).spec.ipFamilies).toEqual(['IPv4'])
  const { clusterIP, ipFamilies } = (await add({ clusterIP: 'None', selector: {} })).spec
  expect([clusterIP, ipFamilies]).toEqual(['None', ['IPv4', 'IPv6']])
})

test('A Service that becomes an external name gives up its address, and gets another one back', async () => {
  const { metadata } = await add()
  const key = { namespace: 'default', name: metadata.name }
  const named = { type: 'ExternalName', externalName: 'db.example' }
  const external = await cluster.client.patch<Service>(service, key, 'merge', { spec: named })
  expect(
    Object.keys(external.spec).filter((field) => field.startsWith('cluster') || field.startsWith('ip')),
  ).toEqual([])
  const back = { spec: { type: 'ClusterIP', externalName: null } }
  const { spec } = await cluster.client.patch<Service>(service, key, 'merge', back)
  expect([spec.clusterIP?.startsWith('10.96.'), spec.ipFamilies]).toEqual([true, ['IPv4']])
})

describe('The node ports of a Service', () => {
  const nodePorts = ({ spec }: Service) => spec.ports?.map(({ nodePort }) => nodePort ?? 0) ?? []

  test('are drawn from above the static band', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => add({ type: 'NodePort' })))
    const ports = made.flatMap(nodePorts)
    expect(new Set(ports).size).toBe(20)
    expect(ports.every((port) => port >= 30_086 && port <= 32_767)).toBe(true)
  })

  test('differ within one Service', async () => {
    const ports = [80, 81, 82].map((port) => ({ name: `p${port}`, port }))
    expect(new Set(nodePorts(await add({ type: 'LoadBalancer', ports }))).size).toBe(3)
  })

  test.each([
    [
      'outside the range',
      8080,
      'provided port is not in the valid range. The range of valid ports is 30000-32767',
    ],
    ['that is taken', 30_001, 'provided port is already allocated'],
  ])('%s are refused', async (_, nodePort, message) => {
    await add({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_001 }] })
    await expect(add({ type: 'NodePort', ports: [{ port: 80, nodePort }] })).rejects.toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining(`spec.ports[0].nodePort: Invalid value: ${nodePort}: ${message}`),
    })
  })

  test('are one for a port of two protocols', async () => {
    const ports = ['TCP', 'UDP'].map((protocol) => ({ name: protocol.toLowerCase(), port: 53, protocol }))
    const [tcp, udp] = nodePorts(await add({ type: 'NodePort', ports }))
    expect([tcp, tcp === udp]).toEqual([expect.any(Number), true])
  })

  test('are not drawn for a load balancer that wants none', async () => {
    const ports = [{ port: 80 }]
    expect(
      nodePorts(await add({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports })),
    ).toEqual([0])
  })

  test('have one more where the balancer has to ask for the health of a node', async () => {
    const made = await add({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' })
    expect(made.spec.healthCheckNodePort).toBeGreaterThanOrEqual(30_086)
    expect(nodePorts(made)).not.toContain(made.spec.healthCheckNodePort)
    const key = { namespace: 'default', name: made.metadata.name }
    const open = { spec: { externalTrafficPolicy: 'Cluster' } }
    const changed = await cluster.client.patch<Service>(service, key, 'merge', open)
    expect(changed.spec.healthCheckNodePort).toBeUndefined()
  })

  test('go when the type no longer has them', async () => {
    const made = await add({ type: 'NodePort' })
    const changed = await cluster.client.patch(
      service,
      { namespace: 'default', name: made.metadata.name },
      'merge',
      { spec: { type: 'ClusterIP', ports: [{ port: 80, targetPort: 8080 }] } },
    )
    expect(nodePorts(changed)).toEqual([0])
  })
})
