import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { type Service, service } from '../../api/kinds/service.ts'

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
    ['outside the range', '10.97.0.1', 'is not in the valid range. The range of valid IPs is 10.96.0.0/16'],
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
