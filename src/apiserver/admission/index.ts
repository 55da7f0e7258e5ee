import type { Admission } from './admission.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { priority } from './priority.ts'
import { serviceAccountAdmission } from './service-account.ts'
import { serviceAddresses } from './service-addresses.ts'

/** The chain, in kube-apiserver's order. A new step is one file and one line; where it stands has a meaning. */
export function admissionChain(): readonly Admission[] {
  return [namespaceLifecycle, serviceAccountAdmission, priority, defaultTolerationSeconds, serviceAddresses()]
}
