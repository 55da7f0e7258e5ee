import { limitRange } from '../../api/kinds/limit-range.ts'
import { type PersistentVolumeClaim, persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { claimLimitFaults, limitFaults, withDefaultResources } from '../../api/limits.ts'
import type { AnyResource } from '../../api/resource.ts'
import { forbidden } from '../../api/status.ts'
import type { Admission, AdmissionRequest } from './admission.ts'

/** Requests and limits that a pod does not say come from the namespace's LimitRanges, and what it says keeps to them. */
export const limitRanger: Admission = {
  name: 'LimitRanger',
  concerns: ({ kind, object, reader }) =>
    (kind === podKind || kind === persistentVolumeClaim) &&
    !reader.isEmpty(limitRange, object.metadata.namespace),
  async mutate({ operation, kind, subresource, object, reader }) {
    if (kind !== podKind || operation !== 'CREATE' || subresource !== '') return object
    const ranges = await reader.all(limitRange, object.metadata.namespace)
    return ranges.reduce(
      (pod, range) => withDefaultResources(pod, range.spec.limits ?? []),
      object as unknown as Pod,
    ) as unknown as AnyResource
  },
  async validate(request) {
    const { operation, kind, object, reader } = request
    if (operation === 'DELETE' || !isBounded(request)) return
    const ranges = await reader.all(limitRange, object.metadata.namespace)
    for (const { spec } of ranges) {
      const faults =
        kind === podKind
          ? limitFaults((object as unknown as Pod).spec, spec.limits ?? [])
          : claimLimitFaults((object as unknown as PersistentVolumeClaim).spec, spec.limits ?? [])
      if (faults.length > 0)
        throw forbidden(
          kind,
          object.metadata.name,
          faults.length === 1 ? (faults[0] ?? '') : `[${faults.join(', ')}]`,
        )
    }
  },
}

/** Pods change what they need by resize only. */
function isBounded({ operation, kind, subresource }: AdmissionRequest): boolean {
  if (kind === podKind) return operation === 'CREATE' ? subresource === '' : subresource === 'resize'
  return kind === persistentVolumeClaim && subresource === ''
}
