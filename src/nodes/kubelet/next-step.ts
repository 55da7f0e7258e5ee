import type { V1Container, V1Probe } from '../../api/generated/types.ts'
import { imageNameFault } from '../../api/image-name.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { isPodTerminal } from '../../api/pods.ts'
import { parseTime } from '../../base/date.ts'
import { INVALID_NAME, NEVER_PULLED } from './image-pull.ts'
import { isLost } from './probe-state.ts'
import {
  allContainers,
  type ContainerKind,
  type ContainerRecord,
  isDown,
  isInitialized,
  type PodRecord,
} from './record.ts'
import { restarts, restartsAll } from './restart-policy.ts'

/** What a kubelet does next for a pod. Several at once where they do not depend on one another. */
export type Step =
  /** Of its own image, or of one that it mounts as a volume. */
  | { readonly do: 'pull'; readonly container: V1Container; readonly image: string }
  | { readonly do: 'start'; readonly container: V1Container }
  /** Ends it; `why` names the probe that says so, or "change": the pod names another image. Of one that is stopping: ends it sooner. */
  | { readonly do: 'stop'; readonly container: V1Container; readonly graceMs: number; readonly why: string }
  | { readonly do: 'back-off'; readonly container: V1Container; readonly ms: number }
  /** It will be ended after others: its hook runs already. */
  | { readonly do: 'announce-stop'; readonly container: V1Container; readonly graceMs: number }
  /** Ends it at once, without its hook: all of the pod start anew. */
  | { readonly do: 'kill'; readonly container: V1Container }
  /** Nothing runs any more: all containers are as if they had never run, but for their counts. */
  | { readonly do: 'restart-all' }
  /** A failed pull has been shown as ErrImagePull for a moment; now the wait shows. */
  | { readonly do: 'pull-back-off'; readonly container: V1Container }
  | { readonly do: 'refuse-pull'; readonly container: V1Container; readonly image: string }
  | {
      readonly do: 'refuse-name'
      readonly container: V1Container
      readonly image: string
      readonly why: string
    }
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
  /** The longest that a container waits for its restart. Default 300 s. */
  readonly backoffMaxMs?: number | undefined
}

const BACKOFF_MIN_MS = 10_000
const BACKOFF_MAX_MS = 300_000
/** A container that ran this long begins again with the shortest backoff (2 × the longest). */
const BACKOFF_RESET_MS = 600_000
/** How long ErrImagePull shows before ImagePullBackOff does: until a kubelet's next look. */
const PULL_ERROR_SHOWS_MS = 1000
const NEVER = Number.POSITIVE_INFINITY

/**
 * The whole of a pod's life as one decision (kuberuntime computePodActions). Pure. Order: deletion, the end of a
 * terminal pod, the deadline, init containers and sidecars one by one, main containers side by side.
 */
export function nextSteps(observation: Observation): Plan {
  const { pod, record, now, backoffMaxMs } = observation
  if (pod.metadata.deletionTimestamp !== undefined)
    return shutDown(pod, record, now, deletionGraceMs(pod, now), true)
  if (record.failure || isPodTerminal(pod))
    return shutDown(pod, record, now, record.failure?.graceMs ?? graceMs(pod), false)
  const deadline =
    pod.spec.activeDeadlineSeconds === undefined
      ? NEVER
      : record.startTime + pod.spec.activeDeadlineSeconds * 1000
  if (now >= deadline) {
    const message = 'Pod was active on the node longer than the specified deadline'
    return { steps: [{ do: 'fail-pod', reason: 'DeadlineExceeded', message }], lookAt: now }
  }
  const again = restartAll(pod, record, now, backoffMaxMs)
  if (again) return { ...again, lookAt: Math.min(again.lookAt, deadline) }
  const steps: Step[] = []
  let lookAt = deadline
  const isPastInit = isInitialized(pod, record)
  let isHeld = false
  // One container after the other is pulled and started; one that cannot be holds up nobody.
  let isBusy = pod.spec.containers.some(({ name }) => isBeingStarted(record.containers.get(name)))
  for (const { container, kind } of allContainers(pod)) {
    if (isHeld && kind !== 'ephemeral') continue
    const state = record.containers.get(container.name)
    // Once a main container has run, init containers are over and a sidecar that ended holds up nobody.
    if (!state || (isPastInit && kind === 'init')) continue
    const plan = stepFor(observation, container, kind, state)
    const begins = kind === 'main' && (plan.step?.do === 'pull' || plan.step?.do === 'start')
    if (plan.step && !(begins && isBusy)) steps.push(plan.step)
    isBusy ||= begins
    lookAt = Math.min(lookAt, plan.lookAt)
    // The next one waits until an init container has completed, or a sidecar has started.
    if (plan.blocks && !isPastInit) isHeld = true
  }
  const isDone = pod.spec.containers.every((container) => {
    const state = record.containers.get(container.name)
    return state?.phase === 'exited' && !restarts(pod, container, 'main', state)
  })
  if (isDone && steps.every(({ do: what }) => what !== 'start' && what !== 'pull'))
    return shutDown(pod, record, now, graceMs(pod), false)
  return { steps, lookAt }
}

