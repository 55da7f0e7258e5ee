import { validateAffinity } from './affinity-validation.ts'
import { validateContainer } from './container-validation.ts'
import type { V1Container, V1PodSpec, V1PodTemplateSpec, V1Volume } from './generated/types.ts'
import {
  dns1123Label,
  dns1123Subdomain,
  qualifiedName,
  validateAnnotations,
  validateLabels,
} from './names.ts'
import { validateLabelSelector } from './selectors.ts'
import { fault, type StatusCause } from './status.ts'

/** The hand-written rules of a PodSpec (core/validation.go), with Kubernetes' paths and words. `path` is e.g. "spec". */
export function validatePodSpec(spec: V1PodSpec, path: string): StatusCause[] {
  const wrong: StatusCause[] = []
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]))
  wrong.push(...validateVolumes(spec.volumes ?? [], `${path}.volumes`))
  wrong.push(...validateContainers(spec, volumes, path))
  wrong.push(...oneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`))
  wrong.push(
    ...oneOf(
      spec.dnsPolicy,
      ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
      `${path}.dnsPolicy`,
    ),
  )
  wrong.push(...oneOf(spec.preemptionPolicy, ['Never', 'PreemptLowerPriority'], `${path}.preemptionPolicy`))
  if (spec.dnsPolicy === 'None' && !spec.dnsConfig?.nameservers?.length) {
    wrong.push(
      fault.required(
        `${path}.dnsConfig.nameservers`,
        'must provide at least one DNS nameserver when `dnsPolicy` is None',
      ),
    )
  }
  if (spec.terminationGracePeriodSeconds !== undefined && spec.terminationGracePeriodSeconds < 0) {
    wrong.push(
      fault.invalid(
        `${path}.terminationGracePeriodSeconds`,
        spec.terminationGracePeriodSeconds,
        'must be greater than or equal to 0',
      ),
    )
  }
  if (
    spec.activeDeadlineSeconds !== undefined &&
    (spec.activeDeadlineSeconds < 1 || spec.activeDeadlineSeconds > 2 ** 31 - 1)
  ) {
    wrong.push(
      fault.invalid(
        `${path}.activeDeadlineSeconds`,
        spec.activeDeadlineSeconds,
        'must be between 1 and 2147483647, inclusive',
      ),
    )
  }
  for (const field of ['serviceAccountName', 'nodeName', 'priorityClassName'] as const) {
    const why = spec[field] ? dns1123Subdomain(spec[field]) : undefined
    if (why) wrong.push(fault.invalid(`${path}.${field}`, spec[field], why))
  }
  for (const field of ['hostname', 'subdomain'] as const) {
    const why = spec[field] ? dns1123Label(spec[field]) : undefined
    if (why) wrong.push(fault.invalid(`${path}.${field}`, spec[field], why))
  }
  wrong.push(...validateLabels(spec.nodeSelector, `${path}.nodeSelector`))
  wrong.push(...validateTolerations(spec, `${path}.tolerations`))
  wrong.push(...validateAffinity(spec.affinity, `${path}.affinity`))
  wrong.push(...validateSpread(spec, `${path}.topologySpreadConstraints`))
  for (const [i, gate] of (spec.schedulingGates ?? []).entries()) {
    const why = qualifiedName(gate.name)
    if (why) wrong.push(fault.invalid(`${path}.schedulingGates[${i}]`, gate.name, why))
    if (spec.schedulingGates?.findIndex(({ name }) => name === gate.name) !== i)
      wrong.push(fault.duplicate(`${path}.schedulingGates[${i}]`, gate.name))
  }
  return wrong
}

/** `spec.template` of a workload. */
export function validatePodTemplate(template: V1PodTemplateSpec, path: string): StatusCause[] {
  return [
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.annotations`),
    ...(template.spec ? validatePodSpec(template.spec, `${path}.spec`) : [fault.required(`${path}.spec`)]),
  ]
}

export function oneOf(value: string | undefined, supported: readonly string[], path: string): StatusCause[] {
  return value === undefined || supported.includes(value) ? [] : [fault.notSupported(path, value, supported)]
}

