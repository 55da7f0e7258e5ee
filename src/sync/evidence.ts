import { findCondition } from '../api/conditions.ts'
import type { Health } from '../api/kind.ts'
import { type Application, application as applicationKind } from '../api/kinds/application.ts'
import { controllerRevision as controllerRevisionKind } from '../api/kinds/controller-revision.ts'
import { daemonSet as daemonSetKind } from '../api/kinds/daemon-set.ts'
import { type Deployment, deployment as deploymentKind } from '../api/kinds/deployment.ts'
import { job as jobKind } from '../api/kinds/job.ts'
import {
  persistentVolumeClaim as claimKind,
  type PersistentVolumeClaim,
} from '../api/kinds/persistent-volume-claim.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { replicaSet as replicaSetKind } from '../api/kinds/replica-set.ts'
import { statefulSet as statefulSetKind } from '../api/kinds/stateful-set.ts'
import { storageClass as storageClassKind } from '../api/kinds/storage-class.ts'
import { containerTroubles } from '../api/pod-health.ts'
import { unschedulableSince } from '../api/pods.ts'
import type { AnyResource } from '../api/resource.ts'
import { storageClassOf } from '../api/volume-access.ts'
import { parseTime } from '../base/date.ts'
import { deepEqual } from '../base/json.ts'
import type { Informers } from '../client/informers.ts'
import type { Target } from './target.ts'

/** A crash loop is one after this many restarts. */
const CRASHES_MIN = 3
/** How long a pod may find no node before that is a failure: nodes may be on their way. */
const UNSCHEDULABLE_MS = 30_000
/** Of configuration that is missing: it may come with the next apply. */
const STUCK_MS = 30_000
/** Of pods that the API refuses: a class, an account or a quota may be on its way. */
const REFUSED_MS = 10_000
/** How long a container without a readiness probe must have run to count as up: starting is no evidence. */
const STEADY_MS = 3000
/** The same of one that has crashed before. */
const STEADY_AGAIN_MS = 10_000
/** A controller takes no longer to hear of its pod. */
const UNHEARD_MS = 1000
/** Pods and classes come without the claim's own change. */
const CLAIM_LOOK_MS = 1000
const POD_TEMPLATE_HASH = 'pod-template-hash'
/** Of a DaemonSet's pods the short hash of the revision, of a StatefulSet's its name. */
const REVISION_HASH = 'controller-revision-hash'

export interface Verdict {
  readonly health: Health
  /** It will not get better by waiting: what to say, and which field of the manifest is the reason. */
  readonly failed?: { readonly message: string; readonly field: string }
  /** Not well, but nobody waits for it any more: an Application of its own has come to its own end. */
  readonly hasEnded?: boolean
  /** From how many pods it was told. */
  readonly pods?: number
  /** Ask again then at the latest (epoch ms): a patience runs out. */
  readonly lookAt?: number
}

