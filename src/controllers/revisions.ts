/**
 * A Deployment's revisions are its ReplicaSets, numbered by annotation. Undoing a rollout patches an old template back:
 * the ReplicaSet of that template becomes the new one again and gets the next number.
 */
import type { V1ObjectMeta } from '../api/generated/types.ts'
import type { Deployment } from '../api/kinds/deployment.ts'
import type { ReplicaSet } from '../api/kinds/replica-set.ts'
import { controllerReference } from '../api/resource.ts'
import { deepEqual } from '../base/json.ts'
import { podTemplateHash, templateDigest } from './pod-template-hash.ts'
import type { Amounts } from './rollout-amounts.ts'

export const REVISION = 'deployment.kubernetes.io/revision'
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
const TEMPLATE_DIGEST = 'seamark.dev/pod-template-digest'
const POD_TEMPLATE_HASH = 'pod-template-hash'
/** Upstream keeps the history within this many characters. */
const HISTORY_LENGTH_MAX = 2000

/** What a ReplicaSet does not take over from its Deployment. */
const OWN_ANNOTATIONS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  TEMPLATE_DIGEST,
  'deprecated.deployment.rollback.to',
])

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** 0 when there is none or it is malformed. */
export function revisionOf({ metadata }: ReplicaSet): number {
  return whole(metadata.annotations?.[REVISION]) ?? 0
}

export function desiredAnnotation({ metadata }: ReplicaSet): number | undefined {
  return whole(metadata.annotations?.[DESIRED_REPLICAS])
}

export function maxAnnotation({ metadata }: ReplicaSet): number | undefined {
  return whole(metadata.annotations?.[MAX_REPLICAS])
}

export function isSizeAnnotated(set: ReplicaSet, { desired, maxSurge }: Amounts): boolean {
  return desiredAnnotation(set) === desired && maxAnnotation(set) === desired + maxSurge
}

/** The ReplicaSet made for this template: the oldest one, should there be several. */
export function findNewSet(
  deployment: Deployment,
  oldestFirst: readonly ReplicaSet[],
): ReplicaSet | undefined {
  return oldestFirst.find((set) => isSetOf(deployment, set))
}

/**
 * By the digest noted when it was made, so that a changed copy (admission, defaults of a later release) is still
 * recognised and never answered with yet another ReplicaSet; or by the template itself.
 */
export function isSetOf({ spec }: Deployment, set: ReplicaSet): boolean {
  if (set.metadata.annotations?.[TEMPLATE_DIGEST] === templateDigest(spec.template)) return true
  const { template } = set.spec
  const { [POD_TEMPLATE_HASH]: _, ...labels } = template?.metadata?.labels ?? {}
  return deepEqual(
    { ...template, metadata: { ...template?.metadata, labels, creationTimestamp: undefined } },
    {
      ...spec.template,
      metadata: {
        ...spec.template.metadata,
        labels: spec.template.metadata?.labels ?? {},
        creationTimestamp: undefined,
      },
    },
  )
}

/** The ReplicaSet to make for the current template. */
export function newSetOf(
  deployment: Deployment,
  oldSets: readonly ReplicaSet[],
  amounts: Amounts,
  replicas: number,
): ReplicaSet {
  const { metadata, spec, status } = deployment
  const hash = podTemplateHash(spec.template, status?.collisionCount)
  const labels = { ...spec.template.metadata?.labels, [POD_TEMPLATE_HASH]: hash }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${metadata.name}-${hash}`,
      namespace: metadata.namespace,
      labels,
      annotations: {
        ...inherited(metadata),
        ...sizeAnnotations(amounts),
        [REVISION]: String(nextRevision(oldSets)),
        [TEMPLATE_DIGEST]: templateDigest(spec.template),
      },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: {
        ...spec.selector,
        matchLabels: { ...spec.selector.matchLabels, [POD_TEMPLATE_HASH]: hash },
      },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  }
}

function nextRevision(oldSets: readonly ReplicaSet[]): number {
  return Math.max(0, ...oldSets.map(revisionOf)) + 1
}

function inherited({ annotations }: V1ObjectMeta): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !OWN_ANNOTATIONS.has(key)))
}

function sizeAnnotations({ desired, maxSurge }: Amounts): Record<string, string> {
  return { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(desired + maxSurge) }
}

/** The new ReplicaSet as it should be beside its size: highest revision, the Deployment's annotations and minReadySeconds. */
export function syncedNewSet(
  deployment: Deployment,
  newSet: ReplicaSet,
  oldSets: readonly ReplicaSet[],
): ReplicaSet {
  const revision = nextRevision(oldSets)
  const before = newSet.metadata.annotations ?? {}
  const annotations: Record<string, string> = { ...before, ...inherited(deployment.metadata) }
  if (revisionOf(newSet) < revision) {
    if (before[REVISION]) annotations[REVISION_HISTORY] = extended(before[REVISION_HISTORY], before[REVISION])
    annotations[REVISION] = String(revision)
  }
  const { minReadySeconds } = deployment.spec
  const isSame =
    deepEqual(annotations, before) && (minReadySeconds ?? 0) === (newSet.spec.minReadySeconds ?? 0)
  if (isSame) return newSet
  return {
    ...newSet,
    metadata: { ...newSet.metadata, annotations },
    spec: { ...newSet.spec, minReadySeconds },
  }
}

function extended(history: string | undefined, revision: string): string {
  const revisions = history ? history.split(',') : []
  const all = [...revisions, revision]
  while (all.length > 1 && all.join(',').length > HISTORY_LENGTH_MAX) all.shift()
  return all.join(',')
}

export function scaledSet(set: ReplicaSet, amounts: Amounts, replicas: number): ReplicaSet {
  const annotations = { ...set.metadata.annotations, ...sizeAnnotations(amounts) }
  return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } }
}
