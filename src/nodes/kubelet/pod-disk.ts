import type { V1Container } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { binaryQuantity, parseQuantity } from '../../api/quantity.ts'
import { limitsOf } from '../../api/resource-requests.ts'
import type { ContainerUse } from '../runtimes/runtime.ts'
import { firstEmptyDir, memorySizeOf, type PodFiles } from './pod-files.ts'

const EPHEMERAL = 'ephemeral-storage'

/** What a pod has on the disk of its node, in bytes. */
export interface PodDisk {
  readonly pod: Pod
  /** Its layer and its log, of each that runs. */
  readonly containers: readonly { readonly name: string; readonly bytes: number }[]
  /** Files of all of them. */
  readonly inodes: number
  /** Its emptyDirs. */
  readonly volumes: readonly { readonly name: string; readonly bytes: number }[]
}

/** From what its containers use; what they declare to write into an emptyDir goes into the first they mount. Pure. */
export function podDisk(
  pod: Pod,
  usage: readonly (Pick<ContainerUse, 'storage' | 'emptyDir' | 'inodes'> & {
    readonly container: V1Container
  })[],
  written: Pick<PodFiles, 'bytesOf' | 'bytesOfRoot' | 'count'>,
): PodDisk {
  const emptyDirs = (pod.spec.volumes ?? []).filter(({ emptyDir }) => emptyDir)
  return {
    pod,
    containers: usage.map(({ container: { name }, storage }) => ({
      name,
      bytes: storage + written.bytesOfRoot(name),
    })),
    inodes: usage.reduce((sum, { inodes }) => sum + inodes, written.count),
    volumes: emptyDirs.map((volume) => {
      const bytes = usage.reduce(
        (sum, { container, emptyDir }) => sum + (firstEmptyDir(pod, container) === volume ? emptyDir : 0),
        written.bytesOf(volume.name),
      )
      // In memory it is full when it is full.
      const most = volume.emptyDir && memorySizeOf(pod, volume.emptyDir)
      return { name: volume.name, bytes: Math.min(bytes, most ?? bytes) }
    }),
  }
}

/** Without what lies in memory. */
export function bytesOnDisk({ pod, containers, volumes }: PodDisk): number {
  const inMemory = new Set(
    (pod.spec.volumes ?? []).filter(({ emptyDir }) => emptyDir?.medium === 'Memory').map(({ name }) => name),
  )
  return (
    containers.reduce((sum, { bytes }) => sum + bytes, 0) +
    volumes.reduce((sum, { name, bytes }) => sum + (inMemory.has(name) ? 0 : bytes), 0)
  )
}

/**
 * Why a pod is evicted for its own disk usage (eviction_manager.go localStorageEviction): an emptyDir, all its containers
 * together, or one of them is over its limit. Undefined: none is. Pure.
 */
export function overDiskLimit(disk: PodDisk): string | undefined {
  const { pod, containers, volumes } = disk
  for (const { name, bytes } of volumes) {
    const limit = pod.spec.volumes?.find((volume) => volume.name === name)?.emptyDir?.sizeLimit
    if (limit !== undefined && parseQuantity(limit) > 0 && bytes > parseQuantity(limit))
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `
  }
  const total = limitsOf(pod.spec)[EPHEMERAL]
  if (total !== undefined && bytesOnDisk(disk) > parseQuantity(total))
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${total}. `
  for (const { name, bytes } of containers) {
    const { resources } = pod.spec.containers.find((container) => container.name === name) ?? {}
    const limit = resources?.limits?.[EPHEMERAL]
    if (limit !== undefined && bytes > parseQuantity(limit))
      return `Container ${name} exceeded its local ephemeral storage limit "${limit}". `
  }
  return undefined
}

/** What is said of containers that have written more than they asked for. */
export function largerThanRequested({ pod, containers }: PodDisk): string {
  return containers
    .map(({ name, bytes }) => {
      const { resources } = pod.spec.containers.find((container) => container.name === name) ?? {}
      const request = resources?.requests?.[EPHEMERAL] ?? '0'
      return bytes > parseQuantity(request)
        ? `Container ${name} was using ${binaryQuantity(bytes)}, request is ${request}, has larger consumption of ${EPHEMERAL}. `
        : ''
    })
    .join('')
}