/** How an applied object is doing: its kind's own rule, and for those with a template what becomes of the new pods. */
export function judge(
  target: Target,
  live: AnyResource | undefined,
  informers: Informers,
  now: number,
): Verdict {
  if (!live) return { health: { status: 'Missing', message: 'does not exist' } }
  if (live.metadata.deletionTimestamp)
    return { health: { status: 'Progressing', message: 'Pending deletion' } }
  const health = target.kind.health(live, now)
  if (target.kind === applicationKind) {
    // Each Application answers for itself: a failure of one does not take back what others did well.
    const ready = findCondition((live as unknown as Application).status?.conditions, 'Ready')
    return ready?.status === 'False' ? { health, hasEnded: true } : { health }
  }
  if (target.kind === podKind) {
    const one = [live as unknown as Pod]
    return health.status === 'Healthy' ? judgeSteady(one, health, now) : judgePods(one, health, '', now)
  }
  if (target.kind === statefulSetKind || target.kind === daemonSetKind) {
    const pods = podsOfNewest(live, informers)
    return health.status === 'Healthy'
      ? judgeSteady(pods, health, now)
      : judgePods(pods, health, 'spec.template.', now)
  }
  if (target.kind === claimKind && health.status === 'Progressing')
    return judgeWaiting(live as unknown as PersistentVolumeClaim, health, informers, now)
  // A Job's own conditions are its last word.
  if (target.kind === jobKind && health.status === 'Degraded')
    return { health, failed: { message: health.message ?? 'Job has failed', field: 'spec.template' } }
  if (target.kind !== deploymentKind) return { health }
  const deployment = live as unknown as Deployment
  if (health.status === 'Healthy') {
    const isProven = (deployment.spec.minReadySeconds ?? 0) > 0 || deployment.spec.replicas === 0
    return isProven ? { health } : judgeSteady(newPods(deployment, informers), health, now)
  }
  const progress = findCondition(deployment.status?.conditions, 'Progressing')
  const isObserved = (deployment.status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  const verdict = judgePods(isObserved ? newPods(deployment, informers) : [], health, 'spec.template.', now)
  if (verdict.failed || !isObserved) return verdict
  const failure = findCondition(deployment.status?.conditions, 'ReplicaFailure')
  if (failure?.status === 'True') {
    const message = failure.message ?? 'Pods cannot be created'
    const patientUntil = (parseTime(failure.lastTransitionTime) ?? now) + REFUSED_MS
    if (now < patientUntil) return { health: { status: 'Progressing', message }, lookAt: patientUntil }
    return { health: { status: 'Degraded', message }, failed: { message, field: 'spec.template' } }
  }
  if (progress?.reason === 'ProgressDeadlineExceeded') {
    return {
      health,
      failed: { message: health.message ?? 'exceeded its progress deadline', field: 'spec.template' },
    }
  }
  return verdict
}

/**
 * A claim of a class that binds late (WaitForFirstConsumer) is as it should be while no pod mounts it. Once one does, that
 * pod cannot start without the volume.
 */
function judgeWaiting(
  claim: PersistentVolumeClaim,
  health: Health,
  informers: Informers,
  now: number,
): Verdict {
  const { namespace, name } = claim.metadata
  const from = informers.of(storageClassKind).get(storageClassOf(claim) ?? '')
  const isMounted = informers
    .of(podKind)
    .list()
    .some(
      ({ metadata, spec }) =>
        metadata.namespace === namespace &&
        spec.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === name),
    )
  return from?.volumeBindingMode === 'WaitForFirstConsumer' && !isMounted
    ? { health: { status: 'Healthy', message: 'Waiting for its first consumer' } }
    : { health, lookAt: now + CLAIM_LOOK_MS }
}

/**
 * The pods of the ReplicaSet with the Deployment's own template. Not of the newest by number: the caches of Deployments
 * and ReplicaSets move separately, and the pods of a commit before must not speak against this one.
 */
function newPods(deployment: Deployment, informers: Informers): readonly Pod[] {
  const set = informers
    .of(replicaSetKind)
    .byIndex('owner', deployment.metadata.uid ?? '')
    .find(({ spec }) => isSameTemplate(spec.template, deployment.spec.template))
  return set ? informers.of(podKind).byIndex('owner', set.metadata.uid ?? '') : []
}

/** Of a set that owns its pods itself: those of the ControllerRevision with its present template. */
function podsOfNewest(live: AnyResource, informers: Informers): readonly Pod[] {
  const uid = live.metadata.uid ?? ''
  const [newest] = informers
    .of(controllerRevisionKind)
    .byIndex('owner', uid)
    .toSorted((a, b) => b.revision - a.revision)
  if (!newest) return []
  const names = new Set([newest.metadata.name, newest.metadata.labels?.[REVISION_HASH]])
  return informers
    .of(podKind)
    .byIndex('owner', uid)
    .filter(({ metadata }) => names.has(metadata.labels?.[REVISION_HASH]))
}

