import { descends, named, noBacksteps, oneOf } from './field-rules.ts'
import type { V1Container, V1KeyToPath, V1Volume } from './generated/types.ts'
import { dns1123Label } from './names.ts'
import { compareQuantities } from './quantity.ts'
import { fault, type StatusCause } from './status.ts'

/** Volumes of a pod and what its containers mount of them (core/validation.go ValidateVolumes, ValidateVolumeMounts). */
const MODE_MAX = 0o777
const PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

export function validateVolumes(volumes: readonly V1Volume[], path: string): StatusCause[] {
  const names = new Set<string>()
  return volumes.flatMap((volume, i) => {
    const at = `${path}[${i}]`
    const wrong = named(volume.name, dns1123Label, `${at}.name`)
    if (volume.name && names.has(volume.name)) wrong.push(fault.duplicate(`${at}.name`, volume.name))
    names.add(volume.name)
    return [...wrong, ...validateSource(volume, at)]
  })
}

function validateSource(volume: V1Volume, path: string): StatusCause[] {
  const types = Object.entries(volume)
    .filter(([key, value]) => key !== 'name' && value !== undefined)
    .map(([key]) => key)
  if (types.length === 0) return [fault.required(path, 'must specify a volume type')]
  return [
    ...types
      .slice(1)
      .map((type) => fault.forbidden(`${path}.${type}`, 'may not specify more than 1 volume type')),
    ...validateFiles(volume, path),
    ...validateDisk(volume, path),
  ]
}

/** Sources that are files of the API. */
function validateFiles({ secret, configMap, downwardAPI, projected }: V1Volume, path: string): StatusCause[] {
  const wrong: StatusCause[] = []
  if (secret) {
    wrong.push(...named(secret.secretName, () => undefined, `${path}.secret.secretName`))
    wrong.push(...modeFaults(secret.defaultMode, `${path}.secret.defaultMode`))
    wrong.push(...itemFaults(secret.items, `${path}.secret.items`))
  }
  if (configMap) {
    wrong.push(...named(configMap.name, () => undefined, `${path}.configMap.name`))
    wrong.push(...modeFaults(configMap.defaultMode, `${path}.configMap.defaultMode`))
    wrong.push(...itemFaults(configMap.items, `${path}.configMap.items`))
  }
  if (downwardAPI) wrong.push(...modeFaults(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`))
  if (projected) {
    wrong.push(...modeFaults(projected.defaultMode, `${path}.projected.defaultMode`))
    for (const [i, { serviceAccountToken: token }] of (projected.sources ?? []).entries()) {
      if (!token) continue
      const at = `${path}.projected.sources[${i}].serviceAccountToken`
      if (!token.path) wrong.push(fault.required(`${at}.path`))
      wrong.push(...descends(token.path, `${at}.path`))
      if ((token.expirationSeconds ?? 600) < 600)
        wrong.push(
          fault.invalid(
            `${at}.expirationSeconds`,
            token.expirationSeconds,
            'may not specify a duration less than 10 minutes',
          ),
        )
    }
  }
  return wrong
}

/** Sources that are disks. */
export function validateDisk(volume: Omit<V1Volume, 'name'>, path: string): StatusCause[] {
  const { emptyDir, hostPath, persistentVolumeClaim: claim, nfs, csi, ephemeral } = volume
  const wrong: StatusCause[] = []
  if (volume.gitRepo) wrong.push(fault.forbidden(`${path}.gitRepo`, 'gitRepo volumes are not supported'))
  if (emptyDir?.sizeLimit !== undefined && compareQuantities(emptyDir.sizeLimit, '0') < 0)
    wrong.push(
      fault.forbidden(`${path}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'),
    )
  if (hostPath) {
    if (!hostPath.path) wrong.push(fault.required(`${path}.hostPath.path`))
    else wrong.push(...noBacksteps(hostPath.path, `${path}.hostPath.path`))
    wrong.push(...oneOf(hostPath.type, PATH_TYPES, `${path}.hostPath.type`))
  }
  if (claim && !claim.claimName) wrong.push(fault.required(`${path}.persistentVolumeClaim.claimName`))
  if (nfs && !nfs.server) wrong.push(fault.required(`${path}.nfs.server`))
  if (nfs && !nfs.path) wrong.push(fault.required(`${path}.nfs.path`))
  if (nfs?.path && !nfs.path.startsWith('/'))
    wrong.push(fault.invalid(`${path}.nfs.path`, nfs.path, 'must be an absolute path'))
  if (csi && !csi.driver) wrong.push(fault.required(`${path}.csi.driver`))
  if (ephemeral && !ephemeral.volumeClaimTemplate)
    wrong.push(fault.required(`${path}.ephemeral.volumeClaimTemplate`))
  return wrong
}

function modeFaults(mode: number | undefined, path: string): StatusCause[] {
  return mode === undefined || (mode >= 0 && mode <= MODE_MAX)
    ? []
    : [fault.invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
}

function itemFaults(items: readonly V1KeyToPath[] | undefined, path: string): StatusCause[] {
  return (items ?? []).flatMap(({ key, path: file, mode }, i) => [
    ...named(key, () => undefined, `${path}[${i}].key`),
    ...(file ? descends(file, `${path}[${i}].path`) : [fault.required(`${path}[${i}].path`)]),
    ...modeFaults(mode, `${path}[${i}].mode`),
  ])
}

export function validateMounts(
  { volumeMounts = [], volumeDevices = [] }: V1Container,
  path: string,
  volumes: ReadonlyMap<string, V1Volume>,
): StatusCause[] {
  const wrong: StatusCause[] = []
  const seen = new Set<string>()
  for (const [i, mount] of volumeMounts.entries()) {
    const at = `${path}.volumeMounts[${i}]`
    if (!mount.name) wrong.push(fault.required(`${at}.name`))
    if (!volumes.has(mount.name)) wrong.push(fault.notFound(`${at}.name`, mount.name))
    if (!mount.mountPath) wrong.push(fault.required(`${at}.mountPath`))
    if (seen.has(mount.mountPath))
      wrong.push(fault.invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'))
    seen.add(mount.mountPath)
    if (volumeDevices.some(({ name }) => name === mount.name))
      wrong.push(fault.invalid(`${at}.name`, mount.name, 'must not already exist in volumeDevices'))
    wrong.push(...descends(mount.subPath, `${path}.volumeMounts.subPath`))
    wrong.push(...descends(mount.subPathExpr, `${path}.volumeMounts.subPathExpr`))
    if (mount.subPath && mount.subPathExpr)
      wrong.push(
        fault.invalid(
          `${at}.subPathExpr`,
          mount.subPathExpr,
          'subPathExpr and subPath are mutually exclusive',
        ),
      )
    wrong.push(
      ...oneOf(
        mount.mountPropagation,
        ['Bidirectional', 'HostToContainer', 'None'],
        `${path}.volumeMounts.mountPropagation`,
      ),
    )
  }
  for (const [i, { name, devicePath }] of volumeDevices.entries()) {
    const at = `${path}.volumeDevices[${i}]`
    const volume = volumes.get(name)
    if (!name) wrong.push(fault.required(`${at}.name`))
    if (!volume) wrong.push(fault.notFound(`${at}.name`, name))
    else if (!volume.persistentVolumeClaim && !volume.ephemeral)
      wrong.push(
        fault.invalid(
          `${at}.name`,
          name,
          'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
        ),
      )
    if (!devicePath) wrong.push(fault.required(`${at}.devicePath`))
  }
  return wrong
}
