import { describe, expect, test } from 'vitest'
import type { AnyKind } from '../../src/api/kind.ts'
import { kinds } from '../../src/api/kinds/index.ts'
import { ApiError, isReason } from '../../src/api/status.ts'
import type { Client } from '../../src/client/client.ts'
import { EventRecorder } from '../../src/client/events.ts'
import { Informers } from '../../src/client/informers.ts'
import type { Controller } from '../../src/controllers/controller.ts'
import { ControllerRunner } from '../../src/controllers/runner.ts'
import { clientWith } from '../support/client-with.ts'
import { createTestCluster, type TestCluster } from '../support/cluster.ts'

/** What a controller is put into: its objects, made in order before it starts. */
export interface Scenario {
  readonly controller: Controller
  arrange(client: Client): Promise<void>
  /** Something to see, so that the scenario is not about nothing. */
  check(client: Client): Promise<void>
  /** Takes away what the controller works for. */
  remove(client: Client): Promise<unknown>
}

/** Long enough for every retry after a failed write. */
const SETTLE_MS = 30_000

/**
 * Every controller promises: (1) once things are as they should be it writes nothing; (2) a conflict on any one of its
 * writes changes nothing about where it ends; (3) so does an answer that got lost after the write was done;
 * (4) so does a crash after any one of them; (5) what it works for may go at any time; (6) what it writes is never
 * refused as malformed.
 */
export function controllerContract(scenario: Scenario): void {
  const { controller, arrange, check, remove } = scenario

  describe(`Controller ${controller.name}`, () => {
    test('does its work and then writes nothing', async () => {
      await withController({}, async (cluster) => {
        await check(cluster.client)
        const { revision } = cluster.store
        await cluster.clock.run(3_600_000)
        expect(cluster.store.revision).toBe(revision)
      })
    })

    test('ends the same when it is stopped after each write and started anew', async () => {
      let clean: unknown
      const writes = await withController({}, async (cluster) => {
        clean = await worldOf(cluster)
      })
      for (let failAt = 1; failAt <= Math.min(writes, 25); failAt += 1) {
        await withController({ failAt, failure: 'crash' }, async (cluster) => {
          expect(await worldOf(cluster)).toEqual(clean)
        })
      }
    })

    test.each(['conflict', 'lost answer'] as const)(
      'ends the same after a %s on each write',
      async (failure) => {
        let clean: unknown
        const writes = await withController({}, async (cluster) => {
          clean = await worldOf(cluster)
        })
        expect(writes).toBeGreaterThan(0)
        for (let failAt = 1; failAt <= Math.min(writes, 25); failAt += 1) {
          await withController({ failAt, failure }, async (cluster) => {
            expect(await worldOf(cluster)).toEqual(clean)
          })
        }
      },
    )

    test('is at peace when what it works for is gone', async () => {
      await withController({}, async (cluster) => {
        await remove(cluster.client)
        await cluster.clock.run(SETTLE_MS)
        const { revision } = cluster.store
        await cluster.clock.run(600_000)
        expect(cluster.store.revision).toBe(revision)
      })
    })
  })

  /** Returns how many writes the controller tried. */
  async function withController(
    fault: { failAt?: number; failure?: 'conflict' | 'lost answer' | 'crash' },
    use: (cluster: TestCluster) => Promise<void>,
  ): Promise<number> {
    const cluster = await createTestCluster()
    const refused: string[] = []
    let writes = 0
    let hasCrashed = false
    const client = withFaults(cluster.client, async (write) => {
      // Nothing a dead process does is done.
      if (hasCrashed) throw new ApiError('Timeout', 'this process is no more')
      writes += 1
      if (writes === fault.failAt && fault.failure === 'conflict')
        throw new ApiError('Conflict', 'someone was faster')
      const answer = await write().catch((error: unknown) => {
        if (isReason(error, 'BadRequest') || isReason(error, 'Invalid')) refused.push(String(error))
        throw error
      })
      if (writes !== fault.failAt || fault.failure === undefined) return answer
      hasCrashed = fault.failure === 'crash'
      throw new ApiError('Timeout', 'the answer was lost')
    })
    const start = async () => {
      const informers = new Informers(cluster.env, cluster.client)
      const events = new EventRecorder(cluster.env, cluster.client, 'test')
      const runner = new ControllerRunner({ env: cluster.env, client, informers, events }, controller)
      await runner.start()
      return async () => {
        await runner.stop()
        await informers.close()
      }
    }
    await arrange(cluster.client)
    let stop = await start()
    try {
      if (fault.failure === 'crash') {
        for (let ms = 0; ms < SETTLE_MS && !hasCrashed; ms += 50) await cluster.clock.run(50)
        await stop()
        hasCrashed = false
        stop = await start()
      }
      await cluster.clock.run(SETTLE_MS)
      expect(refused).toEqual([])
      await use(cluster)
    } finally {
      await stop()
      await cluster.close()
    }
    return writes
  }
}

function withFaults(client: Client, attempt: <T>(write: () => Promise<T>) => Promise<T>): Client {
  return clientWith(client, {
    create: (...args) => attempt(() => client.create(...args)),
    update: (...args) => attempt(() => client.update(...args)),
    patch: (...args) => attempt(() => client.patch(...args)),
    apply: (...args) => attempt(() => client.apply(...args)),
    delete: (...args) => attempt(() => client.delete(...args)),
    deleteCollection: (...args) => attempt(() => client.deleteCollection(...args)),
    createSubresource: (...args) => attempt(() => client.createSubresource(...args)),
  })
}

const INCIDENTAL = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'observedGeneration',
  'managedFields',
  'creationTimestamp',
  'lastTransitionTime',
  'lastUpdateTime',
  'timeAdded',
])

/** Everything there is but events, without what differs from run to run. */
async function worldOf({ client }: TestCluster): Promise<string[]> {
  const world: string[] = []
  for (const kind of kinds.filter((each: AnyKind) => each.kind !== 'Event')) {
    for (const resource of (await client.list(kind)).items) {
      const { generateName } = resource.metadata
      const metadata = generateName ? { ...resource.metadata, name: generateName } : resource.metadata
      world.push(
        JSON.stringify({ ...resource, metadata }, (key, value: unknown) =>
          INCIDENTAL.has(key) ? undefined : value,
        ),
      )
    }
  }
  return world.sort()
}