function isBeingStarted(state: ContainerRecord | undefined): boolean {
  return state?.phase === 'pulling' || state?.phase === 'starting' || state?.isStarting === true
}

/** A container ended in a way that starts all of the pod anew: the others are killed, then each begins at the beginning. */
function restartAll(
  pod: Pod,
  { containers }: PodRecord,
  now: number,
  maxMs: number | undefined,
): Plan | undefined {
  const source = restartsAll(pod, containers)
  const state = source && containers.get(source.name)
  if (!state) return undefined
  const left = allContainers(pod).flatMap(({ container, kind }) => {
    const { phase = 'waiting' } = containers.get(container.name) ?? {}
    return kind === 'ephemeral' || isDown(phase) ? [] : [{ container, phase }]
  })
  if (left.length > 0)
    return {
      steps: left.flatMap(({ container, phase }) =>
        phase === 'running' ? [{ do: 'kill' as const, container }] : [],
      ),
      lookAt: NEVER,
    }
  if (state.notBefore === 0)
    return { steps: [{ do: 'back-off', container: source, ms: nextBackoffMs(state, maxMs) }], lookAt: now }
  if (now < state.notBefore) return { steps: [], lookAt: state.notBefore }
  return { steps: [{ do: 'restart-all' }], lookAt: now }
}

interface ContainerPlan {
  readonly step?: Step
  readonly lookAt: number
  readonly blocks: boolean
}

function stepFor(
  { pod, hasImage, now, backoffMaxMs }: Observation,
  container: V1Container,
  kind: ContainerKind,
  state: ContainerRecord,
): ContainerPlan {
  const blocks = kind === 'init' || kind === 'sidecar'
  switch (state.phase) {
    case 'pulling':
    case 'starting':
    case 'stopping':
      return { lookAt: NEVER, blocks }
    case 'running': {
      if (state.isStarting) return { lookAt: NEVER, blocks }
      const lost = lostProbe(container, state)
      if (lost) {
        const step = {
          do: 'stop',
          container,
          graceMs: graceMs(pod, container[`${lost}Probe`]),
          why: lost,
        } as const
        return { step, lookAt: NEVER, blocks }
      }
      const isMain = kind === 'main' || kind === 'sidecar'
      if (isMain && state.image !== undefined && state.image !== container.image) {
        const step = { do: 'stop', container, graceMs: graceMs(pod), why: 'change' } as const
        return { step, lookAt: NEVER, blocks }
      }
      const probeAt = Math.min(NEVER, ...Object.values(state.probes).map(({ nextAt }) => nextAt))
      return {
        lookAt: probeAt,
        blocks: kind === 'init' || (kind === 'sidecar' && state.probes.startup?.passed === false),
      }
    }
    case 'exited': {
      if (!restarts(pod, container, kind, state)) {
        if (kind === 'init' && state.exit?.code !== 0) {
          return { step: { do: 'fail-pod', reason: '', message: '' }, lookAt: now, blocks: true }
        }
        return { lookAt: NEVER, blocks: false }
      }
      if (state.notBefore === 0)
        return {
          step: { do: 'back-off', container, ms: nextBackoffMs(state, backoffMaxMs) },
          lookAt: now,
          blocks,
        }
      if (now < state.notBefore) return { lookAt: state.notBefore, blocks }
      return { ...beginning(pod, container, state, hasImage), lookAt: NEVER, blocks }
    }
    case 'waiting': {
      if (now < state.notBefore) {
        const showsUntil = state.notBefore - state.backoffMs + PULL_ERROR_SHOWS_MS
        if (state.reason !== 'ErrImagePull') return { lookAt: state.notBefore, blocks }
        if (now < showsUntil) return { lookAt: showsUntil, blocks }
        return { step: { do: 'pull-back-off', container }, lookAt: state.notBefore, blocks }
      }
      return { ...beginning(pod, container, state, hasImage), lookAt: NEVER, blocks }
    }
  }
}

