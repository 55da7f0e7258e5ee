import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import type { AnyResource } from '../../api/resource.ts'
import type { Admission } from './admission.ts'

const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
const SECONDS = 300

/** Pods stay five minutes on a node that is not ready or unreachable, unless they say otherwise. */
export const defaultTolerationSeconds: Admission = {
  name: 'DefaultTolerationSeconds',
  concerns: ({ kind, operation, subresource }) =>
    kind === podKind && operation !== 'DELETE' && subresource === '',
  mutate({ object }) {
    const pod = object as unknown as Pod
    const tolerations = pod.spec.tolerations ?? []
    const missing = TAINTS.filter(
      (key) =>
        !tolerations.some(
          (one) => (!one.key || one.key === key) && (!one.effect || one.effect === 'NoExecute'),
        ),
    )
    if (missing.length === 0) return object
    const added = missing.map((key) => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: SECONDS,
    }))
    return {
      ...pod,
      spec: { ...pod.spec, tolerations: [...tolerations, ...added] },
    } as unknown as AnyResource
  },
}
