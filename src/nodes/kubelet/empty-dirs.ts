import type { V1Container } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { type SharedVolume, VolumeData } from '../runtimes/volume-data.ts'

/** The emptyDir volumes of one pod: its containers share them, and they outlive each of them but not the pod. */
export class EmptyDirs {
  readonly #data = new Map<string, VolumeData>()

  /** As a container has them mounted. */
  mountsOf({ spec }: Pod, { volumeMounts = [] }: V1Container): readonly SharedVolume[] {
    return volumeMounts
      .filter(({ name }) => spec.volumes?.some((volume) => volume.name === name && volume.emptyDir))
      .map(({ name, mountPath, subPath, readOnly }) => ({
        path: mountPath.replace(/\/+$/, ''),
        base: subPath ? `/${subPath}` : '',
        isReadOnly: readOnly === true,
        open: () => this.#open(name),
      }))
  }

  get areUsed(): boolean {
    return this.#data.size > 0
  }

  /** What has been written into one, in bytes. */
  bytesOf(name: string): number {
    return this.#data.get(name)?.bytes ?? 0
  }

  /** Made when somebody looks: few do. */
  #open(name: string): VolumeData {
    const data = this.#data.get(name) ?? new VolumeData()
    this.#data.set(name, data)
    return data
  }
}
