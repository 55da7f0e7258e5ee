import { parseDuration } from '../api/duration.ts'
import type { AnyKind } from '../api/kind.ts'
import { type Application, application as applicationKind } from '../api/kinds/application.ts'
import { namespace as namespaceKind } from '../api/kinds/namespace.ts'
import { node as nodeKind } from '../api/kinds/node.ts'
import { nodePool as nodePoolKind } from '../api/kinds/node-pool.ts'
import { keyOf } from '../api/resource.ts'
import type { Cancel } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import { deepEqual } from '../base/json.ts'
import type { Client } from '../client/client.ts'
import type { Informers } from '../client/informers.ts'
import type { Manifest } from './manifest.ts'
import type { Progress } from './progress.ts'
import { openSource } from './sources/index.ts'
import type { Source } from './sources/source.ts'
import { Sync } from './sync.ts'
import type { StatusMode } from './write-back.ts'

export interface StartSyncOptions {
  /** The repository that Seamark was started with. */
  readonly source: Source
  /** Name of the Application over its root, in namespace "default". */
  readonly name: string
  readonly path?: string | undefined
  readonly interval?: string | undefined
  readonly statusMode: StatusMode
  /** Simulated nodes when the repository declares none. Default 3; 0 for none. */
  readonly nodes?: number | undefined
  /** Where copies of other repositories are kept. */
  readonly cacheDirectory: string
  readonly kinds: () => readonly AnyKind[]
  readonly onProgress: (progress: Progress) => void
}

export interface RunningSync {
  /** Looks at the sources again, now. */
  lookAgain(): void
  stop(): Promise<void>
}

/** Runs a Sync for each Application there is; the first one, over the root of the repository, is made here. */
export function startSync(
  env: Env,
  client: Client,
  informers: Informers,
  options: StartSyncOptions,
): RunningSync {
  const syncs = new Map<
    string,
    { readonly sync: Sync; readonly source: Source | undefined; readonly spec: unknown }
  >()
  const rootKey = `default/${options.name}`
  let cancel: Cancel = () => {}
  let stopped = false
  let stop: () => void = () => {}
  const stopping = new Promise<void>((resolve) => {
    stop = resolve
  })

  const childPaths = () =>
    informers
      .of(applicationKind)
      .list()
      .filter(
        (application) =>
          keyOf(application) !== rootKey &&
          application.spec.source.repo === undefined &&
          (application.spec.source.path ?? '.') !== '.',
      )
      .map(({ spec }) => (spec.source.path ?? '').replace(/^\.\//, '').replace(/\/$/, ''))

  const startOne = (application: Application) => {
    const key = keyOf(application)
    const isRoot = key === rootKey
    const { repo } = application.spec.source
    const intervalMs = parseDuration(application.spec.interval ?? '60s') ?? 60_000
    let own: Source | undefined
    try {
      const ref =
        application.spec.source.commit ?? application.spec.source.tag ?? application.spec.source.branch
      own =
        repo === undefined && ref === undefined
          ? undefined
          : openSource(env.clock, repo ?? options.source.description, {
              ref,
              cacheDirectory: options.cacheDirectory,
              intervalMs,
            })
    } catch (error) {
      options.onProgress({ type: 'waiting-for-source', application: key, message: (error as Error).message })
      return
    }
    const sync = new Sync(key, {
      env,
      client,
      informers,
      kinds: options.kinds,
      source: own ?? options.source,
      statusMode: options.statusMode,
      excludes: isRoot ? childPaths : () => [],
      onProgress: options.onProgress,
      ...(isRoot
        ? {
            onRendered: (manifests: readonly Manifest[]) =>
              ensureNodes(client, manifests, options.nodes ?? 3),
          }
        : {}),
    })
    syncs.set(key, { sync, source: own, spec: application.spec })
    sync.start()
  }

  const stopOne = async (key: string) => {
    const running = syncs.get(key)
    syncs.delete(key)
    await running?.sync.stop()
    await running?.source?.close()
  }

  const starting = (async () => {
    informers.of(applicationKind)
    await informers.synced()
    await Promise.race([namespaceExists(informers, 'default'), stopping])
    if (stopped) return
    await ensureRoot(client, options)
    cancel = informers.of(applicationKind).onChange(({ type, resource, previous }) => {
      const key = keyOf(resource)
      if (type === 'deleted') void stopOne(key)
      else if (!syncs.has(key)) startOne(resource)
      else if (previous && !deepEqual(previous.spec, resource.spec)) {
        void stopOne(key).then(() => stopped || startOne(resource))
      } else if (previous && !deepEqual(previous.metadata.annotations, resource.metadata.annotations))
        syncs.get(key)?.sync.lookAgain()
    })
  })().catch((error: unknown) => env.log.error({ err: error }, 'sync could not start'))

  return {
    lookAgain() {
      for (const { sync } of syncs.values()) sync.lookAgain()
    },
    async stop() {
      stopped = true
      stop()
      await starting
      cancel()
      await Promise.all([...syncs.keys()].map(stopOne))
    },
  }
}

/** Zero configuration: one Application over the root. What somebody set on it stays. */
async function ensureRoot(client: Client, { name, path, interval }: StartSyncOptions): Promise<void> {
  const root: Application = {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'default' },
    spec: { source: { path: path ?? '.' }, ...(interval === undefined ? {} : { interval }) },
  }
  await client.apply(applicationKind, root, { fieldManager: 'seamark-up', force: true })
}

/** The namespace is made by a controller that starts beside us. */
function namespaceExists(informers: Informers, name: string): Promise<void> {
  return new Promise((resolve) => {
    let cancel: Cancel = () => {}
    cancel = informers.of(namespaceKind).onChange(({ resource }) => {
      if (resource.metadata.name !== name) return
      cancel()
      resolve()
    })
  })
}

/** A repository that declares no node gets some simulated ones. */
async function ensureNodes(client: Client, manifests: readonly Manifest[], count: number): Promise<void> {
  if (count === 0 || manifests.some(({ object }) => object.kind === 'NodePool' || object.kind === 'Node'))
    return
  const [pools, nodes] = await Promise.all([
    client.list(nodePoolKind, { limit: 1 }),
    client.list(nodeKind, { limit: 1 }),
  ])
  if (pools.items.length > 0 || nodes.items.length > 0) return
  await client.create(nodePoolKind, {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'NodePool',
    metadata: { name: 'simulated' },
    spec: { count },
  })
}
