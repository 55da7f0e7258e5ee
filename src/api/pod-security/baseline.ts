import type { V1Container, V1SELinuxOptions } from '../generated/types.ts'
import {
  allContainers,
  type Check,
  containersText,
  namesOf,
  plural,
  quoted,
  setters,
  sorted,
} from './shape.ts'

const CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])
const PROFILES = ['RuntimeDefault', 'Localhost']
const APPARMOR_PREFIX = 'container.apparmor.security.beta.kubernetes.io/'
/** Names and the minor version since which they are safe. */
const SYSCTLS: Readonly<Record<string, number>> = {
  'kernel.shm_rmid_forced': 0,
  'net.ipv4.ip_local_port_range': 0,
  'net.ipv4.tcp_syncookies': 0,
  'net.ipv4.ping_group_range': 0,
  'net.ipv4.ip_unprivileged_port_start': 0,
  'net.ipv4.ip_local_reserved_ports': 27,
  'net.ipv4.tcp_keepalive_time': 29,
  'net.ipv4.tcp_fin_timeout': 29,
  'net.ipv4.tcp_keepalive_intvl': 29,
  'net.ipv4.tcp_keepalive_probes': 29,
  'net.ipv4.tcp_rmem': 32,
  'net.ipv4.tcp_wmem': 32,
}
const SELINUX_TYPES: Readonly<Record<string, number>> = {
  '': 0,
  container_t: 0,
  container_init_t: 0,
  container_kvm_t: 0,
  container_engine_t: 31,
}

