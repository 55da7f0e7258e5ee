import type { AnyKind } from '../../src/api/kind.ts'
import { kinds as builtInKinds } from '../../src/api/kinds/index.ts'
import { namespace } from '../../src/api/kinds/namespace.ts'
import type { Admission } from '../../src/apiserver/admission/admission.ts'
import { admissionChain } from '../../src/apiserver/admission/index.ts'
import { startCustomResources } from '../../src/apiserver/custom-resources/custom-resources.ts'
import { KindTable } from '../../src/apiserver/kind-table.ts'
import { LocalClient } from '../../src/apiserver/local-client.ts'
import { Registry } from '../../src/apiserver/registry.ts'
import { stampResource } from '../../src/apiserver/storage-keys.ts'
import { openMemoryStore } from '../../src/apiserver/store/memory.ts'
import type { Store } from '../../src/apiserver/store/store.ts'
import { createEnv, type Env } from '../../src/base/env.ts'
import { seededRandom } from '../../src/base/random.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import type { Client } from '../../src/client/client.ts'
import { Informers } from '../../src/client/informers.ts'

export interface TestCluster {
  readonly env: Env
  readonly clock: VirtualClock
  readonly store: Store
  readonly registry: Registry
  readonly client: Client
  readonly informers: Informers
  close(): Promise<void>
}

/** The real API server in memory, on virtual time, with the namespace "default" in it. Every value is deep-frozen. */
export async function createTestCluster(
  options: { seed?: number; kinds?: readonly AnyKind[]; admission?: readonly Admission[] } = {},
): Promise<TestCluster> {
  const seed = options.seed ?? 1
  const clock = new VirtualClock({ seed })
  const env = createEnv({ clock, random: seededRandom(seed) })
  const store = openMemoryStore(env, { stamp: stampResource, freeze: true })
  const admission = options.admission ?? admissionChain()
  const registry = new Registry(env, store, new KindTable(options.kinds ?? builtInKinds), admission)
  const custom = await startCustomResources(registry)
  const client = new LocalClient(registry, 'test')
  const informers = new Informers(env, client)
  await client.create(namespace, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default' },
    spec: {},
  })
  return {
    env,
    clock,
    store,
    registry,
    client,
    informers,
    async close() {
      await informers.close()
      await custom.stop()
      await store.close()
    },
  }
}
