import type { V1Container, V1KeyToPath, V1VolumeProjection } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import type { MountedFile, Surroundings } from '../runtimes/surroundings.ts'
import type { SharedVolume, VolumeData } from '../runtimes/volume-data.ts'
import { environmentOf, fieldOf, type PodPlace, resourceOf, withSubPaths } from './environment.ts'
import { memoryVolumeMax, type PodFiles } from './pod-files.ts'
import type { PodSources } from './sources.ts'
import { hostnameOf, systemFilesOf } from './system-files.ts'

interface VolumeFile {
  /** In the volume. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly mode: number
}

const MODE = 0o644

/**
 * All that is prepared around a container; the environment is fixed now, the files are read when they are asked for. There
 * is one for each container of the cluster, so that it holds no more than it must.
 */
export class ContainerSurroundings implements Surroundings {
  readonly env: Surroundings['env']
  readonly serviceEnv: Surroundings['serviceEnv']
  readonly #of: { readonly pod: Pod }
  readonly #container: V1Container
  readonly #place: PodPlace
  readonly #sources: PodSources
  readonly #files: PodFiles
  /** Parts of volumes. */
  readonly #fixed: readonly MountedFile[] | undefined

  /** `of` has the pod as it is now. */
  constructor(
    of: { readonly pod: Pod },
    container: V1Container,
    place: PodPlace,
    sources: PodSources,
    files: PodFiles,
  ) {
    this.#of = of
    this.#place = place
    this.#sources = sources
    this.#files = files
    this.env = environmentOf(of.pod, container, place, sources)
    this.serviceEnv = sources.services()
    this.#container = withSubPaths(container, (name) => this.env[name] ?? this.serviceEnv[name])
    const parts = withMounts(this.#container, (isPart) => isPart)
    this.#fixed = parts.volumeMounts?.length ? mountedFiles(of.pod, parts, place, sources) : undefined
  }

  get hostname(): string {
    return hostnameOf(this.#of.pod)
  }

  get volumes(): readonly SharedVolume[] {
    return this.#files.mountsOf(this.#of.pod, this.#container)
  }

  get memoryVolumeMax(): number {
    return memoryVolumeMax(this.#of.pod, this.#container)
  }

  memoryInVolumes(): number {
    return this.#files.memoryOf(this.#of.pod, this.#container)
  }

  systemFiles(): Readonly<Record<string, string>> {
    return systemFilesOf(this.#of.pod, this.#place.podIP)
  }

  files(): readonly MountedFile[] {
    const following = withMounts(this.#container, (isPart) => !isPart)
    return [...mountedFiles(this.#of.pod, following, this.#place, this.#sources), ...(this.#fixed ?? [])]
  }

  root(): VolumeData {
    return this.#files.root(this.#container.name)
  }

  prepare(): Promise<void> {
    return this.#sources.prepare()
  }
}

/** A part of a volume (subPath) is mounted as it was when the container started; the whole of it follows what changes. */
function withMounts(container: V1Container, fits: (isPart: boolean) => boolean): V1Container {
  const { volumeMounts = [] } = container
  const kept = volumeMounts.filter(({ subPath }) => fits(Boolean(subPath)))
  return kept.length === volumeMounts.length ? container : { ...container, volumeMounts: kept }
}

/**
 * The files that ConfigMap, Secret, downward API, token and projected volumes show in a container, as they are now. What is
 * optional and missing shows nothing. Pure.
 */
export function mountedFiles(
  pod: Pod,
  container: V1Container,
  place: PodPlace,
  sources: PodSources,
): readonly MountedFile[] {
  return (container.volumeMounts ?? []).flatMap(({ name, mountPath, subPath }) => {
    const files = volumeFiles(pod, name, place, sources)
    const root = mountPath.replace(/\/$/, '')
    if (!subPath) return files.map((file) => ({ ...file, path: `${root}/${file.path}` }))
    return files.flatMap((file) => {
      if (file.path === subPath) return [{ ...file, path: root }]
      return file.path.startsWith(`${subPath}/`)
        ? [{ ...file, path: `${root}/${file.path.slice(subPath.length + 1)}` }]
        : []
    })
  })
}

function volumeFiles(pod: Pod, name: string, place: PodPlace, sources: PodSources): readonly VolumeFile[] {
  const volume = pod.spec.volumes?.find((each) => each.name === name)
  const { configMap, secret, downwardAPI, projected } = volume ?? {}
  if (configMap?.name)
    return pick(sources.data('ConfigMap', configMap.name), configMap.items, configMap.defaultMode)
  if (secret?.secretName)
    return pick(sources.data('Secret', secret.secretName), secret.items, secret.defaultMode)
  if (downwardAPI) return project(pod, { downwardAPI }, downwardAPI.defaultMode, place, sources)
  return (projected?.sources ?? []).flatMap((source) =>
    project(pod, source, projected?.defaultMode, place, sources),
  )
}

function project(
  pod: Pod,
  source: V1VolumeProjection,
  defaultMode: number | undefined,
  place: PodPlace,
  { data, token }: PodSources,
): readonly VolumeFile[] {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source
  if (configMap?.name) return pick(data('ConfigMap', configMap.name), configMap.items, defaultMode)
  if (secret?.name) return pick(data('Secret', secret.name), secret.items, defaultMode)
  if (serviceAccountToken) {
    const text = token(serviceAccountToken)
    const { path } = serviceAccountToken
    return text === undefined ? [] : [{ path, bytes: Buffer.from(text), mode: defaultMode ?? MODE }]
  }
  return (downwardAPI?.items ?? []).map(({ path, fieldRef, resourceFieldRef, mode }) => ({
    path,
    bytes: Buffer.from(
      fieldRef
        ? (fieldOf(pod, fieldRef, place) ?? '')
        : resourceFieldRef
          ? resourceOf(pod, resourceFieldRef, place)
          : '',
    ),
    mode: mode ?? defaultMode ?? MODE,
  }))
}

function pick(
  data: Readonly<Record<string, Uint8Array>> | undefined,
  items: readonly V1KeyToPath[] | undefined,
  defaultMode = MODE,
): readonly VolumeFile[] {
  if (!data) return []
  if (!items?.length) return Object.entries(data).map(([path, bytes]) => ({ path, bytes, mode: defaultMode }))
  return items.flatMap(({ key, path, mode }) => {
    const bytes = data[key]
    return bytes ? [{ path, bytes, mode: mode ?? defaultMode }] : []
  })
}