/** What comes before its start: its images are there, those that it mounts first. */
function beginning(
  pod: Pod,
  container: V1Container,
  state: ContainerRecord,
  hasImage: (image: string) => boolean,
): { readonly step?: Step } {
  for (const { image, policy } of imagesOf(pod, container)) {
    const why = imageNameFault(image)
    if (why !== undefined)
      return state.reason === INVALID_NAME ? {} : { step: { do: 'refuse-name', container, image, why } }
    const isThere = hasImage(image)
    if (policy === 'Never' && !isThere)
      return state.reason === NEVER_PULLED ? {} : { step: { do: 'refuse-pull', container, image } }
    const isOwn = image === container.image
    if (!isThere || (isOwn && policy === 'Always' && state.reason !== 'ImagePulled'))
      return { step: { do: 'pull', container, image } }
  }
  return { step: { do: 'start', container } }
}

function imagesOf(
  { spec }: Pod,
  { image = '', imagePullPolicy, volumeMounts = [] }: V1Container,
): readonly { readonly image: string; readonly policy: string | undefined }[] {
  const mounted = volumeMounts.flatMap(({ name }) => {
    const source = spec.volumes?.find((volume) => volume.name === name)?.image
    return source?.reference ? [{ image: source.reference, policy: source.pullPolicy }] : []
  })
  return [...mounted, { image, policy: imagePullPolicy }]
}

/** The first restart comes at once, then 10 s, 20 s, 40 s … 300 s; after ten minutes of running it begins anew. */
function nextBackoffMs(state: ContainerRecord, maxMs = BACKOFF_MAX_MS): number {
  const ranMs = state.exit ? state.exit.finishedAt - state.exit.startedAt : 0
  if (state.restarts === 0 || ranMs > BACKOFF_RESET_MS) return 0
  return Math.min(maxMs, state.backoffMs === 0 ? BACKOFF_MIN_MS : state.backoffMs * 2)
}

/** Image pulls: 10 s doubling to 300 s from the first failure on. */
export function nextPullBackoffMs(state: ContainerRecord): number {
  return state.backoffMs === 0 ? BACKOFF_MIN_MS : Math.min(BACKOFF_MAX_MS, state.backoffMs * 2)
}

function lostProbe(container: V1Container, { probes }: ContainerRecord): 'startup' | 'liveness' | undefined {
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

/** Main containers end together, then sidecars in reverse order. A shorter grace overtakes one that is running. */
function shutDown(pod: Pod, { containers }: PodRecord, now: number, grace: number, releases: boolean): Plan {
  const isBusy = ({ name }: V1Container) => {
    const phase = containers.get(name)?.phase
    return phase !== undefined && !isDown(phase)
  }
  const stop = (container: V1Container): Step[] => {
    const state = containers.get(container.name)
    const isDue = state?.phase === 'running' || (state?.phase === 'stopping' && now + grace < state.stopBy)
    return isDue ? [{ do: 'stop', container, graceMs: grace, why: '' }] : []
  }
  const mains = [...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])].filter(isBusy)
  const inits = (pod.spec.initContainers ?? []).filter(isBusy)
  // All are told at once; each waits for its turn.
  const announce = (container: V1Container): Step[] => {
    const state = containers.get(container.name)
    const isNew = state?.phase === 'running' && !state.isEnding
    return isNew ? [{ do: 'announce-stop', container, graceMs: grace }] : []
  }
  if (mains.length > 0) return { steps: [...mains.flatMap(stop), ...inits.flatMap(announce)], lookAt: NEVER }
  const last = inits.at(-1)
  if (last) return { steps: [...stop(last), ...inits.slice(0, -1).flatMap(announce)], lookAt: NEVER }
  return { steps: releases ? [{ do: 'release' }] : [], lookAt: NEVER }
}

function graceMs(pod: Pod, probe?: V1Probe): number {
  return (probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30) * 1000
}

function deletionGraceMs(pod: Pod, now: number): number {
  return Math.max(0, (parseTime(pod.metadata.deletionTimestamp) ?? now) - now)
}
