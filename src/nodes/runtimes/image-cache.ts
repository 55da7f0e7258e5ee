import type { V1Container } from '../../api/generated/types.ts'
import type { Pod } from '../../api/pods.ts'

/** The images that a container mounts as volumes. */
export function imageVolumesOf({ spec }: Pod, { volumeMounts = [] }: V1Container): readonly string[] {
  return volumeMounts.flatMap(({ name }) => {
    const { reference } = spec.volumes?.find((volume) => volume.name === name)?.image ?? {}
    return reference ? [reference] : []
  })
}

/** An image on a node's disk. */
export interface ImageOnDisk {
  readonly name: string
  readonly sizeBytes: number
  /** Epoch ms. */
  readonly pulledAt: number
  /** When a container of it last was there; Infinity: there is one. */
  readonly usedAt: number
}

interface Kept {
  readonly sizeBytes: number
  readonly pulledAt: number
  usedAt: number
  containers: number
}

/** Which images lie on which node, and since when nothing uses them. */
export class ImageCache {
  readonly #nodes = new Map<string, Map<string, Kept>>()

  has(node: string, image: string): boolean {
    return this.#nodes.get(node)?.has(image) ?? false
  }

  put(node: string, image: string, sizeBytes: number, now: number): void {
    const images = this.#nodes.get(node) ?? new Map<string, Kept>()
    this.#nodes.set(node, images)
    const { containers = 0, pulledAt = now, usedAt = now } = images.get(image) ?? {}
    images.set(image, { sizeBytes, pulledAt, usedAt, containers })
  }

  /** One container more, or (-1) less. */
  use(node: string, image: string, by: 1 | -1, now: number): void {
    const kept = this.#nodes.get(node)?.get(image)
    if (!kept) return
    kept.containers += by
    kept.usedAt = now
  }

  /** Not while a container uses it. */
  remove(node: string, image: string): void {
    if (this.#nodes.get(node)?.get(image)?.containers === 0) this.#nodes.get(node)?.delete(image)
  }

  of(node: string): readonly ImageOnDisk[] {
    return [...(this.#nodes.get(node) ?? [])].map(([name, { sizeBytes, pulledAt, usedAt, containers }]) => ({
      name,
      sizeBytes,
      pulledAt,
      usedAt: containers > 0 ? Number.POSITIVE_INFINITY : usedAt,
    }))
  }
}
