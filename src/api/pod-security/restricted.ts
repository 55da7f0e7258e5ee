import type { V1Container, V1Volume } from '../generated/types.ts'
import {
  allContainers,
  type Check,
  containersText,
  isWindows,
  namesOf,
  plural,
  quoted,
  setters,
  sorted,
} from './shape.ts'

const VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
])
const PROFILES = ['RuntimeDefault', 'Localhost']
const WINDOWS_SINCE = 25

const privilegeEscalation: Check = ({ spec }, minor) => {
  if (isWindows(spec) && minor >= WINDOWS_SINCE) return undefined
  const names = namesOf(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
  return names.length === 0
    ? undefined
    : [
        'allowPrivilegeEscalation != false',
        `${containersText(names)} must set securityContext.allowPrivilegeEscalation=false`,
      ]
}

const capabilities: Check = ({ spec }, minor) => {
  if (isWindows(spec) && minor >= WINDOWS_SINCE) return undefined
  const added = ({ securityContext }: V1Container) =>
    (securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE')
  const keeping = namesOf(
    spec,
    ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'),
  )
  const adding = namesOf(spec, (container) => added(container).length > 0)
  const what = [
    ...(keeping.length > 0
      ? [`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [
          `${containersText(adding)} must not include ${quoted(sorted(allContainers(spec).flatMap(added)))} in securityContext.capabilities.add`,
        ]
      : []),
  ]
  return what.length === 0 ? undefined : ['unrestricted capabilities', what.join('; ')]
}

const volumes: Check = ({ spec }) => {
  const typeOf = (volume: V1Volume) =>
    Object.entries(volume).find(([key, value]) => key !== 'name' && value !== undefined)?.[0] ?? 'unknown'
  const bad = (spec.volumes ?? []).filter((volume) => !VOLUMES.has(typeOf(volume)))
  if (bad.length === 0) return undefined
  const types = sorted(bad.map(typeOf))
  return [
    'restricted volume types',
    `${plural('volume', bad.length)} ${quoted(bad.map(({ name }) => name))} ${bad.length === 1 ? 'uses' : 'use'} ${plural('restricted volume type', types.length)} ${quoted(types)}`,
  ]
}

const runAsNonRoot: Check = ({ spec }) => {
  const byPod = spec.securityContext?.runAsNonRoot
  const of = ({ securityContext }: V1Container) => securityContext?.runAsNonRoot
  const reason = 'runAsNonRoot != true'
  const silent = namesOf(spec, (container) => of(container) === undefined)
  const who = setters(
    byPod === false,
    namesOf(spec, (container) => of(container) === false),
  )
  if (who !== undefined) return [reason, `${who} must not set securityContext.runAsNonRoot=false`]
  return byPod === true || silent.length === 0
    ? undefined
    : [reason, `pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true`]
}

const runAsUser: Check = ({ spec }, minor) => {
  if (minor < 23) return undefined
  const names = namesOf(spec, ({ securityContext }) => securityContext?.runAsUser === 0)
  const who = setters(spec.securityContext?.runAsUser === 0, names)
  return who === undefined ? undefined : ['runAsUser=0', `${who} must not set runAsUser=0`]
}

const seccompProfile: Check = ({ spec }, minor) => {
  if (isWindows(spec) && minor >= WINDOWS_SINCE) return undefined
  const isBad = (type: string | undefined) => type !== undefined && !PROFILES.includes(type)
  const ofPod = spec.securityContext?.seccompProfile?.type
  const of = ({ securityContext }: V1Container) => securityContext?.seccompProfile?.type
  const explicit = namesOf(spec, (container) => isBad(of(container)))
  const who = setters(isBad(ofPod), explicit)
  if (who !== undefined) {
    const types = sorted([ofPod, ...allContainers(spec).map(of)].filter(isBad).map(String))
    return ['seccompProfile', `${who} must not set securityContext.seccompProfile.type to ${quoted(types)}`]
  }
  const silent = namesOf(spec, (container) => of(container) === undefined)
  return ofPod !== undefined || silent.length === 0
    ? undefined
    : [
        'seccompProfile',
        `pod or ${containersText(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      ]
}

/** In the order they are told, after those of the baseline. */
export const restricted: readonly Check[] = [
  privilegeEscalation,
  capabilities,
  volumes,
  runAsNonRoot,
  runAsUser,
  seccompProfile,
]
