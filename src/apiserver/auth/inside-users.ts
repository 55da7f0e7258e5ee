import { LOOPBACK, type User } from './authenticate.ts'
import { serviceAccountGroups, serviceAccountName } from './service-account-names.ts'

const KUBE_SYSTEM = 'kube-system'
/** Collectors are accounts of the controller manager without being called controllers. */
const CONTROLLER = /-(?:controller|collector)$/

/**
 * Who a part of this process is to admission and webhooks: the user kube-controller-manager and kube-scheduler run the
 * same part as, allowed everything. Parts that Kubernetes does not have are the API server itself.
 */
export function insideUser(part: string): User {
  if (CONTROLLER.test(part))
    return {
      name: serviceAccountName(KUBE_SYSTEM, part),
      groups: ['system:masters', ...serviceAccountGroups(KUBE_SYSTEM)],
    }
  return part === 'default-scheduler'
    ? { name: 'system:kube-scheduler', groups: ['system:masters', 'system:authenticated'] }
    : LOOPBACK
}
