import type { V1DeviceClaim } from '../../api/generated/types.ts'
import { namespace as namespaceKind } from '../../api/kinds/namespace.ts'
import { type ResourceClaim, resourceClaim } from '../../api/kinds/resource-claim.ts'
import { type ResourceClaimTemplate, resourceClaimTemplate } from '../../api/kinds/resource-claim-template.ts'
import { fault, invalid } from '../../api/status.ts'
import type { Admission } from './admission.ts'

const LABEL = 'resource.kubernetes.io/admin-access'

/** Devices that others use are seen into only from namespaces that an administrator marked for it. */
export const deviceAdminAccess: Admission = {
  name: 'DeviceAdminAccess',
  concerns: ({ kind, operation, subresource }) =>
    (kind === resourceClaim || kind === resourceClaimTemplate) &&
    operation === 'CREATE' &&
    subresource === '',
  async validate({ kind, object, reader }) {
    const [devices, path] =
      kind === resourceClaim
        ? [(object as unknown as ResourceClaim).spec.devices, 'spec.devices']
        : [(object as unknown as ResourceClaimTemplate).spec.spec.devices, 'spec.spec.devices']
    const asking = indexesOf(devices)
    if (asking.length === 0) return
    const found = await reader.find(namespaceKind, { name: object.metadata.namespace ?? '' })
    if (found?.metadata.labels?.[LABEL] === 'true') return
    throw invalid(
      kind,
      object.metadata.name,
      asking.map((i) =>
        fault.forbidden(
          `${path}.requests[${i}].exactly.adminAccess`,
          `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`,
        ),
      ),
    )
  },
}

function indexesOf(devices: V1DeviceClaim | undefined): number[] {
  return (devices?.requests ?? []).flatMap(({ exactly }, i) => (exactly?.adminAccess === true ? [i] : []))
}
