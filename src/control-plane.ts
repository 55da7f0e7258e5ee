import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kinds as builtInKinds } from './api/kinds/index.ts'
import { metricsKinds } from './api/metrics-kinds.ts'
import { reviewKinds } from './api/review-kinds.ts'
import { admissionChain } from './apiserver/admission/index.ts'
import { startApiServices } from './apiserver/api-services.ts'
import { type AuditLog, openAuditLog } from './apiserver/audit/audit-log.ts'
import { DEFAULT_POLICY, readAuditPolicy } from './apiserver/audit/audit-policy.ts'
import { Access } from './apiserver/auth/access.ts'
import { memoryPki, openPki, type Pki, writeText } from './apiserver/auth/pki.ts'
import { startCustomResources } from './apiserver/custom-resources/custom-resources.ts'
import { KindTable } from './apiserver/kind-table.ts'
import { LocalClient } from './apiserver/local-client.ts'
import { serveMetrics } from './apiserver/metrics-source.ts'
import { Registry } from './apiserver/registry.ts'
import { tokensOf } from './apiserver/reviews/token-request.ts'
import { type ApiServer, type ApiServerOptions, startApiServer } from './apiserver/server.ts'
import { stampResource } from './apiserver/storage-keys.ts'
import { openEmbeddedStore } from './apiserver/store/embedded.ts'
import { openMemoryStore } from './apiserver/store/memory.ts'
import type { Store } from './apiserver/store/store.ts'
import type { Env } from './base/env.ts'
import type { Client } from './client/client.ts'
import { Informers } from './client/informers.ts'
import { NodeConnections } from './client/node-connection.ts'
import { startControllers } from './controllers/index.ts'
import { startNodes } from './nodes/nodes.ts'
import type { SchedulerConfiguration } from './scheduler/configuration.ts'
import { startScheduler } from './scheduler/scheduler.ts'
import type { Progress } from './sync/progress.ts'
import type { Source } from './sync/sources/source.ts'
import { type RunningSync, startSync } from './sync/start.ts'
import type { StatusMode } from './sync/write-back.ts'

export interface ControlPlaneOptions {
  /** Where everything that must survive a restart is kept: store, pki, kubeconfig. Needed by the embedded store. */
  readonly dataDirectory?: string | undefined
  /** Default embedded; memory forgets everything. */
  readonly store?: 'embedded' | 'memory' | undefined
  /** Absent: no listener; everything in this process meets through `client`. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined
  /** Where the administrator's kubeconfig is written (mode 0600). Default DATA/kubeconfig. */
  readonly kubeconfigPath?: string | undefined
  /** Deep-freezes every stored value; for tests and simulation. */
  readonly freeze?: boolean | undefined
  /** Where requests over the network are written down, and by which policy file. Absent: nowhere. */
  readonly audit?: { readonly path: string; readonly policyPath?: string | undefined } | undefined
  /** Which parts run beside the API server; all by default. Without nodes no webhook is called either: the plane only judges. */
  readonly parts?:
    | { readonly controllers?: boolean; readonly scheduler?: boolean; readonly nodes?: boolean }
    | undefined
  /** Profiles, plugins and extenders of the scheduler; absent: kube-scheduler's defaults. */
  readonly schedulerConfiguration?: SchedulerConfiguration | undefined
  /** Stands between every part and the API server; simulation puts faults in here. */
  readonly wrapClient?: ((client: Client) => Client) | undefined
  /** The repository to keep converged; absent: a cluster that only its clients change. */
  readonly sync?: SyncSettings | undefined
}

export interface SyncSettings {
  readonly source: Source
  /** Name of the Application over its root. */
  readonly name: string
  readonly path?: string | undefined
  /** A duration such as "60s". */
  readonly interval?: string | undefined
  readonly statusMode: StatusMode
  /** Simulated nodes when the repository declares none. Default 3. */
  readonly nodes?: number | undefined
  readonly onProgress: (progress: Progress) => void
}

export interface ControlPlane {
  readonly env: Env
  readonly client: Client
  readonly informers: Informers
  readonly store: Store
  /** Absent without a listener. */
  readonly url: string | undefined
  readonly kubeconfigPath: string | undefined
  /** Absent without a repository. */
  readonly sync: RunningSync | undefined
  /** Ends every part, newest first, and closes the store: what was acknowledged is on disk. */
  stop(): Promise<void>
}