const appArmorProfile: Check = ({ metadata, spec }) => {
  const isBad = (type: string | undefined) => type !== undefined && !PROFILES.includes(type)
  const podType = spec.securityContext?.appArmorProfile?.type
  const typeOf = ({ securityContext }: V1Container) => securityContext?.appArmorProfile?.type
  const containers = namesOf(spec, (container) => isBad(typeOf(container)))
  const annotations = Object.entries(metadata.annotations ?? {}).filter(
    ([key, value]) =>
      key.startsWith(APPARMOR_PREFIX) &&
      value !== '' &&
      value !== 'runtime/default' &&
      !value.startsWith('localhost/'),
  )
  const who = [
    setters(isBad(podType), containers) ?? [],
    ...annotations.map(([key]) => `annotation ${JSON.stringify(key)}`).sort(),
  ].flat()
  if (who.length === 0) return undefined
  const values = sorted([
    ...[podType, ...allContainers(spec).map(typeOf)].filter(isBad).map(String),
    ...annotations.map(([, value]) => value),
  ])
  return [
    plural('forbidden AppArmor profile', values.length),
    `${who.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  ]
}

const capabilities: Check = ({ spec }) => {
  const bad = (container: V1Container) =>
    (container.securityContext?.capabilities?.add ?? []).filter((name) => !CAPABILITIES.has(name))
  const containers = namesOf(spec, (container) => bad(container).length > 0)
  if (containers.length === 0) return undefined
  const names = sorted(allContainers(spec).flatMap(bad))
  return [
    'non-default capabilities',
    `${containersText(containers)} must not include ${quoted(names)} in securityContext.capabilities.add`,
  ]
}

const hostNamespaces: Check = ({ spec }) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field])
  return used.length === 0 ? undefined : ['host namespaces', used.map((field) => `${field}=true`).join(', ')]
}

const hostPathVolumes: Check = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name)
  return names.length === 0
    ? undefined
    : ['hostPath volumes', `${plural('volume', names.length)} ${quoted(names)}`]
}

const hostPorts: Check = ({ spec }) => {
  const of = ({ ports = [] }: V1Container) => ports.flatMap(({ hostPort }) => hostPort || [])
  const containers = namesOf(spec, (container) => of(container).length > 0)
  if (containers.length === 0) return undefined
  const ports = sorted(allContainers(spec).flatMap(of).map(String))
  const word = plural('hostPort', ports.length)
  const uses = containers.length === 1 ? 'uses' : 'use'
  return [word, `${containersText(containers)} ${uses} ${word} ${ports.join(', ')}`]
}

/** Probes and hooks that ask another host than the pod make a kubelet a way around network policies. */
const probeHosts: Check = ({ spec }, minor) => {
  if (minor < 34) return undefined
  const of = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: V1Container) =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(
      (handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host].flatMap((host) => host || []),
    )
  const containers = namesOf(spec, (container) => of(container).length > 0)
  if (containers.length === 0) return undefined
  const hosts = sorted(allContainers(spec).flatMap(of))
  const word = plural('probe or lifecycle host', hosts.length)
  const uses = containers.length === 1 ? 'uses' : 'use'
  return ['probe or lifecycle host', `${containersText(containers)} ${uses} ${word} ${quoted(hosts)}`]
}

const privileged: Check = ({ spec }) => {
  const names = namesOf(spec, ({ securityContext }) => securityContext?.privileged === true)
  return names.length === 0
    ? undefined
    : ['privileged', `${containersText(names)} must not set securityContext.privileged=true`]
}

const procMount: Check = ({ spec }) => {
  const isBad = ({ securityContext }: V1Container) =>
    securityContext?.procMount !== undefined && securityContext.procMount !== 'Default'
  const names = namesOf(spec, isBad)
  if (names.length === 0) return undefined
  const values = sorted(
    allContainers(spec)
      .filter(isBad)
      .map(({ securityContext }) => securityContext?.procMount ?? ''),
  )
  return ['procMount', `${containersText(names)} must not set securityContext.procMount to ${quoted(values)}`]
}

const seLinux: Check = ({ spec }, minor) => {
  const isSafe = (type = '') => (SELINUX_TYPES[type] ?? Number.POSITIVE_INFINITY) <= minor
  const isBad = (options: V1SELinuxOptions | undefined) =>
    options !== undefined && (!isSafe(options.type) || Boolean(options.user) || Boolean(options.role))
  const ofPod = spec.securityContext?.seLinuxOptions
  const of = ({ securityContext }: V1Container) => securityContext?.seLinuxOptions
  const who = setters(
    isBad(ofPod),
    namesOf(spec, (container) => isBad(of(container))),
  )
  if (who === undefined) return undefined
  const all = [ofPod, ...allContainers(spec).map(of)].filter(isBad)
  const types = sorted(all.filter((one) => !isSafe(one?.type)).map((one) => one?.type ?? ''))
  const what = [
    ...(types.length > 0 ? [`${plural('type', types.length)} ${quoted(types)}`] : []),
    ...(all.some((one) => one?.user) ? ['user may not be set'] : []),
    ...(all.some((one) => one?.role) ? ['role may not be set'] : []),
  ]
  return ['seLinuxOptions', `${who} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`]
}

/** Part of the baseline only: the restricted level has a stricter rule of its own. */
const seccompProfile: Check = ({ spec }) => {
  const isBad = (type: string | undefined) => type !== undefined && !PROFILES.includes(type)
  const ofPod = spec.securityContext?.seccompProfile?.type
  const of = ({ securityContext }: V1Container) => securityContext?.seccompProfile?.type
  const who = setters(
    isBad(ofPod),
    namesOf(spec, (container) => isBad(of(container))),
  )
  if (who === undefined) return undefined
  const types = sorted([ofPod, ...allContainers(spec).map(of)].filter(isBad).map(String))
  return ['seccompProfile', `${who} must not set securityContext.seccompProfile.type to ${quoted(types)}`]
}

const sysctls: Check = ({ spec }, minor) => {
  const bad = (spec.securityContext?.sysctls ?? [])
    .map(({ name }) => name)
    .filter((name) => (SYSCTLS[name] ?? Number.POSITIVE_INFINITY) > minor)
  return bad.length === 0 ? undefined : ['forbidden sysctls', sorted(bad).join(', ')]
}

const windowsHostProcess: Check = ({ spec }) => {
  const names = namesOf(spec, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true)
  const who = setters(spec.securityContext?.windowsOptions?.hostProcess === true, names)
  return who === undefined
    ? undefined
    : ['hostProcess', `${who} must not set securityContext.windowsOptions.hostProcess=true`]
}

/** In the order they are told. What the restricted level replaces is in `only`. */
export const baseline: { readonly shared: readonly Check[]; readonly only: readonly Check[] } = {
  shared: [
    appArmorProfile,
    hostNamespaces,
    hostPorts,
    probeHosts,
    privileged,
    procMount,
    seLinux,
    sysctls,
    windowsHostProcess,
  ],
  only: [capabilities, hostPathVolumes, seccompProfile],
}
