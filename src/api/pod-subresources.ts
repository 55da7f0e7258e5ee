import { deepEqual } from '../base/json.ts'
import type { V1Container, V1PodSpec } from './generated/types.ts'
import type { OtherSubresource } from './kind.ts'
import { defaultPodSpec } from './pod-defaults.ts'
import type { Pod } from './pods.ts'
import { qosClassOf } from './resource-requests.ts'
import { fault, type StatusCause } from './status.ts'

/** How a running pod is changed through a door of its own: debug containers are added, resources become others. */
const DOOR = { group: '', version: 'v1', kind: 'Pod', verbs: ['get', 'patch', 'update'] } as const

/** pods/ephemeralcontainers (core/validation.go ValidatePodEphemeralContainersUpdate): they are added and stay. */
export const ephemeralContainersDoor: OtherSubresource = {
  ...DOOR,
  merge: (old: Pod, sent: Pod): Pod => ({
    ...old,
    metadata: { ...old.metadata, ...managedFieldsOf(sent) },
    spec: defaultPodSpec({ ...old.spec, ephemeralContainers: sent.spec?.ephemeralContainers ?? [] }),
  }),
  validateUpdate({ spec }: Pod, old: Pod): StatusCause[] {
    const path = 'spec.ephemeralContainers'
    const now = new Map((spec.ephemeralContainers ?? []).map((container) => [container.name, container]))
    return (old.spec.ephemeralContainers ?? []).flatMap((before) => {
      const container = now.get(before.name)
      const name = JSON.stringify(before.name)
      if (!container)
        return [fault.forbidden(path, `existing ephemeral containers ${name} may not be removed\n`)]
      return deepEqual(container, before)
        ? []
        : [fault.forbidden(path, `existing ephemeral containers ${name} may not be changed\n`)]
    })
  },
}

/** pods/resize (ValidatePodResize): CPU and memory of containers, within the pod's QoS class. */
export const resizeDoor: OtherSubresource = {
  ...DOOR,
  merge: (old: Pod, sent: Pod): Pod => ({
    ...old,
    metadata: { ...old.metadata, ...managedFieldsOf(sent) },
    spec: defaultPodSpec({ ...old.spec, ...sent.spec }),
  }),
  validateUpdate(pod: Pod, old: Pod): StatusCause[] {
    const wrong = (['containers', 'initContainers'] as const).flatMap((field) =>
      (pod.spec[field] ?? []).flatMap((container, i) => {
        const before = old.spec[field]?.[i]
        return before ? removals(container, before, `spec.${field}[${i}].resources`) : []
      }),
    )
    if (qosClassOf(pod.spec) !== qosClassOf(old.spec))
      wrong.push(
        fault.invalid('spec', qosClassOf(pod.spec), 'Pod QOS Class may not change as a result of resizing'),
      )
    if (!deepEqual(withoutSizes(pod.spec), withoutSizes(old.spec)))
      wrong.push(fault.forbidden('spec', 'only cpu and memory resources are mutable'))
    return wrong
  },
}

function managedFieldsOf({ metadata }: Pod): Pick<Pod['metadata'], 'managedFields'> {
  return metadata.managedFields ? { managedFields: metadata.managedFields } : {}
}

function removals({ resources }: V1Container, before: V1Container, path: string): StatusCause[] {
  return (['limits', 'requests'] as const).flatMap((list) => {
    const isRemoved = Object.keys(before.resources?.[list] ?? {}).some(
      (name) => resources?.[list]?.[name] === undefined,
    )
    return isRemoved ? [fault.forbidden(`${path}.${list}`, `resource ${list} cannot be removed`)] : []
  })
}

function withoutSizes(spec: V1PodSpec): object {
  const rest = ({ resources, ...container }: V1Container) => ({
    ...container,
    resources: { ...resources, limits: others(resources?.limits), requests: others(resources?.requests) },
  })
  return {
    ...spec,
    containers: spec.containers.map(rest),
    initContainers: (spec.initContainers ?? []).map(rest),
  }
}

function others(list: Readonly<Record<string, string>> = {}): object {
  const { cpu: _cpu, memory: _memory, ...rest } = list
  return rest
}
