import { setCondition } from '../../api/conditions.ts'
import type { AnyKind } from '../../api/kind.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import type { AnyResource, ObjectKey } from '../../api/resource.ts'
import type { Scale } from '../../api/scale.ts'
import { badRequest, conflict, fault, invalid, notFound, type Status } from '../../api/status.ts'
import { isObject } from '../../base/json.ts'
import type { PatchType } from '../../client/client.ts'
import { jsonPatch } from '../patch/json-patch.ts'
import { mergePatch } from '../patch/merge-patch.ts'
import type { Registry } from '../registry.ts'
import type { RequestContext } from '../request.ts'
import { evict } from './evict.ts'
import { change } from './update.ts'

export function scaleOf(kind: AnyKind, resource: AnyResource): Scale {
  const { scale } = kind.subresources
  if (!scale) throw notFound(kind, resource.metadata.name)
  const { name, namespace, uid, resourceVersion, creationTimestamp } = resource.metadata
  const replicas = scale.specReplicas(resource)
  const selector = scale.selector(resource)
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: scale.statusReplicas(resource), ...(selector ? { selector } : {}) },
  }
}

/** PUT or PATCH on /scale; `next` makes the wanted Scale of the one that is. */
export async function updateScale(
  registry: Registry,
  kind: AnyKind,
  key: ObjectKey,
  context: RequestContext,
  next: (scale: Scale) => unknown,
): Promise<Scale> {
  const { scale } = kind.subresources
  if (!scale) throw notFound(kind, key.name)
  const written = await change(registry, kind, key, 'scale', context, {
    next: (old) => {
      const current = scaleOf(kind, old)
      const wanted = next(current)
      const spec = isObject(wanted) && isObject(wanted['spec']) ? wanted['spec'] : {}
      const metadata = isObject(wanted) && isObject(wanted['metadata']) ? wanted['metadata'] : {}
      const replicas = spec['replicas'] ?? 0
      if (!Number.isInteger(replicas))
        throw badRequest(
          `json: cannot unmarshal ${typeof replicas} into Go struct field ScaleSpec.spec.replicas of type int32`,
        )
      if ((replicas as number) < 0)
        throw invalid({ group: 'autoscaling', kind: 'Scale' }, key.name, [
          fault.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
        ])
      if (
        typeof metadata['resourceVersion'] === 'string' &&
        metadata['resourceVersion'] !== '' &&
        metadata['resourceVersion'] !== old.metadata.resourceVersion
      )
        throw conflict(kind, key.name)
      return scale.withReplicas(old, replicas as number) as AnyResource
    },
  })
  return scaleOf(kind, written)
}

/** PATCH on /scale. Its schema has no lists to merge, so a strategic patch is a merge patch. */
export function patchScale(
  registry: Registry,
  kind: AnyKind,
  key: ObjectKey,
  type: PatchType,
  body: unknown,
  context: RequestContext,
): Promise<Scale> {
  return updateScale(registry, kind, key, context, (scale) =>
    type === 'json' ? jsonPatch(scale, body) : mergePatch(scale, body),
  )
}

/** POST on a subresource of one object. */
export async function createSubresource(
  registry: Registry,
  kind: AnyKind,
  key: ObjectKey,
  subresource: string,
  body: unknown,
  context: RequestContext,
): Promise<unknown> {
  if (kind === podKind && subresource === 'binding') return bind(registry, key, body, context)
  if (kind === podKind && subresource === 'eviction') return evict(registry, key, body, context)
  const answer = registry.answers.get(`${kind.plural}/${subresource}`)
  if (answer) return answer(key, body, context)
  throw notFound(kind, `${key.name}/${subresource}`)
}

/** PUT on /finalize of a namespace: its spec.finalizers only. */
export async function finalizeNamespace(
  registry: Registry,
  kind: AnyKind,
  key: ObjectKey,
  body: unknown,
  context: RequestContext,
): Promise<AnyResource> {
  const sent = registry.readBody(kind, body, context)
  return change(registry, kind, key, 'finalize', context, {
    next: (old) => ({
      ...old,
      spec: { ...old.spec, finalizers: (sent.spec?.['finalizers'] as readonly string[] | undefined) ?? [] },
    }),
    resourceVersion: sent.metadata.resourceVersion,
    uid: sent.metadata.uid,
  })
}

/** pods/binding: the pod gets its node and PodScheduled in one write. */
async function bind(
  registry: Registry,
  key: ObjectKey,
  body: unknown,
  context: RequestContext,
): Promise<Status> {
  const binding = isObject(body) ? body : {}
  const target = isObject(binding['target']) ? binding['target'] : {}
  const node = target['name']
  const uid = isObject(binding['metadata']) ? binding['metadata']['uid'] : undefined
  if (typeof node !== 'string' || node === '')
    throw invalid({ group: '', kind: 'Binding' }, key.name, [fault.required('target.name')])
  if (target['kind'] !== undefined && target['kind'] !== '' && target['kind'] !== 'Node') {
    throw invalid({ group: '', kind: 'Binding' }, key.name, [
      fault.notSupported('target.kind', target['kind'], ['Node', '<empty>']),
    ])
  }
  await change(registry, podKind, key, 'binding', context, {
    uid: typeof uid === 'string' && uid !== '' ? uid : undefined,
    next: (old) => {
      const pod = old as unknown as Pod
      if (pod.metadata.deletionTimestamp)
        throw conflict(podKind, key.name, `pod ${key.name} is being deleted, cannot be assigned to a host`)
      if (pod.spec.nodeName)
        throw conflict(
          podKind,
          key.name,
          `pod ${key.name} is already assigned to node "${pod.spec.nodeName}"`,
        )
      if (pod.spec.schedulingGates?.length)
        throw conflict(podKind, key.name, `pod ${key.name} has non-empty .spec.schedulingGates`)
      const conditions = setCondition(
        pod.status?.conditions,
        { type: 'PodScheduled', status: 'True', observedGeneration: pod.metadata.generation },
        registry.env.clock.now(),
      )
      const { nominatedNodeName: _, ...status } = pod.status ?? {}
      return {
        ...pod,
        spec: { ...pod.spec, nodeName: node },
        status: { ...status, conditions: conditions.map(({ ...condition }) => dropStale(condition)) },
      } as unknown as AnyResource
    },
  })
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
}

/** A pod that is scheduled has no reason for not being so. */
function dropStale<
  C extends {
    readonly type: string
    readonly reason?: string | undefined
    readonly message?: string | undefined
  },
>(condition: C): C {
  if (condition.type !== 'PodScheduled') return condition
  const { reason: _reason, message: _message, ...rest } = condition
  return rest as C
}
