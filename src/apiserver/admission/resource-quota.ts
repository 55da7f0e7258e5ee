import type { AnyKind } from '../../api/kind.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { resourceQuota as quotaKind, type ResourceQuota } from '../../api/kinds/resource-quota.ts'
import { addQuantities, compareQuantities, subtractQuantities } from '../../api/quantity.ts'
import { boundBy, isAbout, isInScope, totalUsage, unsaid, usageOf } from '../../api/quota-usage.ts'
import type { AnyResource } from '../../api/resource.ts'
import type { ResourceList } from '../../api/resource-requests.ts'
import { forbidden } from '../../api/status.ts'
import { storageKey } from '../storage-keys.ts'
import type { Admission, AdmissionRequest, Reader } from './admission.ts'

/**
 * ResourceQuota: what an object would use is checked, and charged in the very transaction that writes the object. So
 * what is used never exceeds what is allowed, and nothing stays charged for a write that failed. The controller gives
 * back what is gone. Writes to one namespace that has quotas wait for each other, instead of all trying at once.
 */
export function resourceQuota(): Admission {
  const turns = new Map<string, Promise<void>>()
  return {
    name: 'ResourceQuota',
    concerns: (request) =>
      isCharged(request) && !request.reader.isEmpty(quotaKind, request.object.metadata.namespace),
    async validate(request) {
      const { namespace } = request.object.metadata
      if (namespace === undefined) return
      const any = await quotasFor(request, namespace)
      if (any.length === 0) return
      await turn(turns, namespace, request)
      for (const quota of await quotasFor(request, namespace)) await charge(request, quota)
    },
  }
}

/** Of updates, those that can need more: pods by resize only. */
function isCharged({ operation, kind, subresource }: AdmissionRequest): boolean {
  if (operation === 'CREATE') return subresource === ''
  if (operation !== 'UPDATE') return false
  if (kind === podKind) return subresource === 'resize'
  return subresource === '' && (kind.plural === 'services' || kind.plural === 'persistentvolumeclaims')
}

async function quotasFor(
  { reader, kind, object }: AdmissionRequest,
  namespace: string,
): Promise<ResourceQuota[]> {
  const all = await reader.all<ResourceQuota>(quotaKind, namespace)
  return all.filter((quota) => isAbout(quota, kind) && isInScope(quota, kind, object))
}

/** Resolves when the writes before this one have happened or failed. */
async function turn(
  turns: Map<string, Promise<void>>,
  namespace: string,
  { onSettled }: AdmissionRequest,
): Promise<void> {
  const before = turns.get(namespace)
  let finish = () => {}
  const mine = new Promise<void>((resolve) => {
    finish = resolve
  })
  turns.set(namespace, mine)
  onSettled(() => {
    finish()
    if (turns.get(namespace) === mine) turns.delete(namespace)
  })
  await before
}

async function charge(request: AdmissionRequest, quota: ResourceQuota): Promise<void> {
  const { kind, object, old, context } = request
  const { name } = object.metadata
  const hard = quota.spec.hard ?? {}
  if (kind === podKind) {
    const missing = unsaid(quota, object as unknown as Pod)
    if (missing !== undefined)
      throw forbidden(kind, name, `failed quota: ${quota.metadata.name}: must specify ${missing}`)
  }
  const before = old && isInScope(quota, kind, old) ? usageOf(kind, old) : {}
  const wanted = increase(boundBy(quota, usageOf(kind, object)), before)
  if (Object.keys(wanted).length === 0) return
  const used = await usedOf(request, quota)
  const sum: Record<string, string> = { ...used }
  for (const [resource, amount] of Object.entries(wanted))
    sum[resource] = addQuantities(used[resource] ?? '0', amount)
  const over = Object.keys(wanted).filter(
    (each) => compareQuantities(sum[each] ?? '0', hard[each] ?? '0') > 0,
  )
  if (over.length > 0) {
    const text = (list: ResourceList) =>
      over
        .sort()
        .map((each) => `${each}=${list[each] ?? '0'}`)
        .join(',')
    throw forbidden(
      kind,
      name,
      `exceeded quota: ${quota.metadata.name}, requested: ${text(wanted)}, used: ${text(used)}, limited: ${text(hard)}`,
    )
  }
  if (context.dryRun) return
  const key = storageKey(quotaKind, quota.metadata)
  request.together(
    { key, revision: Number(quota.metadata.resourceVersion) },
    { type: 'put', key, value: { ...quota, status: { hard, used: sum } } },
  )
}

function increase(usage: ResourceList, before: ResourceList): ResourceList {
  return Object.fromEntries(
    Object.entries(usage)
      .map(([name, value]) => [name, subtractQuantities(value, before[name] ?? '0')] as const)
      .filter(([, value]) => compareQuantities(value, '0') > 0),
  )
}

/** What the controller counted, kept up to date by every charge; counted here when it has not come to it yet. */
async function usedOf({ reader, kinds }: AdmissionRequest, quota: ResourceQuota): Promise<ResourceList> {
  const { hard = {} } = quota.spec
  const { used } = quota.status ?? {}
  if (used && Object.keys(hard).every((name) => used[name] !== undefined)) return used
  return totalUsage(quota, await objectsFor(reader, quota, kinds))
}

async function objectsFor(
  reader: Reader,
  quota: ResourceQuota,
  kinds: readonly AnyKind[],
): Promise<{ readonly kind: AnyKind; readonly resource: AnyResource }[]> {
  const about = kinds.filter((kind) => kind.scope === 'Namespaced' && !kind.storedAs && isAbout(quota, kind))
  const lists = await Promise.all(
    about.map(async (kind) =>
      (await reader.all<AnyResource>(kind, quota.metadata.namespace)).map((resource) => ({ kind, resource })),
    ),
  )
  return lists.flat()
}
