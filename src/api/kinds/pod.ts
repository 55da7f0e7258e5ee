import { defineKind } from '../kind.ts'
import { podColumns } from '../pod-columns.ts'
import { defaultPodOnly, defaultPodSpec } from '../pod-defaults.ts'
import { podHealth } from '../pod-health.ts'
import { ephemeralContainersDoor, resizeDoor } from '../pod-subresources.ts'
import { validatePodUpdate } from '../pod-update-validation.ts'
import { validatePod } from '../pod-validation.ts'
import type { Pod } from '../pods.ts'
import { qosClassOf } from '../resource-requests.ts'
import { validateMirror } from '../static-pods.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type { Pod } from '../pods.ts'

/** Every method goes through. */
const PROXY_VERBS = ['create', 'delete', 'get', 'patch', 'update']

export const pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  scope: 'Namespaced',
  shortNames: ['po'],
  categories: ['all'],
  schema: 'V1Pod',
  applyWave: WAVE.workload,
  subresources: {
    status: true,
    others: {
      binding: { group: '', version: 'v1', kind: 'Binding', verbs: ['create'] },
      explain: {
        group: 'seamark.dev',
        version: 'v1alpha1',
        kind: 'SchedulingExplanation',
        verbs: ['create'],
      },
      attach: { group: '', version: 'v1', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
      exec: { group: '', version: 'v1', kind: 'PodExecOptions', verbs: ['create', 'get'] },
      ephemeralcontainers: ephemeralContainersDoor,
      resize: resizeDoor,
      portforward: { group: '', version: 'v1', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
      proxy: { group: '', version: 'v1', kind: 'PodProxyOptions', verbs: PROXY_VERBS },
      log: { group: '', version: 'v1', kind: 'Pod', verbs: ['get'] },
      eviction: { group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
    },
  },
  fieldSelectors: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIP ?? '',
    'status.podIPs': ({ status }) => (status?.podIPs ?? []).map(({ ip }) => ip).join(','),
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  setDefaults: (resource) => ({ ...resource, spec: defaultPodOnly(defaultPodSpec(resource.spec)) }),
  prepareForCreate: (resource) => ({ ...resource, status: firstStatus(resource) }),
  validate: validatePod,
  validateCreate: (pod) => [
    ...validateMirror(pod),
    ...(pod.spec.ephemeralContainers?.length
      ? [fault.forbidden('spec.ephemeralContainers', 'cannot be set on create')]
      : []),
  ],
  validateUpdate: (pod, old) => [...validateMirror(pod, old), ...validatePodUpdate(pod, old)],
  columns: podColumns,
  health: podHealth,
  example: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [{ name: 'app', image: 'registry.example/web:1' }] },
  },
})

function firstStatus({ spec }: Pod): NonNullable<Pod['status']> {
  const status = { phase: 'Pending', qosClass: qosClassOf(spec) }
  if (!spec.schedulingGates?.length) return status
  const gated = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  }
  return { ...status, conditions: [gated] }
}
