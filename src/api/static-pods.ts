import type { V1Container, V1PodSpec, V1PodTemplateSpec } from './generated/types.ts'
import { dns1123Subdomain } from './names.ts'
import { defaultPodSpec } from './pod-defaults.ts'
import { validatePodTemplate } from './pod-validation.ts'
import { type Pod, podPriority } from './pods.ts'
import { fault, type StatusCause } from './status.ts'

/**
 * Pods that a node runs by itself, from a manifest, without the API: the API shows a mirror of each. Names are the
 * kubelet's (kubelet/types/pod_update.go).
 */
export const CONFIG_HASH = 'kubernetes.io/config.hash'
export const CONFIG_MIRROR = 'kubernetes.io/config.mirror'
export const CONFIG_SEEN = 'kubernetes.io/config.seen'
export const CONFIG_SOURCE = 'kubernetes.io/config.source'

/** system-cluster-critical; system-node-critical is above it. */
export const SYSTEM_CRITICAL = 2_000_000_000

/** A file of the manifest folder: a Pod as one writes it. */
export interface StaticPodManifest extends V1PodTemplateSpec {
  readonly apiVersion?: string | undefined
  readonly kind?: string | undefined
}

/** The uid by which a node knows a pod: for a mirror pod that of the pod it shows. */
export function nodeUidOf({ metadata }: Pod): string {
  return metadata.annotations?.[CONFIG_MIRROR] ?? metadata.uid ?? ''
}

export function isMirrorPod({ metadata }: Pod): boolean {
  return metadata.annotations?.[CONFIG_MIRROR] !== undefined
}

/** That a pod is a mirror is said once, of a pod with a node (ValidatePodSpecificAnnotationUpdates). Pure. */
export function validateMirror({ metadata, spec }: Pod, old?: Pod): StatusCause[] {
  const path = `metadata.annotations[${CONFIG_MIRROR}]`
  const hash = metadata.annotations?.[CONFIG_MIRROR]
  const before = old?.metadata.annotations?.[CONFIG_MIRROR]
  if (old && hash !== before) {
    const why = before === undefined ? 'may not add' : 'may not remove or update'
    return [fault.forbidden(path, `${why} mirror pod annotation`)]
  }
  return hash !== undefined && !spec.nodeName
    ? [fault.invalid(path, hash, 'must set spec.nodeName if mirror pod annotation is set')]
    : []
}

/** A node does not evict it: it is the node's own, or of the priority of those that keep a cluster alive. */
export function isCriticalPod(pod: Pod): boolean {
  const { [CONFIG_SOURCE]: source = 'api', [CONFIG_MIRROR]: mirror } = pod.metadata.annotations ?? {}
  return source !== 'api' || mirror !== undefined || podPriority(pod) >= SYSTEM_CRITICAL
}

/**
 * The resource of an API object that a pod needs to run, which a static pod must not have; undefined: none. Secrets are
 * those of volumes, environments and pulls (api/v1/pod HasAPIObjectReference).
 */
export function apiObjectReference(spec: V1PodSpec): string | undefined {
  const volumes = spec.volumes ?? []
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? [])
  if (spec.serviceAccountName) return 'serviceaccounts'
  if (refersToSecret(spec)) return 'secrets'
  const hasConfigMap =
    volumes.some(({ configMap }) => configMap) ||
    sources.some(({ configMap }) => configMap) ||
    containersOf(spec).some(
      ({ env = [], envFrom = [] }) =>
        envFrom.some(({ configMapRef }) => configMapRef) ||
        env.some(({ valueFrom }) => valueFrom?.configMapKeyRef),
    )
  if (hasConfigMap) return 'configmaps'
  if (spec.resourceClaims?.length) return 'resourceclaims'
  if (volumes.some(({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim ?? ephemeral))
    return 'persistentvolumeclaims'
  if (sources.some(({ serviceAccountToken }) => serviceAccountToken)) return 'serviceaccounts'
  return sources.some(({ clusterTrustBundle }) => clusterTrustBundle) ? 'clustertrustbundles' : undefined
}

export function refersToSecret(spec: V1PodSpec): boolean {
  return (
    (spec.imagePullSecrets ?? []).length > 0 ||
    (spec.volumes ?? []).some(
      ({ secret, projected }) => secret ?? projected?.sources?.some((source) => source.secret),
    ) ||
    containersOf(spec).some(
      ({ env = [], envFrom = [] }) =>
        envFrom.some(({ secretRef }) => secretRef) || env.some(({ valueFrom }) => valueFrom?.secretKeyRef),
    )
  )
}

/** What a kubelet would refuse of the file. Pure. */
export function validateStaticPod(manifest: StaticPodManifest, path: string): StatusCause[] {
  const { kind, metadata } = manifest
  const name = metadata?.name
  const why = name ? dns1123Subdomain(name) : undefined
  const wrong: StatusCause[] = []
  if (kind !== undefined && kind !== 'Pod') wrong.push(fault.notSupported(`${path}.kind`, kind, ['Pod']))
  if (!name) wrong.push(fault.required(`${path}.metadata.name`))
  if (why) wrong.push(fault.invalid(`${path}.metadata.name`, name, why))
  const spec = manifest.spec && defaultPodSpec(manifest.spec)
  wrong.push(...validatePodTemplate({ ...manifest, ...(spec ? { spec } : {}) }, path))
  const reference = spec && apiObjectReference(spec)
  if (reference !== undefined)
    wrong.push(fault.forbidden(`${path}.spec`, `static pods may not reference ${reference}`))
  return wrong
}

function containersOf(spec: V1PodSpec): readonly V1Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers]
}
