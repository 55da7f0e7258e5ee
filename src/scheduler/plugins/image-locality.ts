import type { NodeInfo } from '../node-info.ts'
import { type Plugin, SCORE_MAX } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import type { Snapshot } from '../snapshot.ts'

const MEBIBYTE = 1024 * 1024
/** Less than this is pulled in no time. */
const BYTES_MIN = 23 * MEBIBYTE
const BYTES_MAX_PER_CONTAINER = 1000 * MEBIBYTE

interface State {
  /** Of each container's image, the part of all nodes that have it; those that no node has are left out. */
  readonly images: readonly { readonly name: string; readonly spread: number }[]
  readonly bytesMax: number
}

/**
 * Prefers nodes that have the pod's images: the sum of their sizes, each times the part of all nodes that have it, held
 * between 23Mi and 1000Mi for each container, from 0 to 100.
 */
export const imageLocality: Plugin<unknown, State> = {
  name: 'ImageLocality',
  preScore(pod, _, snapshot) {
    const state = stateOf(pod, snapshot)
    return state.images.length === 0 ? 'skip' : { state }
  },
  score: (_, node, state) => score(node, state),
}

function stateOf({ pod }: PodInfo, snapshot: Snapshot): State {
  const { initContainers = [], containers, volumes = [] } = pod.spec
  const images = [
    ...[...initContainers, ...containers].map(({ image }) => image ?? ''),
    ...volumes.flatMap(({ image }) => (image?.reference ? [image.reference] : [])),
  ]
  return {
    images: images.flatMap((image) => {
      const name = withTag(image)
      const nodes = snapshot.nodesWithImage(name)
      return nodes === 0 ? [] : [{ name, spread: nodes / snapshot.size }]
    }),
    bytesMax: BYTES_MAX_PER_CONTAINER * images.length,
  }
}

function score(node: NodeInfo, { images, bytesMax }: State): number {
  let bytes = 0
  for (const { name, spread } of images) bytes += Math.trunc((node.images.get(name) ?? 0) * spread)
  const held = Math.min(Math.max(bytes, BYTES_MIN), bytesMax)
  return Math.trunc((SCORE_MAX * (held - BYTES_MIN)) / (bytesMax - BYTES_MIN))
}

/** As nodes report it: "redis" is "redis:latest". */
function withTag(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
}
