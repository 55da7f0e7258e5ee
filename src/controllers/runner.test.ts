import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clientWith } from '../../test/support/client-with.ts'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { type ConfigMap, configMap } from '../api/kinds/config-map.ts'
import { pod } from '../api/kinds/pod.ts'
import { type ReplicaSet, replicaSet } from '../api/kinds/replica-set.ts'
import { controllerReference } from '../api/resource.ts'
import { sleep } from '../base/clock.ts'
import type { Client } from '../client/client.ts'
import { EventRecorder } from '../client/events.ts'
import { Informers } from '../client/informers.ts'
import { type Controller, ownerKey, Terminal } from './controller.ts'
import { replicaSetController } from './replica-set.ts'
import { ControllerRunner } from './runner.ts'

let cluster: TestCluster
let runner: ControllerRunner
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(async () => {
  await runner.stop()
  await cluster.close()
})

async function run(controller: Controller, client: Client = cluster.client): Promise<void> {
  const { env } = cluster
  const informers = new Informers(env, client)
  const events = new EventRecorder(env, cluster.client, 'test')
  runner = new ControllerRunner({ env, client, informers, events }, controller)
  await runner.start()
}

const create = (name: string) => cluster.client.create(configMap, make.configMap({ metadata: { name } }))

describe('ControllerRunner', () => {
  test('keeps one object that always fails from holding up the others', async () => {
    const seen: string[] = []
    await run({
      name: 'test',
      kind: configMap,
      concurrency: 1,
      async reconcile(_, { metadata }) {
        seen.push(metadata.name)
        if (metadata.name === 'bad') throw new TypeError('spec is not what it should be')
        return undefined
      },
    })
    await create('bad')
    await create('good')
    await cluster.clock.run(1000)
    expect(seen).toContain('good')
    const bad = seen.filter((name) => name === 'bad').length
    expect(bad).toBeGreaterThan(3)
    expect(bad).toBeLessThan(12)
  })

  test('does not retry a terminal error until the object changes', async () => {
    let looks = 0
    await run({
      name: 'test',
      kind: configMap,
      async reconcile() {
        looks += 1
        throw new Terminal('BadColor', 'Color "blue" is not known; choose red or green')
      },
    })
    const made = await create('settings')
    await cluster.clock.run(600_000)
    expect(looks).toBe(1)
    await cluster.client.update(configMap, { ...made, data: { color: 'red' } })
    await cluster.clock.run(1000)
    expect(looks).toBe(2)
  })

  test('looks again when it was asked to, and tells of what is gone', async () => {
    const looks: number[] = []
    const gone: string[] = []
    await run({
      name: 'test',
      kind: configMap,
      async reconcile({ env }) {
        looks.push(env.clock.now())
        return looks.length < 3 ? { requeueAfterMs: 5000 } : undefined
      },
      async deleted(_, key) {
        gone.push(key)
        return undefined
      },
    })
    await create('settings')
    await cluster.clock.run(60_000)
    expect(looks.map((at) => at - looks[0]!)).toEqual([0, 5000, 10_000])
    await cluster.client.delete(configMap, { namespace: 'default', name: 'settings' })
    await cluster.clock.run(1000)
    expect(gone).toEqual(['default/settings'])
  })

  test('lets a key rest that asked for it: its objects are looked at together, its own spec at once', async () => {
    const looks: number[] = []
    await run({
      name: 'test',
      kind: replicaSet,
      owns: [pod],
      async reconcile({ env }) {
        looks.push(env.clock.now())
        return { restMs: 200 }
      },
    })
    const set = await cluster.client.create(replicaSet, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'large', namespace: 'default' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'large' } },
        template: { metadata: { labels: { app: 'large' } }, spec: make.pod().spec },
      },
    })
    await cluster.clock.run(1000)
    looks.length = 0
    const ownerReferences = [controllerReference(set)]
    for (let n = 0; n < 10; n += 1) {
      await cluster.client.create(pod, make.pod({ metadata: { name: `p-${n}`, ownerReferences } }))
      await cluster.clock.run(50)
    }
    const gaps = looks.slice(1).map((at, i) => at - looks[i]!)
    expect(gaps).toEqual([200, 200])
    await cluster.client.update(replicaSet, { ...set, spec: { ...set.spec, replicas: 1 } })
    await cluster.clock.run(1)
    expect(looks.length).toBe(4)
  })

  test('does not look at a key again before it has seen what it wrote for it', async () => {
    const colors: unknown[] = []
    const lagging = lag(cluster, 600_000)
    await create('settings')
    await run(
      {
        name: 'test',
        kind: configMap as Controller<ConfigMap>['kind'],
        async reconcile({ client }, found: ConfigMap) {
          colors.push(found.data?.['color'])
          if (found.data?.['color'] === 'blue')
            await client.update(configMap, { ...found, data: { color: 'red' } })
          return { requeueAfterMs: 1000 }
        },
      } as Controller<ConfigMap>,
      lagging,
    )
    await cluster.clock.run(599_000)
    expect(colors).toEqual(['blue'])
    await cluster.clock.run(5000)
    expect(new Set(colors.slice(1))).toEqual(new Set(['red']))
  })
})

/** A client whose watches are late. */
function lag({ client, clock }: TestCluster, ms: number): Client {
  return clientWith(client, {
    async *watch(kind, options) {
      for await (const each of client.watch(kind, options)) {
        await sleep(clock, ms, options?.signal)
        yield each
      }
    },
  })
}

describe('The ReplicaSet controller with a view ten minutes late', () => {
  test('makes and deletes no pod too many', async () => {
    const { metadata, spec } = make.deployment()
    const { replicas, selector, template } = spec
    const set: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata,
      spec: { replicas, selector, template },
    }
    const made = await cluster.client.create(replicaSet, set)
    await run(replicaSetController, lag(cluster, 600_000))
    const count = async () => (await cluster.client.list(pod)).items.length
    for (let minute = 0; minute < 60; minute += 1) {
      await cluster.clock.run(60_000)
      expect(await count()).toBe(3)
    }
    const key = { namespace: 'default', name: made.metadata.name }
    const current = await cluster.client.get(replicaSet, key)
    await cluster.client.update(replicaSet, { ...current, spec: { ...current.spec, replicas: 1 } })
    for (let minute = 0; minute < 60; minute += 1) {
      await cluster.clock.run(60_000)
      expect(await count()).toBeGreaterThanOrEqual(1)
    }
    expect(await count()).toBe(1)
  })
})

describe('ownerKey', () => {
  const owned = (apiVersion: string, kind: string, controller = true) =>
    make.pod({ metadata: { ownerReferences: [{ apiVersion, kind, name: 'web', uid: 'u', controller }] } })
  test.each([
    ['leads to the controller', owned('apps/v1', 'ReplicaSet'), 'default/web'],
    ['does not care for the version', owned('apps/v1beta2', 'ReplicaSet'), 'default/web'],
    ['knows other groups apart', owned('example.com/v1', 'ReplicaSet'), undefined],
    ['knows other kinds apart', owned('apps/v1', 'Deployment'), undefined],
    ['passes over owners that are not controllers', owned('apps/v1', 'ReplicaSet', false), undefined],
  ])('%s', (_, resource, key) => {
    expect(ownerKey(resource, replicaSet)).toBe(key)
  })
})
