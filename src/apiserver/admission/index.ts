import type { Admission } from './admission.ts'
import { defaultIngressClass } from './default-ingress-class.ts'
import { defaultStorageClass } from './default-storage-class.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { deviceAdminAccess } from './device-admin-access.ts'
import { limitRanger } from './limit-ranger.ts'
import { mutatingAdmissionPolicies } from './mutating-admission-policies.ts'
import { mutatingWebhooks } from './mutating-webhooks.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts'
import { podSecurity } from './pod-security.ts'
import { podTopologyLabels } from './pod-topology-labels.ts'
import { priority } from './priority.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccountAdmission } from './service-account.ts'
import { serviceAddresses } from './service-addresses.ts'
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'
import { validatingAdmissionPolicies } from './validating-admission-policies.ts'
import { validatingWebhooks } from './validating-webhooks.ts'

/**
 * The chain, in kube-apiserver's order. A new step is one file and one line; where it stands has a meaning. Without
 * `webhooks` nothing outside this process is asked: for looking at a repository that nobody trusts yet. With `tokens` pods
 * are given tokens of their accounts: where there is a key to sign them with. With `nodeTaints` new nodes wait until they
 * are ready: where there is a controller that takes the taint off.
 */
export function admissionChain({
  webhooks = true,
  tokens = false,
  nodeTaints = false,
} = {}): readonly Admission[] {
  return [
    namespaceLifecycle,
    limitRanger,
    serviceAccountAdmission({ tokens }),
    nodeRestriction,
    ...(nodeTaints ? [taintNodesByCondition] : []),
    podSecurity,
    priority,
    defaultTolerationSeconds,
    defaultStorageClass,
    storageObjectInUseProtection,
    persistentVolumeClaimResize,
    runtimeClass,
    defaultIngressClass,
    podTopologyLabels,
    mutatingAdmissionPolicies,
    ...(webhooks ? [mutatingWebhooks] : []),
    serviceAddresses(),
    validatingAdmissionPolicies,
    ...(webhooks ? [validatingWebhooks] : []),
    deviceAdminAccess,
    resourceQuota(),
  ]
}
