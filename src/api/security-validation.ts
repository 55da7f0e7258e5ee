import { oneOf } from './field-rules.ts'
import type { V1PodSpec, V1SeccompProfile, V1SecurityContext } from './generated/types.ts'
import { fault, type StatusCause } from './status.ts'

/** securityContext of pods and containers (core/validation.go validatePodSpecSecurityContext, ValidateSecurityContext). */
const ID_MAX = 2 ** 31 - 1

export function validatePodSecurity(spec: V1PodSpec, path: string): StatusCause[] {
  const { securityContext: context = {} } = spec
  const at = `${path}.securityContext`
  const wrong = [
    ...idFaults(context.fsGroup, `${at}.fsGroup`),
    ...idFaults(context.runAsUser, `${at}.runAsUser`),
    ...idFaults(context.runAsGroup, `${at}.runAsGroup`),
    ...(context.supplementalGroups ?? []).flatMap((id, i) => idFaults(id, `${at}.supplementalGroups[${i}]`)),
    ...oneOf(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${at}.fsGroupChangePolicy`),
    ...oneOf(context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${at}.supplementalGroupsPolicy`),
    ...oneOf(context.seLinuxChangePolicy, ['MountOption', 'Recursive'], `${at}.seLinuxChangePolicy`),
    ...profileFaults(context.seccompProfile, `${at}.seccompProfile`),
    ...profileFaults(context.appArmorProfile, `${at}.appArmorProfile`),
  ]
  if (spec.shareProcessNamespace && spec.hostPID)
    wrong.push(
      fault.invalid(
        `${at}.shareProcessNamespace`,
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    )
  if (spec.hostUsers === false) {
    for (const [field, name] of [
      ['hostNetwork', 'hostNetwork'],
      ['hostPID', 'HostPID'],
      ['hostIPC', 'HostIPC'],
    ] as const)
      if (spec[field]) wrong.push(fault.forbidden(`${path}.${name}`, 'when `pod.Spec.HostUsers` is false'))
  }
  return wrong
}

export function validateContainerSecurity(context: V1SecurityContext, path: string): StatusCause[] {
  const wrong = [
    ...idFaults(context.runAsUser, `${path}.runAsUser`),
    ...idFaults(context.runAsGroup, `${path}.runAsGroup`),
    ...oneOf(context.procMount, ['Default', 'Unmasked'], `${path}.procMount`),
    ...profileFaults(context.seccompProfile, `${path}.seccompProfile`),
    ...profileFaults(context.appArmorProfile, `${path}.appArmorProfile`),
  ]
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged)
      wrong.push(
        fault.invalid(
          path,
          context,
          'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
        ),
      )
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN'))
      wrong.push(
        fault.invalid(
          path,
          context,
          'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
        ),
      )
  }
  return wrong
}

function idFaults(id: number | undefined, path: string): StatusCause[] {
  return id === undefined || (id >= 0 && id <= ID_MAX)
    ? []
    : [fault.invalid(path, id, `must be between 0 and ${ID_MAX}, inclusive`)]
}

function profileFaults(profile: V1SeccompProfile | undefined, path: string): StatusCause[] {
  if (!profile) return []
  const { type, localhostProfile } = profile
  if (!type) return [fault.required(`${path}.type`)]
  const wrong = oneOf(type, ['Localhost', 'RuntimeDefault', 'Unconfined'], `${path}.type`)
  if (type === 'Localhost') {
    if (!localhostProfile)
      wrong.push(fault.required(`${path}.localhostProfile`, 'must be set when profile type is Localhost'))
  } else if (localhostProfile !== undefined)
    wrong.push(
      fault.invalid(
        `${path}.localhostProfile`,
        localhostProfile,
        'can only be set when profile type is Localhost',
      ),
    )
  return wrong
}
