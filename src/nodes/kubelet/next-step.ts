import type { V1Container } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { isPodTerminal } from '../../api/pods.ts'
import { parseTime } from '../../base/date.ts'
import { isLost } from './probe-state.ts'
import { allContainers, type ContainerRecord, type PodRecord } from './record.ts'

/** What a kubelet does next for a pod. Several at once where they do not depend on one another. */
export type Step =
  | { readonly do: 'pull'; readonly container: V1Container }
  | { readonly do: 'start'; readonly container: V1Container }
  /** Ends it; with `restart` because a probe says so. */
  | { readonly do: 'stop'; readonly container: V1Container; readonly graceMs: number; readonly why: string }
  | { readonly do: 'back-off'; readonly container: V1Container; readonly ms: number }
  | { readonly do: 'fail-pod'; readonly reason: string; readonly message: string }
  /** Everything has ended and the pod may go. */
  | { readonly do: 'release' }

export interface Plan {
  readonly steps: readonly Step[]
  /** Look again then at the latest (epoch ms). */
  readonly lookAt: number
}

export interface Observation {
  readonly pod: Pod
  readonly record: PodRecord
  hasImage(image: string): boolean
  readonly now: number
}

const BACKOFF_MIN_MS = 10_000
const BACKOFF_MAX_MS = 300_000
/** A container that ran this long begins again with the shortest backoff (2 × the longest). */
const BACKOFF_RESET_MS = 600_000
const NEVER = Number.POSITIVE_INFINITY

/**
 * The whole of a pod's life as one decision (kuberuntime computePodActions). Pure. Order: deletion, the end of a
 * terminal pod, the deadline, init containers and sidecars one by one, main containers side by side.
 */
export function nextSteps({ pod, record, hasImage, now }: Observation): Plan {
  if (pod.metadata.deletionTimestamp !== undefined)
    return shutDown(pod, record, now, deletionGraceMs(pod, now), true)
  if (record.failure || isPodTerminal(pod)) return shutDown(pod, record, now, graceMs(pod), false)
  const deadline =
    pod.spec.activeDeadlineSeconds === undefined
      ? NEVER
      : record.startTime + pod.spec.activeDeadlineSeconds * 1000
  if (now >= deadline) {
    const message = 'Pod was active on the node longer than the specified deadline'
    return { steps: [{ do: 'fail-pod', reason: 'DeadlineExceeded', message }], lookAt: now }
  }
  const steps: Step[] = []
  let lookAt = deadline
  for (const { container, kind } of allContainers(pod)) {
    const state = record.containers.get(container.name)
    if (!state) continue
    const plan = stepFor(pod, container, kind, state, hasImage, now)
    if (plan.step) steps.push(plan.step)
    lookAt = Math.min(lookAt, plan.lookAt)
    // The next one waits until an init container has completed, or a sidecar has started.
    if (plan.blocks) break
  }
  const mains = pod.spec.containers.map(({ name }) => record.containers.get(name))
  const isDone = mains.every((state) => state?.phase === 'exited' && !restarts(pod, 'main', state))
  if (isDone && steps.every(({ do: what }) => what !== 'start' && what !== 'pull'))
    return shutDown(pod, record, now, graceMs(pod), false)
  return { steps, lookAt }
}

interface ContainerPlan {
  readonly step?: Step
  readonly lookAt: number
  readonly blocks: boolean
}