type Template = Deployment['spec']['template']

function isSameTemplate(made: Template | undefined, template: Template): boolean {
  const { [POD_TEMPLATE_HASH]: _hash, ...labels } = made?.metadata?.labels ?? {}
  return deepEqual({ ...made, metadata: { ...made?.metadata, labels } }, template)
}

/**
 * A container that crashes at its start is ready for a moment when nothing probes it, and a rollout of such pods is
 * complete for that moment. Healthy is said when they have stayed up for a little.
 */
function judgeSteady(pods: readonly Pod[], health: Health, now: number): Verdict {
  let lookAt = 0
  for (const { metadata, spec, status } of pods) {
    const isProbed = spec.containers.every(({ readinessProbe }) => readinessProbe !== undefined)
    if (isProbed || metadata.deletionTimestamp || status?.phase === 'Failed' || status?.phase === 'Succeeded')
      continue
    const ready = findCondition(status?.conditions, 'Ready')
    // It has just ended, and its set has not heard of it yet.
    if (ready?.status !== 'True') lookAt = Math.max(lookAt, now + UNHEARD_MS)
    else lookAt = Math.max(lookAt, (parseTime(ready.lastTransitionTime) ?? 0) + steadyMs(status))
  }
  if (lookAt <= now) return { health, pods: pods.length }
  const message = 'Running; without a readiness probe it must stay up for a moment'
  return { health: { status: 'Progressing', message }, pods: pods.length, lookAt }
}

function steadyMs(status: Pod['status']): number {
  const hasCrashed = status?.containerStatuses?.some(({ restartCount }) => restartCount > 0)
  return hasCrashed ? STEADY_AGAIN_MS : STEADY_MS
}

function judgePods(pods: readonly Pod[], health: Health, prefix: string, now: number): Verdict {
  let lookAt: number | undefined
  const until = (at: number) => {
    lookAt = Math.min(lookAt ?? Number.POSITIVE_INFINITY, at)
    return now >= at
  }
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp) continue
    for (const trouble of containerTroubles(pod)) {
      const list = trouble.init ? 'initContainers' : 'containers'
      const containers = (trouble.init ? pod.spec.initContainers : pod.spec.containers) ?? []
      const field = `${prefix}spec.${list}[${Math.max(
        0,
        containers.findIndex(({ name }) => name === trouble.container),
      )}]`
      const message = trouble.message
      const isLoop = trouble.reason === 'CrashLoopBackOff' && trouble.restarts >= CRASHES_MIN
      const isImage = trouble.reason === 'ImagePullBackOff' || trouble.reason === 'InvalidImageName'
      if (isLoop || isImage)
        return { health: { status: 'Degraded', message }, failed: { message, field: `${field}.image` } }
      const since = parseTime(pod.metadata.creationTimestamp) ?? now
      const isConfig =
        trouble.reason === 'CreateContainerConfigError' || trouble.reason === 'CreateContainerError'
      if (isConfig && until(since + STUCK_MS))
        return { health: { status: 'Degraded', message }, failed: { message, field } }
    }
    const unschedulable = unschedulableSince(pod)
    if (unschedulable !== undefined && until(unschedulable + UNSCHEDULABLE_MS)) {
      const message = `pod ${pod.metadata.name} cannot be scheduled: ${findCondition(pod.status?.conditions, 'PodScheduled')?.message ?? ''}`
      return { health: { status: 'Degraded', message }, failed: { message, field: `${prefix}spec` } }
    }
  }
  const waiting = pods
    .map((pod) => findCondition(pod.status?.conditions, 'PodScheduled'))
    .find((condition) => condition?.status === 'False')
  const shown =
    waiting?.message && health.status === 'Progressing'
      ? { ...health, message: `${health.message} (${waiting.message})` }
      : health
  return { health: shown, pods: pods.length, ...(lookAt === undefined ? {} : { lookAt }) }
}
