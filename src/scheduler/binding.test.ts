import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { node, pod } from '../../test/support/scheduling.ts'
import { findCondition } from '../api/conditions.ts'
import { event as eventKind } from '../api/kinds/event.ts'
import { node as nodeKind } from '../api/kinds/node.ts'
import { pod as podKind } from '../api/kinds/pod.ts'
import { priorityClass } from '../api/kinds/priority-class.ts'
import type { Permission, Plugin } from './plugin.ts'
import { type Scheduler, startScheduler } from './scheduler.ts'

let cluster: TestCluster
let scheduler: Scheduler | undefined
beforeEach(async () => {
  cluster = await createTestCluster()
  const { client } = cluster
  const a = node('a')
  await client.create(nodeKind, a)
  await client.patch(nodeKind, { name: 'a' }, 'merge', { status: a.status }, { subresource: 'status' })
  const taints = { spec: { taints: null } }
  await client.patch(nodeKind, { name: 'a' }, 'merge', taints)
})
afterEach(async () => {
  const stopping = scheduler?.stop()
  await cluster.clock.run(5000)
  await stopping
  await cluster.close()
})

/** Runs these besides the built-in plugins; they are named for their part. */
async function start(...plugins: readonly Plugin[]): Promise<void> {
  scheduler = startScheduler(
    cluster.env,
    cluster.client,
    cluster.informers,
    { profiles: [{ plugins: { multiPoint: { enabled: plugins.map(({ name }) => ({ name })) } } }] },
    Object.fromEntries(plugins.map((plugin) => [plugin.name, { weight: 0, make: () => plugin }])),
  )
  await cluster.clock.run(100)
}

async function create(name: string, cpu = '1', more: object = {}): Promise<void> {
  const { kind, apiVersion, spec } = pod(name, { cpu }, more)
  await cluster.client.create(podKind, { kind, apiVersion, metadata: { name, namespace: 'default' }, spec })
  await cluster.clock.run(500)
}

const get = (name: string) => cluster.client.get(podKind, { namespace: 'default', name })
const nodeOf = async (name: string) => (await get(name)).spec.nodeName
const said = async (name: string) => findCondition((await get(name)).status?.conditions, 'PodScheduled')
const events = async (name: string) =>
  (await cluster.client.list(eventKind, { namespace: 'default' })).items.flatMap((each) =>
    each.involvedObject.name === name ? [`${each.reason}: ${each.message}`] : [],
  )

/** Takes and gives back, and writes down when it was asked what. */
function witness(name: string, log: string[], permission: () => Permission = () => undefined): Plugin {
  const note = (what: string) => void log.push(`${name} ${what}`)
  return {
    name,
    reserve: () => note('reserve') as undefined,
    unreserve: () => note('unreserve'),
    permit: () => {
      note('permit')
      return permission()
    },
    preBind: async () => note('preBind'),
    postBind: () => note('postBind'),
  }
}

describe('A pod that has its node', () => {
  test('is reserved, permitted, bound and told of, in this order', async () => {
    const log: string[] = []
    await start(witness('One', log), witness('Two', log))
    await create('p')
    expect(await nodeOf('p')).toBe('a')
    expect(log).toEqual(
      ['reserve', 'permit', 'preBind', 'postBind'].flatMap((what) => [`One ${what}`, `Two ${what}`]),
    )
  })

  test('goes back when a permit rejects it, given back last first, and is told why', async () => {
    const log: string[] = []
    await start(
      witness('One', log),
      witness('Two', log, () => ({ reject: 'not on a Friday' })),
      witness('Three', log),
    )
    await create('p')
    expect(log).toEqual([
      ...['One reserve', 'Two reserve', 'Three reserve', 'One permit', 'Two permit'],
      ...['Three unreserve', 'Two unreserve', 'One unreserve'],
    ])
    const message = '0/1 nodes are available: 1 not on a Friday.'
    expect(await said('p')).toMatchObject({ status: 'False', reason: 'Unschedulable', message })
    await cluster.clock.run(5000)
    expect(await events('p')).toEqual([`FailedScheduling: ${message}`])
  })

  test('is tried again after an error in preBind, which is told as it is', async () => {
    let tries = 0
    await start({
      name: 'Shaky',
      async preBind() {
        tries += 1
        if (tries === 1) throw new Error('disk on fire')
      },
    })
    await create('p')
    expect(await said('p')).toMatchObject({
      reason: 'SchedulerError',
      message: 'running PreBind plugin "Shaky": disk on fire',
    })
    await cluster.clock.run(5000)
    expect(await nodeOf('p')).toBe('a')
  })
})

/** Holds every pod back until `size` are there. */
function gang(size: number, waitMs: number): Plugin {
  return {
    name: 'Gang',
    permit(_, __, waiting) {
      const others = waiting.list()
      if (others.length + 1 < size) return { waitMs }
      for (const other of others) other.allow('Gang')
      return undefined
    },
    hints: {},
  }
}

describe('A pod that waits for permission', () => {
  test('keeps its room, and goes on when another brings the permission', async () => {
    await start(gang(2, 60_000))
    await create('p', '3')
    await create('q', '3')
    expect(await nodeOf('p')).toBeUndefined()
    expect((await said('q'))?.message).toContain('1 Insufficient cpu')
    await create('r', '1')
    expect(await nodeOf('p')).toBe('a')
    expect(await nodeOf('r')).toBe('a')
    expect(await nodeOf('q')).toBeUndefined()
  })

  test('is rejected when its time is over, and others have its room', async () => {
    await start(gang(2, 3000))
    await create('p', '3')
    await create('q', '3')
    await cluster.clock.run(3000)
    expect(await said('p')).toMatchObject({
      reason: 'Unschedulable',
      message: '0/1 nodes are available: 1 rejected due to timeout after waiting 3s at plugin Gang.',
    })
    expect(await nodeOf('p')).toBeUndefined()
    await create('r', '1')
    expect(await nodeOf('q')).toBe('a')
    expect(await nodeOf('r')).toBe('a')
  })

  test('gives its room back when it is deleted', async () => {
    await start(gang(2, 60_000))
    await create('p', '3')
    await create('q', '3')
    await cluster.client.delete(podKind, { namespace: 'default', name: 'p' }, { gracePeriodSeconds: 0 })
    await cluster.clock.run(3000)
    await create('r', '1')
    expect(await nodeOf('q')).toBe('a')
    expect(await nodeOf('r')).toBe('a')
  })

  test('makes way for one of higher priority without being deleted', async () => {
    const { client } = cluster
    await client.create(priorityClass, {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: 1000,
    })
    await start({
      name: 'Gang',
      permit: ({ priority }) => (priority > 0 ? undefined : { waitMs: 60_000 }),
      hints: {},
    })
    await create('p', '3')
    await create('q', '3', { priorityClassName: 'high' })
    await cluster.clock.run(15_000)
    expect(await nodeOf('q')).toBe('a')
    expect((await get('p')).metadata.deletionTimestamp).toBeUndefined()
  })
})