function validateContainers(
  spec: V1PodSpec,
  volumes: ReadonlyMap<string, V1Volume>,
  path: string,
): StatusCause[] {
  const wrong: StatusCause[] = []
  if (spec.containers.length === 0) wrong.push(fault.required(`${path}.containers`))
  const names = new Set<string>()
  const check = (containers: readonly V1Container[], at: string, init: boolean) => {
    for (const [i, container] of containers.entries()) {
      wrong.push(
        ...validateContainer(container, `${at}[${i}]`, {
          volumes,
          init,
          hostNetwork: spec.hostNetwork === true,
        }),
      )
      if (names.has(container.name)) wrong.push(fault.duplicate(`${at}[${i}].name`, container.name))
      names.add(container.name)
    }
  }
  check(spec.containers, `${path}.containers`, false)
  check(spec.initContainers ?? [], `${path}.initContainers`, true)
  const used = new Set<string>()
  for (const [i, { ports = [] }] of spec.containers.entries()) {
    for (const [j, { hostPort, hostIP = '', protocol = 'TCP' }] of ports.entries()) {
      if (!hostPort) continue
      const id = `${protocol}/${hostIP}/${hostPort}`
      if (used.has(id)) wrong.push(fault.duplicate(`${path}.containers[${i}].ports[${j}].hostPort`, id))
      used.add(id)
    }
  }
  return wrong
}

function validateVolumes(volumes: readonly V1Volume[], path: string): StatusCause[] {
  const wrong: StatusCause[] = []
  for (const [i, volume] of volumes.entries()) {
    const at = `${path}[${i}]`
    const why = volume.name ? dns1123Label(volume.name) : undefined
    if (!volume.name) wrong.push(fault.required(`${at}.name`))
    else if (why) wrong.push(fault.invalid(`${at}.name`, volume.name, why))
    if (volumes.findIndex(({ name }) => name === volume.name) !== i)
      wrong.push(fault.duplicate(`${at}.name`, volume.name))
    const sources = Object.entries(volume).filter(([key, value]) => key !== 'name' && value !== undefined)
    if (sources.length === 0) wrong.push(fault.required(at, 'must specify a volume type'))
    for (const [type] of sources.slice(1))
      wrong.push(fault.forbidden(`${at}.${type}`, 'may not specify more than 1 volume type'))
    if (volume.gitRepo) wrong.push(fault.forbidden(`${at}.gitRepo`, 'gitRepo volumes are not supported'))
    if (volume.secret && !volume.secret.secretName) wrong.push(fault.required(`${at}.secret.secretName`))
    if (volume.configMap && !volume.configMap.name) wrong.push(fault.required(`${at}.configMap.name`))
    if (volume.persistentVolumeClaim && !volume.persistentVolumeClaim.claimName)
      wrong.push(fault.required(`${at}.persistentVolumeClaim.claimName`))
    if (volume.hostPath && !volume.hostPath.path) wrong.push(fault.required(`${at}.hostPath.path`))
    if (volume.hostPath?.path?.split('/').includes('..'))
      wrong.push(fault.invalid(`${at}.hostPath.path`, volume.hostPath.path, "must not contain '..'"))
  }
  return wrong
}

function validateTolerations(spec: V1PodSpec, path: string): StatusCause[] {
  return (spec.tolerations ?? []).flatMap(({ key, operator, value, effect, tolerationSeconds }, i) => {
    const at = `${path}[${i}]`
    const wrong: StatusCause[] = []
    const why = key ? qualifiedName(key) : undefined
    if (why) wrong.push(fault.invalid(`${at}.key`, key, why))
    if (!key && operator !== 'Exists')
      wrong.push(
        fault.invalid(
          `${at}.operator`,
          operator ?? '',
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      )
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      wrong.push(
        fault.invalid(
          `${at}.effect`,
          effect ?? '',
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
      )
    if (operator === 'Exists' && value)
      wrong.push(
        fault.invalid(
          `${at}.operator`,
          { key, operator, value, effect },
          "value must be empty when `operator` is 'Exists'",
        ),
      )
    wrong.push(...oneOf(operator || undefined, ['Equal', 'Exists'], `${at}.operator`))
    wrong.push(...oneOf(effect || undefined, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${at}.effect`))
    return wrong
  })
}

function validateSpread(spec: V1PodSpec, path: string): StatusCause[] {
  return (spec.topologySpreadConstraints ?? []).flatMap((constraint, i) => {
    const at = `${path}[${i}]`
    const wrong: StatusCause[] = []
    if (!(constraint.maxSkew > 0))
      wrong.push(fault.invalid(`${at}.maxSkew`, constraint.maxSkew, 'must be greater than zero'))
    if (!constraint.topologyKey) wrong.push(fault.required(`${at}.topologyKey`, 'can not be empty'))
    if (!constraint.whenUnsatisfiable) wrong.push(fault.required(`${at}.whenUnsatisfiable`))
    else
      wrong.push(
        ...oneOf(
          constraint.whenUnsatisfiable,
          ['DoNotSchedule', 'ScheduleAnyway'],
          `${at}.whenUnsatisfiable`,
        ),
      )
    if (constraint.minDomains !== undefined && constraint.minDomains <= 0)
      wrong.push(fault.invalid(`${at}.minDomains`, constraint.minDomains, 'must be greater than zero'))
    wrong.push(...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`))
    return wrong
  })
}
