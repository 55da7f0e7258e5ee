import type { V1Container } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { isInitialized, isRunning, type PodRecord } from './record.ts'
import type { FindData } from './sources.ts'

/** The ConfigMaps and Secrets a pod needs before it can run; optional ones are left out. Pure. */
export interface Reference {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly name: string
  /** The key that must be there, if one is named. */
  readonly key?: string
}

/** Of one container's environment: missing ones are CreateContainerConfigError. */
export function environmentReferences({ env = [], envFrom = [] }: V1Container): Reference[] {
  const references: Reference[] = []
  for (const { configMapRef, secretRef } of envFrom) {
    if (configMapRef?.name && !configMapRef.optional)
      references.push({ kind: 'ConfigMap', name: configMapRef.name })
    if (secretRef?.name && !secretRef.optional) references.push({ kind: 'Secret', name: secretRef.name })
  }
  for (const { valueFrom } of env) {
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {}
    if (configMapKeyRef?.name && !configMapKeyRef.optional)
      references.push({ kind: 'ConfigMap', name: configMapKeyRef.name, key: configMapKeyRef.key })
    if (secretKeyRef?.name && !secretKeyRef.optional)
      references.push({ kind: 'Secret', name: secretKeyRef.name, key: secretKeyRef.key })
  }
  return references
}

/** Of the pod's volumes, with the volume's name: missing ones are FailedMount, and nothing starts. */
export function volumeReferences({ spec }: Pod): (Reference & { readonly volume: string })[] {
  return (spec.volumes ?? []).flatMap(({ name: volume, configMap, secret, projected }) => [
    ...(configMap?.name && !configMap.optional
      ? [{ kind: 'ConfigMap' as const, name: configMap.name, volume }]
      : []),
    ...(secret?.secretName && !secret.optional
      ? [{ kind: 'Secret' as const, name: secret.secretName, volume }]
      : []),
    ...(projected?.sources ?? []).flatMap((source) => [
      ...(source.configMap?.name && !source.configMap.optional
        ? [{ kind: 'ConfigMap' as const, name: source.configMap.name, volume }]
        : []),
      ...(source.secret?.name && !source.secret.optional
        ? [{ kind: 'Secret' as const, name: source.secret.name, volume }]
        : []),
    ]),
  ])
}

type Why = readonly [reason: string, message: string]

const NO_ADDRESS: Why = ['FailedCreatePodSandBox', 'Failed to create pod sandbox: no free pod IP on the node']

/**
 * What keeps containers of a pod from starting before the first one has: a volume that cannot be mounted, then no address.
 * As with a sandbox no address is taken before all volumes are there. `why` is the event that says so.
 */
export function heldBack(
  pod: Pod,
  record: PodRecord,
  find: FindData,
  takeAddress: () => string | undefined,
): { readonly podIP: string | undefined; readonly why?: Why | undefined } {
  const isUp = [...record.containers.values()].some(({ phase, id }) => isRunning(phase) && id !== undefined)
  const unmounted = isUp || isInitialized(pod, record) ? undefined : missingVolume(pod, find)
  if (unmounted !== undefined) return { podIP: record.podIP, why: ['FailedMount', unmounted] }
  const podIP = record.podIP ?? takeAddress()
  return { podIP, ...(podIP === undefined ? { why: NO_ADDRESS } : {}) }
}

/** How long a pod has been held back. */
interface Held {
  /** Not looked at again before (epoch ms). */
  readonly until: number
  readonly waitMs: number
  /** Since when, or since it was last told that it takes too long. */
  readonly since: number
  /** It takes too long. */
  readonly isLong: boolean
}

export const NOT_HELD: Held = { until: 0, waitMs: 0, since: 0, isLong: false }

const ADDRESS_RETRY_MS = 2000
/** Mounts are tried after 0.5 s, 1 s, 2 s … 122 s (exponentialbackoff), and told to time out every 123 s. */
const MOUNT_RETRY_MIN_MS = 500
const MOUNT_RETRY_MAX_MS = 122_000
const MOUNT_TIMEOUT_MS = 123_000

/** When it is looked at again. Pure. */
export function heldAgain(before: Held, [reason]: readonly [string, string], now: number): Held {
  if (reason !== 'FailedMount') return { ...NOT_HELD, until: now + ADDRESS_RETRY_MS }
  const waitMs = before.waitMs === 0 ? MOUNT_RETRY_MIN_MS : Math.min(MOUNT_RETRY_MAX_MS, before.waitMs * 2)
  const since = before.since || now
  const isLong = now - since >= MOUNT_TIMEOUT_MS
  return { until: now + waitMs, waitMs, since: isLong ? now : since, isLong }
}

/** What a kubelet says when volumes have not been mounted for too long: their names. */
export function mountTimedOut(pod: Pod, find: FindData): readonly [reason: string, message: string] {
  const { namespace = '' } = pod.metadata
  const missing = volumeReferences(pod).filter(
    (each) => missingReference([each], find, namespace) !== undefined,
  )
  const names = [...new Set(missing.map(({ volume }) => volume))].join(' ')
  return [
    'FailedMount',
    `Unable to attach or mount volumes: unmounted volumes=[${names}], unattached volumes=[], failed to process volumes=[]: context deadline exceeded`,
  ]
}

/** Why a volume of the pod cannot be mounted, as the event says it; undefined when all can. */
export function missingVolume(pod: Pod, find: FindData): string | undefined {
  for (const reference of volumeReferences(pod)) {
    const missing = missingReference([reference], find, pod.metadata.namespace ?? '')
    if (missing !== undefined) return `MountVolume.SetUp failed for volume "${reference.volume}" : ${missing}`
  }
  return undefined
}

/** `configmap "x" not found`, or what key it lacks; undefined when all is there. */
export function missingReference(
  references: readonly Reference[],
  find: (kind: 'ConfigMap' | 'Secret', name: string) => Readonly<Record<string, unknown>> | undefined,
  namespace: string,
): string | undefined {
  for (const { kind, name, key } of references) {
    const data = find(kind, name)
    if (!data) return `${kind.toLowerCase()} "${name}" not found`
    if (key !== undefined && !Object.hasOwn(data, key))
      return `couldn't find key ${key} in ${kind} ${namespace}/${name}`
  }
  return undefined
}
