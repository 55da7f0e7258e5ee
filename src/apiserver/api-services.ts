import { setCondition } from '../api/conditions.ts'
import type { AnyKind, KindRef } from '../api/kind.ts'
import { type ApiService, apiService, LOCAL } from '../api/kinds/api-service.ts'
import type { AnyResource } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { WorkQueue } from '../base/work-queue.ts'
import { LOOPBACK } from './auth/authenticate.ts'
import type { Registry } from './registry.ts'
import type { RequestContext } from './request.ts'
import { type Discovered, discoveredIn } from './served-group.ts'
import { collectionPrefix } from './storage-keys.ts'
import { create } from './verbs/create.ts'
import { remove } from './verbs/delete.ts'
import { change } from './verbs/update.ts'

/** On those this server keeps: "onstart" for the built-in group versions, "true" for those of custom resources. */
const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged'

/** groupPriorityMinimum of the groups of Kubernetes, and the versionPriority where it is not 15. */
const PRIORITIES: Readonly<Record<string, readonly [number, number?]>> = {
  '': [18_000, 1],
  apps: [17_800],
  'events.k8s.io': [17_750],
  'authentication.k8s.io': [17_700],
  'authorization.k8s.io': [17_600],
  autoscaling: [17_500],
  batch: [17_400],
  'certificates.k8s.io': [17_300],
  'networking.k8s.io': [17_200],
  policy: [17_100],
  'rbac.authorization.k8s.io': [17_000],
  'storage.k8s.io': [16_800],
  'apiextensions.k8s.io': [16_700],
  'admissionregistration.k8s.io': [16_700],
  'scheduling.k8s.io': [16_600],
  'coordination.k8s.io': [16_500],
  'node.k8s.io': [16_300],
  'discovery.k8s.io': [16_200],
  'flowcontrol.apiserver.k8s.io': [16_100],
  'resource.k8s.io': [15_900],
}
const OTHERS = [1000, 100] as const

/** The APIServices of what is served here. Pure. */
export function localServices(
  kinds: readonly (Discovered & Pick<AnyKind, 'custom'>)[],
): readonly ApiService[] {
  const services = new Map<string, ApiService>()
  for (const { group, version, custom } of kinds) {
    const name = `${version}.${group}`
    if (services.has(name) || group === 'apiregistration.k8s.io') continue
    const [groupPriorityMinimum, versionPriority = 15] = PRIORITIES[group] ?? OTHERS
    services.set(name, {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name, labels: { [AUTOMANAGED]: custom ? 'true' : 'onstart' } },
      spec: { ...(group ? { group } : {}), version, groupPriorityMinimum, versionPriority },
    })
  }
  return [...services.values()]
}

/**
 * Keeps one APIService for each group version that is served, as kubectl get apiservices shows them. One that names a
 * service of its own is available when its group version is served here anyway (metrics.k8s.io); requests are not sent
 * on to other servers, and its condition says so.
 */
export function startApiServices(registry: Registry): { stop(): Promise<void> } {
  const { env, store, kinds } = registry
  const stop = new AbortController()
  const queue = new WorkQueue(env.clock, {
    work: () => reconcile(registry),
    backoffMinMs: 100,
    backoffMaxMs: 30_000,
    onError: (_, error) => env.log.warn({ err: error }, 'APIServices retried'),
  })
  const look = () => queue.add('all')
  const cancel = kinds.onChange(look)
  const follow = async (kind: KindRef) => {
    while (!stop.signal.aborted) {
      look()
      try {
        for await (const _ of store.watch({ prefix: collectionPrefix(kind), signal: stop.signal })) look()
        return
      } catch (error) {
        if (!isReason(error, 'Expired')) return
      }
    }
  }
  const sources = new Set([...registry.groups.values()].flatMap(({ madeOf }) => madeOf))
  const watching = Promise.all([apiService, ...sources].map(follow))
  return {
    async stop() {
      stop.abort()
      cancel()
      await queue.close()
      await watching
    },
  }
}

async function reconcile(registry: Registry): Promise<void> {
  const wanted = new Map(
    localServices(await discoveredIn(registry)).map((service) => [service.metadata.name, service]),
  )
  const there = await registry.reader.all(apiService)
  const known = new Set(there.map(({ metadata }) => metadata.name))
  const missing = [...wanted.values()].filter(({ metadata }) => !known.has(metadata.name))
  await Promise.all(
    missing.map((service) => quietly(create(registry, apiService, undefined, service, context()))),
  )
  for (const service of there) {
    const { name, labels } = service.metadata
    const isOurs = labels?.[AUTOMANAGED] !== undefined
    if (isOurs && !wanted.has(name)) await quietly(remove(registry, apiService, { name }, {}, context()))
    else if (service.spec.service || !isOurs) await say(registry, service, wanted.has(name))
  }
}

async function say(registry: Registry, service: ApiService, isServed: boolean): Promise<void> {
  const { name } = service.metadata
  const { group, version } = service.spec
  const condition = isServed
    ? LOCAL
    : {
        type: 'Available',
        status: 'False',
        reason: 'FailedDiscoveryCheck',
        message: `requests are not sent on to other API servers, so ${group}/${version} is not served`,
      }
  const conditions = setCondition(service.status?.conditions, condition, registry.env.clock.now())
  if (conditions === service.status?.conditions) return
  await quietly(
    change(registry, apiService, { name }, 'status', context(), {
      next: (old) => ({ ...old, status: { conditions } }) as AnyResource,
      resourceVersion: service.metadata.resourceVersion,
    }),
  )
}

/** Somebody else was faster: the watch brings it back. */
async function quietly(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!isReason(error, 'AlreadyExists') && !isReason(error, 'NotFound') && !isReason(error, 'Conflict'))
      throw error
  }
}

function context(): RequestContext {
  return {
    user: LOOPBACK,
    fieldManager: 'kube-apiserver',
    dryRun: false,
    fieldValidation: 'Ignore',
    warnings: [],
  }
}
