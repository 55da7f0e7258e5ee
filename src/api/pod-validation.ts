import { validateAffinity } from './affinity-validation.ts'
import { type ContainerPlace, validateContainer } from './container-validation.ts'
import { follows, notNegative, oneOf } from './field-rules.ts'
import type { V1Container, V1PodSpec, V1PodTemplateSpec } from './generated/types.ts'
import {
  dns1123Label,
  dns1123Subdomain,
  qualifiedName,
  validateAnnotations,
  validateLabels,
} from './names.ts'
import { validateSpread, validateToleration } from './placement-validation.ts'
import { validateDns, validateHostAliases } from './pod-dns-validation.ts'
import type { Pod } from './pods.ts'
import { validatePodResources } from './resource-validation.ts'
import { validatePodSecurity } from './security-validation.ts'
import { fault, type StatusCause } from './status.ts'
import { validateVolumes } from './volume-validation.ts'

/**
 * The hand-written rules of pods and their templates (core/validation.go ValidatePodSpec), with Kubernetes' paths and
 * words. They judge what defaulting has made.
 */
export function validatePod({ spec }: Pod): StatusCause[] {
  const wrong = validatePodSpec(spec, 'spec', true)
  if (spec.nodeName && spec.schedulingGates?.length)
    wrong.push(fault.forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  return wrong
}

/** `spec.template` of a workload. */
export function validatePodTemplate(template: V1PodTemplateSpec, path: string): StatusCause[] {
  const { metadata, spec } = template
  const wrong = [
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
  ]
  if (!spec) return [...wrong, fault.required(`${path}.spec`)]
  wrong.push(...validatePodSpec(spec, `${path}.spec`, false))
  if (spec.ephemeralContainers?.length)
    wrong.push(
      fault.forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'),
    )
  return wrong
}

function validatePodSpec(spec: V1PodSpec, path: string, isPod: boolean): StatusCause[] {
  const deadline = spec.activeDeadlineSeconds
  return [
    ...validateVolumes(spec.volumes ?? [], `${path}.volumes`),
    ...validateContainers(spec, path, isPod),
    ...validatePodResources(spec, `${path}.resources`),
    ...oneOf(spec.restartPolicy, ['Always', 'Never', 'OnFailure'], `${path}.restartPolicy`),
    ...notNegative(spec.terminationGracePeriodSeconds, `${path}.terminationGracePeriodSeconds`),
    ...validateDns(spec, path),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurity(spec, path),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateGates(spec, path),
    ...validateSpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
    ...follows(spec.serviceAccountName, dns1123Subdomain, `${path}.serviceAccountName`),
    ...follows(spec.nodeName, dns1123Subdomain, `${path}.nodeName`),
    ...(deadline === undefined || (deadline >= 1 && deadline < 2 ** 31)
      ? []
      : [
          fault.invalid(
            `${path}.activeDeadlineSeconds`,
            deadline,
            'must be between 1 and 2147483647, inclusive',
          ),
        ]),
    ...follows(spec.hostname, dns1123Label, `${path}.hostname`),
    ...follows(spec.subdomain, dns1123Label, `${path}.subdomain`),
    ...(spec.tolerations ?? []).flatMap((one, i) => validateToleration(one, `${path}.tolerations[${i}]`)),
    ...validateHostAliases(spec, path),
    ...follows(spec.priorityClassName, dns1123Subdomain, `${path}.priorityClassName`),
    ...follows(spec.runtimeClassName, dns1123Subdomain, `${path}.runtimeClassName`),
    ...oneOf(spec.preemptionPolicy, ['Never', 'PreemptLowerPriority'], `${path}.preemptionPolicy`),
    ...oneOf(spec.os?.name, ['linux', 'windows'], `${path}.os.name`),
  ]
}

function validateGates(
  { readinessGates = [], schedulingGates = [] }: V1PodSpec,
  path: string,
): StatusCause[] {
  const names = new Set<string>()
  return [
    ...readinessGates.flatMap(({ conditionType }, i) =>
      qualified(conditionType, `${path}.readinessGates[${i}].conditionType`),
    ),
    ...schedulingGates.flatMap(({ name }, i) => {
      const at = `${path}.schedulingGates[${i}]`
      const wrong = qualified(name, at)
      if (names.has(name)) wrong.push(fault.duplicate(at, name))
      names.add(name)
      return wrong
    }),
  ]
}

function qualified(name: string, path: string): StatusCause[] {
  const why = qualifiedName(name)
  return why === undefined ? [] : [fault.invalid(path, name, why)]
}

function validateContainers(spec: V1PodSpec, path: string, isPod: boolean): StatusCause[] {
  const { initContainers = [], ephemeralContainers = [] } = spec
  const grace = spec.terminationGracePeriodSeconds
  const place = {
    volumes: new Map((spec.volumes ?? []).map((volume) => [volume.name, volume])),
    hostNetwork: spec.hostNetwork === true,
    isPod,
    podRestartPolicy: spec.restartPolicy,
    graceSeconds: grace !== undefined && grace >= 0 ? grace : undefined,
  }
  const names = new Set<string>()
  const check = (list: readonly V1Container[], at: string, sort: ContainerPlace['sort']) =>
    list.flatMap((container, i) => {
      const wrong = validateContainer(container, `${at}[${i}]`, { ...place, sort })
      if (names.has(container.name)) wrong.push(fault.duplicate(`${at}[${i}].name`, container.name))
      if (container.name) names.add(container.name)
      return wrong
    })
  const regular =
    spec.containers.length === 0
      ? [fault.required(`${path}.containers`)]
      : check(spec.containers, `${path}.containers`, 'regular')
  return [
    ...regular,
    ...hostPortFaults(spec.containers, `${path}.containers`),
    ...check(initContainers, `${path}.initContainers`, 'init'),
    ...check(ephemeralContainers, `${path}.ephemeralContainers`, 'ephemeral'),
  ]
}

/** Two containers of a pod cannot have the same port of its host. */
function hostPortFaults(containers: readonly V1Container[], path: string): StatusCause[] {
  const used = new Set<string>()
  return containers.flatMap(({ ports = [] }, i) =>
    ports.flatMap(({ hostPort, hostIP = '', protocol = 'TCP' }, j) => {
      if (!hostPort) return []
      const id = `${protocol}/${hostIP}/${hostPort}`
      if (used.has(id)) return [fault.duplicate(`${path}[${i}].ports[${j}].hostPort`, id)]
      used.add(id)
      return []
    }),
  )
}
