import type { KubeletConfiguration } from '../../api/kubelet-configuration.ts'
import { podPriority, podRequests } from '../../api/pods.ts'
import { binaryQuantity, parseQuantity } from '../../api/quantity.ts'
import { isCriticalPod } from '../../api/static-pods.ts'
import type { ImageOnDisk } from '../runtimes/image-cache.ts'
import { bytesOnDisk, largerThanRequested, type PodDisk } from './pod-disk.ts'

/** An image stays this long at least. */
const IMAGE_MIN_AGE_MS = 2 * 60_000
const IMAGE_GC_HIGH = 85
const IMAGE_GC_LOW = 80

/** What of the disk can run out: its bytes, or the number of its files. */
export type DiskResource = 'bytes' | 'inodes'

export interface DiskView {
  /** In bytes. */
  readonly capacity: number
  readonly images: readonly ImageOnDisk[]
  readonly pods: readonly PodDisk[]
  /** Something that is no pod's has taken all that was left of it. */
  readonly filled: DiskResource | undefined
  readonly now: number
}

export interface DiskVerdict {
  readonly isFull: boolean
  /** Images that go first. */
  readonly remove: readonly string[]
  readonly victim?: { readonly pod: PodDisk['pod']; readonly message: string }
}

/** How one thing that can run out is measured (--eviction-hard imagefs.available<15%,imagefs.inodesFree<5%). */
interface Signal {
  readonly resource: DiskResource
  /** As messages call it. */
  readonly name: string
  /** Less than this part of it left and a kubelet evicts. */
  readonly threshold: number
  capacity(bytes: number): number
  ofImage(image: ImageOnDisk): number
  ofPod(disk: PodDisk): number
  requested(disk: PodDisk): number
  text(amount: number): string
  readonly says: (disk: PodDisk) => string
}

/** A file system has one inode for this many bytes, and an image a file for so many. */
const BYTES_PER_INODE = 16_384
const BYTES_PER_FILE = 65_536

const SIGNALS: readonly Signal[] = [
  {
    resource: 'bytes',
    name: 'ephemeral-storage',
    threshold: 0.15,
    capacity: (bytes) => bytes,
    ofImage: ({ sizeBytes }) => sizeBytes,
    ofPod: bytesOnDisk,
    requested: ({ pod }) => parseQuantity(podRequests(pod)['ephemeral-storage'] ?? '0'),
    text: binaryQuantity,
    says: largerThanRequested,
  },
  {
    resource: 'inodes',
    name: 'inodes',
    threshold: 0.05,
    capacity: (bytes) => Math.floor(bytes / BYTES_PER_INODE),
    ofImage: ({ sizeBytes }) => Math.ceil(sizeBytes / BYTES_PER_FILE),
    ofPod: ({ inodes }) => inodes,
    requested: () => 0,
    text: String,
    says: () => '',
  },
]

/**
 * Whether a node is short of disk, in bytes or in files, and what goes for it (eviction_manager.go): images that nothing
 * uses, and if that is not enough one pod: one that has more than it asked for, then the least important, then the one
 * furthest above its request. Images and containers share one disk. Pure.
 */
export function judgeDisk(view: DiskView): DiskVerdict {
  const verdicts = SIGNALS.map((signal) => judge(signal, view))
  const victim = verdicts.find((verdict) => verdict.victim)?.victim
  return {
    isFull: verdicts.some(({ isFull }) => isFull),
    remove: [...new Set(verdicts.flatMap(({ remove }) => remove))],
    ...(victim ? { victim } : {}),
  }
}

function judge(signal: Signal, view: DiskView): DiskVerdict {
  const { images, pods, now } = view
  const isFilled = view.filled === signal.resource
  const capacity = signal.capacity(view.capacity)
  const threshold = Math.floor(capacity * signal.threshold)
  const used = sum(images, signal.ofImage) + sum(pods, signal.ofPod)
  const available = isFilled ? 0 : Math.max(0, capacity - used)
  // A node that does not say what it has is never short of it by itself.
  if (!isFilled && (capacity === 0 || available >= threshold)) return { isFull: false, remove: [] }
  const unused = images.filter((image) => isUnused(image, now))
  const remove = unused.map(({ name }) => name)
  if (!isFilled && available + sum(unused, signal.ofImage) >= threshold) return { isFull: true, remove }
  const [first] = pods
    .filter(({ pod }) => !isCriticalPod(pod) && pod.metadata.deletionTimestamp === undefined)
    .map((disk) => ({ disk, over: signal.ofPod(disk) - signal.requested(disk) }))
    .toSorted(
      (a, b) =>
        Number(b.over > 0) - Number(a.over > 0) ||
        podPriority(a.disk.pod) - podPriority(b.disk.pod) ||
        b.over - a.over ||
        (a.disk.pod.metadata.name < b.disk.pod.metadata.name ? -1 : 1),
    )
  if (!first) return { isFull: true, remove }
  const message = `The node was low on resource: ${signal.name}. Threshold quantity: ${signal.text(threshold)}, available: ${signal.text(available)}. ${signal.says(first.disk)}`
  return { isFull: true, remove, victim: { pod: first.disk.pod, message } }
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0)
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
  const used = sum(images, ({ sizeBytes }) => sizeBytes) + sum(view.pods, bytesOnDisk)
  const available = Math.max(0, capacity - used)
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

function isUnused({ usedAt, pulledAt }: ImageOnDisk, now: number): boolean {
  return usedAt !== Number.POSITIVE_INFINITY && now - pulledAt >= IMAGE_MIN_AGE_MS
}
