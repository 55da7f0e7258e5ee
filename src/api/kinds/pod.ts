import { parseTime } from '../../base/date.ts'
import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { humanDuration } from '../duration.ts'
import { defineKind } from '../kind.ts'
import { defaultEnableServiceLinks, defaultPodSpec } from '../pod-defaults.ts'
import { validatePodSpec } from '../pod-validation.ts'
import { type Pod, podHealth, podReason } from '../pods.ts'
import { qosClassOf } from '../resource-requests.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type { Pod } from '../pods.ts'

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
  setDefaults: (resource) => ({
    ...resource,
    spec: defaultEnableServiceLinks(defaultPodSpec(resource.spec)),
  }),
  prepareForCreate: (resource) => ({
    ...resource,
    status: { phase: 'Pending', qosClass: qosClassOf(resource.spec) },
  }),
  validate: ({ spec }) => validatePodSpec(spec, 'spec'),
  validateUpdate,
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      description: 'The aggregate readiness state of this pod for accepting traffic.',
      value: (resource) => readyText(resource),
    },
    {
      name: 'Status',
      type: 'string',
      description: 'The aggregate status of the containers in this pod.',
      value: (resource) => podReason(resource),
    },
    {
      name: 'Restarts',
      type: 'string',
      description:
        'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
      value: (resource, now) => restartsText(resource, now),
    },
    ageColumn,
    {
      name: 'IP',
      type: 'string',
      priority: 1,
      description: 'podIP address allocated to the pod.',
      value: ({ status }) => status?.podIP || '<none>',
    },
    {
      name: 'Node',
      type: 'string',
      priority: 1,
      description: 'NodeName indicates in which node this pod is scheduled.',
      value: ({ spec }) => spec.nodeName || '<none>',
    },
    {
      name: 'Nominated Node',
      type: 'string',
      priority: 1,
      description: 'nominatedNodeName is set only when this pod preempts other pods on the node.',
      value: ({ status }) => status?.nominatedNodeName || '<none>',
    },
    {
      name: 'Readiness Gates',
      type: 'string',
      priority: 1,
      description: 'If specified, all readiness gates will be evaluated for pod readiness.',
      value: (resource) => gatesText(resource),
    },
  ],
  health: podHealth,
  example: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [{ name: 'app', image: 'registry.example/web:1' }] },
  },
})

function readyText({ spec, status }: Pod): string {
  const sidecars = (spec.initContainers ?? [])
    .filter(({ restartPolicy }) => restartPolicy === 'Always')
    .map(({ name }) => name)
  const all = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.includes(name)),
  ]
  return `${all.filter(({ ready, state }) => ready && state?.running).length}/${spec.containers.length + sidecars.length}`
}

function restartsText({ spec, status }: Pod, now: number): string {
  const sidecars = (spec.initContainers ?? [])
    .filter(({ restartPolicy }) => restartPolicy === 'Always')
    .map(({ name }) => name)
  const statuses = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.includes(name)),
  ]
  const restarts = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0)
  const last = statuses.reduce(
    (latest, { lastState }) => Math.max(latest, parseTime(lastState?.terminated?.finishedAt) ?? 0),
    0,
  )
  return restarts > 0 && last > 0 ? `${restarts} (${humanDuration(now - last)} ago)` : String(restarts)
}

function gatesText({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const met = gates.filter(({ conditionType }) =>
    status?.conditions?.some(({ type, status: is }) => type === conditionType && is === 'True'),
  )
  return `${met.length}/${gates.length}`
}

const UPDATE_MESSAGE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

function validateUpdate(resource: Pod, old: Pod): StatusCause[] {
  const wrong: StatusCause[] = []
  const { spec } = resource
  if (spec.containers.length !== old.spec.containers.length) {
    return [fault.forbidden('spec.containers', 'pod updates may not add or remove containers')]
  }
  const added = (spec.schedulingGates ?? []).filter(
    ({ name }) => !old.spec.schedulingGates?.some((gate) => gate.name === name),
  )
  for (const gate of added)
    wrong.push(
      fault.forbidden(
        'spec.schedulingGates',
        `only deletion is allowed, but found new scheduling gate '${gate.name}'`,
      ),
    )
  const before = old.spec.activeDeadlineSeconds
  if (before !== undefined && (spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY) > before) {
    wrong.push(
      fault.invalid(
        'spec.activeDeadlineSeconds',
        spec.activeDeadlineSeconds ?? null,
        `must be less than or equal to previous value`,
      ),
    )
  }
  const kept = (old.spec.tolerations ?? []).every((one) =>
    spec.tolerations?.some((other) => deepEqual(one, other)),
  )
  if (!kept)
    wrong.push(
      fault.forbidden(
        'spec.tolerations',
        'existing toleration can not be modified except its tolerationSeconds',
      ),
    )
  if (!deepEqual(frozenPart(spec, old.spec), frozenPart(old.spec, old.spec)))
    wrong.push(fault.forbidden('spec', UPDATE_MESSAGE))
  return wrong
}

/** The spec with all that may change replaced by what it was. */
function frozenPart(spec: Pod['spec'], old: Pod['spec']): object {
  const image = (containers: Pod['spec']['containers'] | undefined) =>
    containers?.map(({ image: _, ...rest }) => rest)
  const isGated = (old.schedulingGates ?? []).length > 0
  return {
    ...spec,
    containers: image(spec.containers),
    initContainers: image(spec.initContainers),
    activeDeadlineSeconds: undefined,
    tolerations: undefined,
    schedulingGates: undefined,
    terminationGracePeriodSeconds:
      (old.terminationGracePeriodSeconds ?? 0) < 0 ? undefined : spec.terminationGracePeriodSeconds,
    ...(isGated ? { nodeSelector: undefined, affinity: undefined } : {}),
  }
}
