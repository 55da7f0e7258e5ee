import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { findCondition } from '../conditions.ts'
import type { V1Node } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { qualifiedName } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type Node = Stored<V1Node>

const ROLE_PREFIX = 'node-role.kubernetes.io/'
const EFFECTS = ['NoExecute', 'NoSchedule', 'PreferNoSchedule']

export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  scope: 'Cluster',
  shortNames: ['no'],
  schema: 'V1Node',
  hasGeneration: false,
  applyWave: WAVE.nodes,
  subresources: {
    status: true,
    others: {
      proxy: {
        group: '',
        version: 'v1',
        kind: 'NodeProxyOptions',
        verbs: ['create', 'delete', 'get', 'patch', 'update'],
      },
    },
  },
  fieldSelectors: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
  setDefaults(resource) {
    const { capacity, allocatable } = resource.status ?? {}
    return capacity && !allocatable
      ? { ...resource, status: { ...resource.status, allocatable: capacity } }
      : resource
  },
  validate({ spec = {} }) {
    const wrong: StatusCause[] = []
    const seen = new Set<string>()
    for (const [i, { key, value, effect }] of (spec.taints ?? []).entries()) {
      const at = `spec.taints[${i}]`
      const wrongKey = key ? qualifiedName(key) : undefined
      if (!key) wrong.push(fault.required(`${at}.key`))
      else if (wrongKey) wrong.push(fault.invalid(`${at}.key`, key, wrongKey))
      if (!effect) wrong.push(fault.required(`${at}.effect`))
      else if (!EFFECTS.includes(effect)) wrong.push(fault.notSupported(`${at}.effect`, effect, EFFECTS))
      const id = `${key}:${effect}`
      if (seen.has(id)) wrong.push(fault.duplicate(at, { key, value, effect }))
      seen.add(id)
    }
    return wrong
  },
  validateUpdate: (resource, old) =>
    old.spec?.podCIDR && !deepEqual(resource.spec?.podCIDR, old.spec.podCIDR)
      ? [fault.forbidden('spec.podCIDR', 'node updates may not change podCIDR except from "" to valid')]
      : [],
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      description: 'The status of the node',
      value: (resource) => statusText(resource),
    },
    {
      name: 'Roles',
      type: 'string',
      description: 'The roles of the node',
      value: (resource) => rolesText(resource),
    },
    ageColumn,
    {
      name: 'Version',
      type: 'string',
      description: 'Kubelet Version reported by the node.',
      value: ({ status }) => status?.nodeInfo?.kubeletVersion ?? '',
    },
    {
      name: 'Internal-IP',
      type: 'string',
      priority: 1,
      description: 'List of addresses reachable to the node.',
      value: (resource) => addressOf(resource, 'InternalIP') ?? '<none>',
    },
    {
      name: 'External-IP',
      type: 'string',
      priority: 1,
      description: 'List of addresses reachable to the node.',
      value: (resource) => addressOf(resource, 'ExternalIP') ?? '<none>',
    },
    {
      name: 'OS-Image',
      type: 'string',
      priority: 1,
      description: 'OS Image reported by the node from /etc/os-release.',
      value: ({ status }) => status?.nodeInfo?.osImage || '<unknown>',
    },
    {
      name: 'Kernel-Version',
      type: 'string',
      priority: 1,
      description: "Kernel Version reported by the node from 'uname -r'.",
      value: ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>',
    },
    {
      name: 'Container-Runtime',
      type: 'string',
      priority: 1,
      description: 'ContainerRuntime Version reported by the node through runtime remote API.',
      value: ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    },
  ],
  health(resource) {
    const ready = findCondition(resource.status?.conditions, 'Ready')
    if (ready?.status === 'True') return { status: 'Healthy' }
    return ready
      ? { status: 'Degraded', message: ready.message ?? 'Node is not ready' }
      : { status: 'Progressing', message: 'Kubelet has not reported yet' }
  },
  example: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-0' }, spec: {} },
})

export function addressOf({ status }: Node, type: string): string | undefined {
  return status?.addresses?.find((address) => address.type === type)?.address
}

function statusText({ spec, status }: Node): string {
  const ready = findCondition(status?.conditions, 'Ready')
  const text = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return spec?.unschedulable ? `${text},SchedulingDisabled` : text
}

function rolesText({ metadata }: Node): string {
  const labels = Object.entries(metadata.labels ?? {})
  const roles = labels.flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) return [key.slice(ROLE_PREFIX.length)]
    return key === 'kubernetes.io/role' && value ? [value] : []
  })
  return roles.length > 0 ? [...new Set(roles)].sort().join(',') : '<none>'
}
