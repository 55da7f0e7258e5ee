import type { V1Container, V1Volume } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { parseQuantity } from '../../api/quantity.ts'
import { type FileEntry, type SharedVolume, VolumeData } from '../runtimes/volume-data.ts'

/** One file or folder (without content) as it is kept. */
export type KeptEntry = readonly [path: string, mode: number, modifiedAt: number, base64?: string]

/** What the containers of a pod have written, by place. */
export type KeptFiles = Readonly<Record<string, readonly KeptEntry[]>>

/** An emptyDir, or what a container writes beside its volumes. */
type Place = `volume/${string}` | `root/${string}`

/**
 * What the containers of one pod have written. EmptyDirs are shared by them and outlive each of them but not the pod; a
 * root goes with its container. Few pods write, so that one that does not costs next to nothing.
 */
export class PodFiles {
  readonly #uid: string
  readonly #tell: (uid: string) => void
  #data: Map<Place, VolumeData> | undefined

  constructor(uid: string, tell: (uid: string) => void) {
    this.#uid = uid
    this.#tell = tell
  }

  /** As a container has them mounted. */
  mountsOf(pod: Pod, container: V1Container): readonly SharedVolume[] {
    return (container.volumeMounts ?? []).flatMap(({ name, mountPath, subPath, readOnly }) => {
      const { emptyDir: volume, image } = pod.spec.volumes?.find((each) => each.name === name) ?? {}
      const path = mountPath.replace(/\/+$/, '')
      const base = subPath ? `/${subPath}` : ''
      // Nobody knows what is in it.
      if (image) return [{ path, base, isReadOnly: true, open: () => new VolumeData() }]
      if (!volume) return []
      const open = () => this.#open(`volume/${name}`, memorySizeOf(pod, volume))
      return [{ path, base, isReadOnly: readOnly === true, open }]
    })
  }

  root(container: string): VolumeData {
    return this.#open(`root/${container}`)
  }

  /** A container that starts anew finds nothing of the one before. */
  renew(container: string): void {
    if (this.#data?.delete(`root/${container}`)) this.#tell(this.#uid)
  }

  /** Its node was off: what lay in memory is gone, and so are the containers. */
  powerOff({ spec }: Pod): void {
    const inMemory = (spec.volumes ?? []).filter(({ emptyDir }) => emptyDir?.medium === 'Memory')
    for (const { name } of inMemory) this.#data?.delete(`volume/${name}`)
    for (const place of [...(this.#data?.keys() ?? [])])
      if (place.startsWith('root/')) this.#data?.delete(place)
    if (this.#data) this.#tell(this.#uid)
  }

  /** Somebody has written something. */
  get areUsed(): boolean {
    return this.#data !== undefined && this.#all().some(([, { isUsed }]) => isUsed)
  }

  /** What has been written into an emptyDir, in bytes. */
  bytesOf(volume: string): number {
    return this.#data?.get(`volume/${volume}`)?.bytes ?? 0
  }

  /** What lies in memory is its who mounts it first, in bytes. */
  memoryOf(pod: Pod, { name }: V1Container): number {
    if (!this.#data) return 0
    return (pod.spec.volumes ?? []).reduce((sum, volume) => {
      const isIts = volume.emptyDir?.medium === 'Memory' && writerOf(pod, volume.name)?.name === name
      return isIts ? sum + this.bytesOf(volume.name) : sum
    }, 0)
  }

  /** Beside volumes. */
  bytesOfRoot(container: string): number {
    return this.#data?.get(`root/${container}`)?.bytes ?? 0
  }

  /** Files and folders, over all. */
  get count(): number {
    return this.#all().reduce((sum, [, { count }]) => sum + count, 0)
  }

  keep(): KeptFiles {
    const used = this.#all().filter(([, { isUsed }]) => isUsed)
    return Object.fromEntries(used.map(([place, data]) => [place, [...data.entries()].map(keptOf)]))
  }

  /** Those that were kept; it must be empty. */
  restore(kept: KeptFiles): void {
    for (const [place, entries] of Object.entries(kept)) {
      if (!isPlace(place)) continue
      const data = this.#open(place)
      for (const entry of entries) data.put(entry[0], fileOf(entry))
    }
  }

  #all(): [Place, VolumeData][] {
    return [...(this.#data ?? [])]
  }

  /** Made when somebody looks. */
  #open(place: Place, bytesMax?: number): VolumeData {
    this.#data ??= new Map()
    const data = this.#data.get(place) ?? new VolumeData(() => this.#tell(this.#uid))
    if (bytesMax !== undefined) data.limit(bytesMax)
    this.#data.set(place, data)
    return data
  }
}

/**
 * How much an emptyDir in memory can hold, in bytes: the smaller one of its sizeLimit and the memory that all containers
 * of the pod may use together (volume/emptydir calculateEmptyDirMemorySize). Undefined on a disk, where eviction sees to
 * it. Pure.
 */
export function memorySizeOf({ spec }: Pod, volume: NonNullable<V1Volume['emptyDir']>): number | undefined {
  if (volume.medium !== 'Memory') return undefined
  const limits = spec.resources?.limits?.['memory']
    ? [spec.resources.limits['memory']]
    : spec.containers.map(({ resources }) => resources?.limits?.['memory'])
  const memory = limits.reduce<number>(
    (sum, limit) => sum + (limit === undefined ? Number.POSITIVE_INFINITY : parseQuantity(limit)),
    0,
  )
  const asked = parseQuantity(volume.sizeLimit ?? '0') || Number.POSITIVE_INFINITY
  const size = Math.min(memory, asked)
  return size === Number.POSITIVE_INFINITY ? undefined : size
}

/** Of the first emptyDir that a container mounts to write, if it lies in memory: how much it can hold; else 0. Pure. */
export function memoryVolumeMax(pod: Pod, container: V1Container): number {
  const volume = firstEmptyDir(pod, container)?.emptyDir
  return volume?.medium === 'Memory' ? (memorySizeOf(pod, volume) ?? Number.MAX_SAFE_INTEGER) : 0
}

/** Where a container writes what it is declared to write into an emptyDir. */
export function firstEmptyDir({ spec }: Pod, { volumeMounts = [] }: V1Container): V1Volume | undefined {
  for (const { name, readOnly } of volumeMounts) {
    const volume = spec.volumes?.find((each) => each.name === name)
    if (volume?.emptyDir && !readOnly) return volume
  }
  return undefined
}

function writerOf({ spec }: Pod, volume: string): V1Container | undefined {
  return spec.containers.find(({ volumeMounts }) =>
    volumeMounts?.some(({ name, readOnly }) => name === volume && !readOnly),
  )
}

function isPlace(text: string): text is Place {
  return text.startsWith('volume/') || text.startsWith('root/')
}

function keptOf([path, { isDirectory, bytes, mode, modifiedAt }]: [string, FileEntry]): KeptEntry {
  return isDirectory
    ? [path, mode, modifiedAt]
    : [path, mode, modifiedAt, Buffer.from(bytes).toString('base64')]
}

function fileOf([, mode, modifiedAt, base64]: KeptEntry): FileEntry {
  const bytes = Buffer.from(base64 ?? '', 'base64')
  return { isDirectory: base64 === undefined, bytes, mode, modifiedAt, isReadOnly: false }
}
