import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyKind } from '../api/kind.ts'
import { type Application, application as applicationKind } from '../api/kinds/application.ts'
import { namespace as namespaceKind } from '../api/kinds/namespace.ts'
import { node as nodeKind } from '../api/kinds/node.ts'
import { nodePool as nodePoolKind } from '../api/kinds/node-pool.ts'
import type { Cancel } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import type { Client } from '../client/client.ts'
import type { Informers } from '../client/informers.ts'
import { ApplicationController } from './application-controller.ts'
import { sharedSource } from './asked-once.ts'
import { Claims } from './claims.ts'
import { diskCopies, memoryCopies } from './healthy-copies.ts'
import type { Manifest } from './manifest.ts'
import { ObjectWatch } from './object-watch.ts'
import type { Progress } from './progress.ts'
import { openSource } from './sources/index.ts'
import type { Source } from './sources/source.ts'
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
  /** Where copies of other repositories, and of the last healthy commits, are kept. Absent: in memory. */
  readonly cacheDirectory?: string | undefined
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
  const { source, cacheDirectory, statusMode, kinds, onProgress } = options
  const shared = sharedSource(source)
  const watch = new ObjectWatch(informers)
  const controller = new ApplicationController({
    env,
    client,
    informers,
    watch,
    kinds,
    statusMode,
    onProgress,
    claims: new Claims(),
    copies: cacheDirectory === undefined ? memoryCopies() : diskCopies(join(cacheDirectory, 'healthy')),
    rootKey: `default/${options.name}`,
    rootSource: shared,
    onRootRendered: (manifests) => ensureNodes(client, manifests, options.nodes ?? 3),
    open: ({ repo, commit, tag, branch }, intervalMs) =>
      sharedSource(
        openSource(env.clock, repo ?? source.location ?? source.description, {
          ref: commit ?? tag ?? branch,
          cacheDirectory: cacheDirectory ?? tmpdir(),
          intervalMs,
        }),
      ),
  })
  let stop: () => void = () => {}
  const stopping = new Promise<'stop'>((resolve) => {
    stop = () => resolve('stop')
  })
  const starting = (async () => {
    informers.of(applicationKind)
    await informers.synced()
    if ((await Promise.race([namespaceExists(informers, 'default'), stopping])) === 'stop') return
    await ensureRoot(client, options)
    controller.start()
  })().catch((error: unknown) => env.log.error({ err: error }, 'sync could not start'))

  return {
    lookAgain: () => controller.lookAgain(),
    async stop() {
      stop()
      await starting
      await controller.stop()
      watch.close()
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