/** Builds the whole cluster: the only file that knows every part. Nothing is left running when it throws. */
export async function startControlPlane(env: Env, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const stops: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end()
  }
  try {
    const store = await openStore(env, options)
    stops.push(() => store.close())
    const pki = options.listen && (await openKeys(env, options, options.listen))
    const { controllers = true, scheduler = true, nodes = true } = options.parts ?? {}
    const admission = [
      ...admissionChain({ webhooks: nodes, tokens: pki !== undefined, nodeTaints: controllers }),
    ]
    const registry = new Registry(
      env,
      store,
      new KindTable([...builtInKinds, ...reviewKinds, ...metricsKinds]),
      admission,
    )
    const access = pki && new Access(env, store, registry.reader, pki)
    if (access) {
      admission.push(...access.admission)
      registry.answers.set('serviceaccounts/token', tokensOf(registry, access))
      stops.push(async () => access.stop())
      await access.start(registry)
    }
    const custom = await startCustomResources(registry)
    stops.push(() => custom.stop())
    const local = new LocalClient(registry)
    const client = options.wrapClient?.(local) ?? local
    const connections = new NodeConnections()
    serveMetrics(registry, connections)
    const audit = access && options.audit && (await openAudit(env, options.audit))
    if (audit) stops.push(() => audit.close())
    const server =
      options.listen && access
        ? await startListener(env, { registry, access, connections, pki, audit, ...options.listen }, options)
        : undefined
    if (server) stops.push(() => server.api.close())
    const services = server && startApiServices(registry)
    if (services) stops.push(() => services.stop())
    const informers = new Informers(env, client)
    stops.push(() => informers.close())
    const running = [
      ...(controllers
        ? [
            startControllers(env, client, {
              informers,
              kinds: () => registry.kinds.list,
              onKinds: (listener) => registry.kinds.onChange(listener),
              issuing: access?.issuing,
              listening:
                options.listen && server
                  ? { host: options.listen.host, port: Number(new URL(server.api.url).port || 443) }
                  : undefined,
            }),
          ]
        : []),
      ...(scheduler ? [startExplained(env, client, informers, registry, options)] : []),
      ...(nodes ? [startNodes(env, client, informers, connections, filesFolder(options))] : []),
    ]
    stops.push(() => Promise.all(running.map((part) => part.stop())))
    const sync = options.sync
      ? startRepository(env, client, informers, registry, options, options.sync)
      : undefined
    if (sync) stops.push(() => sync.stop())
    return {
      env,
      client,
      informers,
      store,
      url: server?.api.url,
      kubeconfigPath: server?.kubeconfigPath,
      sync,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Where what simulated containers have written outlives the process. */
function filesFolder({ store, dataDirectory }: ControlPlaneOptions): string | undefined {
  return store === 'memory' || dataDirectory === undefined ? undefined : join(dataDirectory, 'pods')
}

/** The scheduler, which also answers why a pod goes where it goes. */
function startExplained(
  env: Env,
  client: Client,
  informers: Informers,
  registry: Registry,
  { schedulerConfiguration }: ControlPlaneOptions,
) {
  const scheduler = startScheduler(env, client, informers, schedulerConfiguration)
  registry.answers.set('pods/explain', ({ namespace, name }) => scheduler.explain(`${namespace}/${name}`))
  return scheduler
}

function startRepository(
  env: Env,
  client: Client,
  informers: Informers,
  registry: Registry,
  { dataDirectory }: ControlPlaneOptions,
  settings: SyncSettings,
): RunningSync {
  const cacheDirectory = dataDirectory === undefined ? undefined : join(dataDirectory, 'repos')
  return startSync(env, client, informers, { ...settings, cacheDirectory, kinds: () => registry.kinds.list })
}

async function openStore(
  env: Env,
  { store = 'embedded', dataDirectory, freeze }: ControlPlaneOptions,
): Promise<Store> {
  const shape = { stamp: stampResource, freeze }
  if (store === 'memory' || dataDirectory === undefined) return openMemoryStore(env, shape)
  return openEmbeddedStore(env, { ...shape, directory: dataDirectory })
}

async function openAudit(
  env: Env,
  { path, policyPath }: NonNullable<ControlPlaneOptions['audit']>,
): Promise<AuditLog> {
  const policy =
    policyPath === undefined
      ? DEFAULT_POLICY
      : readAuditPolicy(await readFile(policyPath, 'utf8'), policyPath)
  return openAuditLog(env, policy, path)
}

function openKeys(
  env: Env,
  { dataDirectory }: ControlPlaneOptions,
  { host }: { readonly host: string },
): Promise<Pki> {
  const now = env.clock.now()
  return dataDirectory === undefined
    ? memoryPki({ host, now })
    : openPki(join(dataDirectory, 'pki'), { host, now })
}

async function startListener(
  env: Env,
  settings: ApiServerOptions,
  { dataDirectory, kubeconfigPath }: ControlPlaneOptions,
): Promise<{ api: ApiServer; kubeconfigPath: string | undefined }> {
  const api = await startApiServer(env, settings)
  const path = kubeconfigPath ?? (dataDirectory === undefined ? undefined : join(dataDirectory, 'kubeconfig'))
  try {
    if (path !== undefined) await writeText(path, api.kubeconfig)
  } catch (error) {
    await api.close()
    throw error
  }
  return { api, kubeconfigPath: path }
}
