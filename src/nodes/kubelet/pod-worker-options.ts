import type { Pod } from '../../api/kinds/pod.ts'
import type { KubeletConfiguration } from '../../api/kubelet-configuration.ts'
import type { ResourceList } from '../../api/resource-requests.ts'
import type { Env } from '../../base/env.ts'
import type { EventRecorder } from '../../client/events.ts'
import type { Runtime } from '../runtimes/runtime.ts'
import type { PodFiles } from './pod-files.ts'
import type { ResizeWait } from './record.ts'
import type { PodSources } from './sources.ts'
import type { PodReports } from './write-pod.ts'

/** What a kubelet gives the worker of each of its pods. */
export interface PodWorkerOptions {
  readonly env: Env
  readonly runtime: Runtime
  readonly events: EventRecorder
  readonly reports: PodReports
  readonly node: string
  readonly hostIP: string
  /** Asks to be called for this pod again. */
  lookAgain(key: string, afterMs: number): void
  /** What the API holds for its containers. */
  readonly sources: PodSources
  /** What its containers have written. */
  readonly files: PodFiles
  /** Nothing goes between this node and the API. */
  isCut(): boolean
  takeAddress(): string | undefined
  /** Of the kubelet. */
  settings(): KubeletConfiguration
  /** What pods can have of the node. */
  allocatable(): ResourceList
  /** Why the node cannot give the pod what it asks for now. */
  resizeWait(pod: Pod): ResizeWait | undefined
}
