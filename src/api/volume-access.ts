import { oneOf } from './field-rules.ts'
import type { V1ObjectMeta } from './generated/types.ts'
import { fault, type StatusCause } from './status.ts'

/** What PersistentVolumes and the claims on them have in common: how they may be mounted, and of which class they are. */
const SHORT: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

/** "RWO,RWX", in Kubernetes' order and without repetitions. */
export function accessModesText(modes: readonly string[] | undefined): string {
  return Object.entries(SHORT)
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',')
}

/** The class that is asked for; the annotation of old beats the field. Undefined asks for the default one, '' for none. */
export function storageClassOf({
  metadata,
  spec,
}: {
  readonly metadata: V1ObjectMeta
  readonly spec: { readonly storageClassName?: string | undefined }
}): string | undefined {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName
}

/** `missing` is what Kubernetes says when there are none. */
export function validateAccessModes(
  modes: readonly string[] | undefined,
  path: string,
  missing: string,
): StatusCause[] {
  if (!modes?.length) return [fault.required(path, missing)]
  const supported = Object.keys(SHORT)
  return [
    ...modes.flatMap((mode) => oneOf(mode, supported, path)),
    ...(modes.includes('ReadWriteOncePod') && new Set(modes).size > 1
      ? [fault.forbidden(path, 'may not use ReadWriteOncePod with other access modes')]
      : []),
  ]
}

export function validateVolumeMode(mode: string | undefined, path: string): StatusCause[] {
  return oneOf(mode, ['Block', 'Filesystem'], path)
}

/** The finalizers that keep volumes and claims while somebody uses them. */
export const PV_PROTECTION = 'kubernetes.io/pv-protection'
export const PVC_PROTECTION = 'kubernetes.io/pvc-protection'