function stepFor(
  pod: Pod,
  container: V1Container,
  kind: 'init' | 'sidecar' | 'main',
  state: ContainerRecord,
  hasImage: (image: string) => boolean,
  now: number,
): ContainerPlan {
  const blocks = kind !== 'main'
  switch (state.phase) {
    case 'pulling':
    case 'starting':
    case 'stopping':
      return { lookAt: NEVER, blocks }
    case 'running': {
      const lost = lostProbe(container, state)
      if (lost)
        return {
          step: { do: 'stop', container, graceMs: graceMs(pod), why: lost },
          lookAt: NEVER,
          blocks: false,
        }
      const probeAt = Math.min(NEVER, ...Object.values(state.probes).map(({ nextAt }) => nextAt))
      return {
        lookAt: probeAt,
        blocks: kind === 'init' || (kind === 'sidecar' && state.probes.startup?.passed === false),
      }
    }
    case 'exited': {
      if (!restarts(pod, kind, state)) {
        if (kind === 'init' && state.exit?.code !== 0) {
          return { step: { do: 'fail-pod', reason: '', message: '' }, lookAt: now, blocks: true }
        }
        return { lookAt: NEVER, blocks: false }
      }
      if (state.notBefore === 0)
        return { step: { do: 'back-off', container, ms: nextBackoffMs(state) }, lookAt: now, blocks }
      if (now < state.notBefore) return { lookAt: state.notBefore, blocks }
      return { step: { do: 'start', container }, lookAt: NEVER, blocks }
    }
    case 'waiting': {
      if (now < state.notBefore) return { lookAt: state.notBefore, blocks }
      const pulls = container.imagePullPolicy === 'Always' || !hasImage(container.image ?? '')
      const isPulled = state.reason === 'ImagePulled'
      if (pulls && !isPulled && container.imagePullPolicy !== 'Never')
        return { step: { do: 'pull', container }, lookAt: NEVER, blocks }
      return { step: { do: 'start', container }, lookAt: NEVER, blocks }
    }
  }
}

/** restartPolicy; init containers restart until they succeed unless the pod never restarts; sidecars always. */
function restarts(pod: Pod, kind: 'init' | 'sidecar' | 'main', state: ContainerRecord): boolean {
  const policy = pod.spec.restartPolicy ?? 'Always'
  const failed = state.exit?.code !== 0
  if (kind === 'sidecar') return true
  if (kind === 'init') return failed && policy !== 'Never'
  return policy === 'Always' || (policy === 'OnFailure' && failed)
}

/** The first restart comes at once, then 10 s, 20 s, 40 s … 300 s; forgotten after ten minutes of running. */
export function nextBackoffMs(state: ContainerRecord): number {
  const ranMs = state.exit ? state.exit.finishedAt - state.exit.startedAt : 0
  if (state.restarts === 0 || ranMs >= BACKOFF_RESET_MS) return state.restarts === 0 ? 0 : BACKOFF_MIN_MS
  return state.backoffMs === 0 ? BACKOFF_MIN_MS : Math.min(BACKOFF_MAX_MS, state.backoffMs * 2)
}

/** Image pulls: 10 s doubling to 300 s from the first failure on. */
export function nextPullBackoffMs(state: ContainerRecord): number {
  return state.backoffMs === 0 ? BACKOFF_MIN_MS : Math.min(BACKOFF_MAX_MS, state.backoffMs * 2)
}

function lostProbe(container: V1Container, { probes }: ContainerRecord): string | undefined {
  if (
    container.startupProbe &&
    probes.startup &&
    !probes.startup.passed &&
    isLost(probes.startup, container.startupProbe)
  )
    return 'startup'
  if (container.livenessProbe && probes.liveness && !probes.liveness.passed) return 'liveness'
  return undefined
}

/** Main containers end together, then sidecars in reverse order. */
function shutDown(pod: Pod, { containers }: PodRecord, now: number, grace: number, releases: boolean): Plan {
  const isUp = (state: ContainerRecord | undefined) => state?.phase === 'running'
  const isBusy = (state: ContainerRecord | undefined) =>
    state !== undefined && state.phase !== 'exited' && state.phase !== 'waiting'
  const stop = (container: V1Container): Step => ({ do: 'stop', container, graceMs: grace, why: '' })
  const mains = pod.spec.containers.filter(({ name }) => isBusy(containers.get(name)))
  if (mains.length > 0)
    return { steps: mains.filter(({ name }) => isUp(containers.get(name))).map(stop), lookAt: NEVER }
  const last = (pod.spec.initContainers ?? []).findLast(({ name }) => isBusy(containers.get(name)))
  if (last) return { steps: isUp(containers.get(last.name)) ? [stop(last)] : [], lookAt: NEVER }
  return { steps: releases ? [{ do: 'release' }] : [], lookAt: releases ? now : NEVER }
}

function graceMs(pod: Pod): number {
  return (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000
}

function deletionGraceMs(pod: Pod, now: number): number {
  return Math.max(0, (parseTime(pod.metadata.deletionTimestamp) ?? now) - now)
}
