import type { KubeletConfiguration } from '../../api/kubelet-configuration.ts'
import { podPriority, podRequests } from '../../api/pods.ts'
import { binaryQuantity, parseQuantity } from '../../api/quantity.ts'
import { isCriticalPod } from '../../api/static-pods.ts'
import type { ImageOnDisk } from '../runtimes/image-cache.ts'
import { bytesOnDisk, largerThanRequested, type PodDisk } from './pod-disk.ts'

/** Less than this part of the disk left and a kubelet evicts (--eviction-hard imagefs.available<15%). */
const THRESHOLD = 0.15
/** An image stays this long at least. */
const IMAGE_MIN_AGE_MS = 2 * 60_000
const IMAGE_GC_HIGH = 85
const IMAGE_GC_LOW = 80

export interface DiskView {
  readonly capacity: number
  readonly images: readonly ImageOnDisk[]
  readonly pods: readonly PodDisk[]
  /** Something that is no pod's has taken all that was left. */
  readonly isFilled: boolean
  readonly now: number
}

export interface DiskVerdict {
  readonly isFull: boolean
  /** Images that go first. */
  readonly remove: readonly string[]
  readonly victim?: { readonly pod: PodDisk['pod']; readonly message: string }
}

/**
 * Whether a node is short of disk, and what goes for it (eviction_manager.go): images that nothing uses, and if that is
 * not enough one pod: one that has written more than it asked for, then the least important, then the one furthest above
 * its request. Images and containers share one disk. Pure.
 */
export function judgeDisk(view: DiskView): DiskVerdict {
  const { capacity, images, pods, isFilled, now } = view
  const threshold = Math.floor(capacity * THRESHOLD)
  const available = isFilled ? 0 : availableOf(view)
  // A node that does not say what it has is never short of it by itself.
  if (!isFilled && (capacity === 0 || available >= threshold)) return { isFull: false, remove: [] }
  const unused = images.filter((image) => isUnused(image, now))
  const freed = unused.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const remove = unused.map(({ name }) => name)
  if (!isFilled && available + freed >= threshold) return { isFull: true, remove }
  const [first] = pods
    .filter(({ pod }) => !isCriticalPod(pod) && pod.metadata.deletionTimestamp === undefined)
    .map((disk) => ({ disk, over: bytesOnDisk(disk) - requestOf(disk) }))
    .toSorted(
      (a, b) =>
        Number(b.over > 0) - Number(a.over > 0) ||
        podPriority(a.disk.pod) - podPriority(b.disk.pod) ||
        b.over - a.over ||
        (a.disk.pod.metadata.name < b.disk.pod.metadata.name ? -1 : 1),
    )
  if (!first) return { isFull: true, remove }
  const message = `The node was low on resource: ephemeral-storage. Threshold quantity: ${binaryQuantity(threshold)}, available: ${binaryQuantity(available)}. ${largerThanRequested(first.disk)}`
  return { isFull: true, remove, victim: { pod: first.disk.pod, message } }
}

export interface ImageCollection {
  readonly remove: readonly string[]
  /** Why that is not enough, as the node's event says it. */
  readonly failure?: string
}

/**
 * What the garbage collection of images removes: above the high threshold, those unused for longest until disk usage is
 * at the low one (images/image_gc_manager.go). Pure.
 */
export function collectImages(view: DiskView, settings: KubeletConfiguration): ImageCollection {
  const { capacity, images, now } = view
  const {
    imageGCHighThresholdPercent: high = IMAGE_GC_HIGH,
    imageGCLowThresholdPercent: low = IMAGE_GC_LOW,
  } = settings
  const available = availableOf(view)
  if (capacity === 0 || high === 100 || 100 - Math.floor((available * 100) / capacity) < high)
    return { remove: [] }
  const wanted = Math.floor((capacity * (100 - low)) / 100) - available
  const remove: string[] = []
  let freed = 0
  for (const image of images.toSorted((a, b) => a.usedAt - b.usedAt || a.pulledAt - b.pulledAt)) {
    if (freed >= wanted) break
    if (!isUnused(image, now)) continue
    remove.push(image.name)
    freed += image.sizeBytes
  }
  if (freed >= wanted) return { remove }
  const failure = `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`
  return { remove, failure }
}

function availableOf({ capacity, images, pods }: DiskView): number {
  const used =
    images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) +
    pods.reduce((sum, disk) => sum + bytesOnDisk(disk), 0)
  return Math.max(0, capacity - used)
}

function isUnused({ usedAt, pulledAt }: ImageOnDisk, now: number): boolean {
  return usedAt !== Number.POSITIVE_INFINITY && now - pulledAt >= IMAGE_MIN_AGE_MS
}

function requestOf({ pod }: PodDisk): number {
  return parseQuantity(podRequests(pod)['ephemeral-storage'] ?? '0')
}
