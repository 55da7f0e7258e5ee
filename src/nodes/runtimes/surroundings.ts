import { type SharedVolume, VolumeData } from './volume-data.ts'

/** One file that a volume shows in a container. */
export interface MountedFile {
  /** Absolute, in the container. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly mode: number
}

/** What a kubelet prepares around a container before it starts it. */
export interface Surroundings {
  /** Fixed when the container starts, as everywhere. */
  readonly env: Readonly<Record<string, string>>
  /** Where services are; what `env` says comes first. Shared by many. */
  readonly serviceEnv: Readonly<Record<string, string>>
  readonly hostname: string
  /** Texts of /etc, by path: its own name, and where others are. */
  systemFiles(): Readonly<Record<string, string>>
  /** What its volumes show now: ConfigMaps and Secrets change while it runs. */
  files(): readonly MountedFile[]
  /** EmptyDirs. */
  readonly volumes: readonly SharedVolume[]
  /** What the pod's containers can have in its first emptyDir, in bytes, if that lies in memory; else 0. */
  readonly memoryVolumeMax: number
  /** Bytes of its memory that somebody has written into volumes. */
  memoryInVolumes(): number
  /** What it writes beside its volumes. */
  root(): VolumeData
  /** To be awaited before something in the container reads: has the files there that are made when they are needed. */
  prepare(): Promise<void>
}

/** Of what a container has in volumes, the part that is memory: what it is declared to write, and what somebody has written. */
export function memoryOfVolumes(surroundings: Surroundings, declared: number): number {
  return Math.min(declared, surroundings.memoryVolumeMax) + surroundings.memoryInVolumes()
}

export const NO_SURROUNDINGS: Surroundings = {
  env: {},
  serviceEnv: {},
  hostname: 'localhost',
  systemFiles: () => ({}),
  files: () => [],
  volumes: [],
  memoryVolumeMax: 0,
  memoryInVolumes: () => 0,
  root: () => new VolumeData(),
  prepare: () => Promise.resolve(),
}
