/**
 * Scales what HorizontalPodAutoscalers point at, through its scale subresource, by what the metrics API says its pods
 * use. Every 15 s and no oftener: each step must show in the metrics before the next. Decided in hpa-plan.ts.
 */
import type { AnyKind } from '../api/kind.ts'
import {
  type HorizontalPodAutoscaler,
  horizontalPodAutoscaler,
} from '../api/kinds/horizontal-pod-autoscaler.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { type PodMetrics, podMetrics } from '../api/metrics-kinds.ts'
import { type AnyResource, keyOf, parseApiVersion } from '../api/resource.ts'
import { compileRequirements, parseLabelSelector } from '../api/selectors.ts'
import { ApiError, isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import { type Controller, type Outcome, type ReconcileContext, watched } from './controller.ts'
import { afterRescale, type HpaEvent, type HpaPlan, planAutoscaler, withoutScale } from './hpa-plan.ts'
import type { HpaMemory } from './hpa-rate.ts'

const PERIOD_MS = 15_000

interface Known {
  readonly uid: string | undefined
  readonly memory: HpaMemory
  /** Epoch ms of the last look. */
  readonly at: number
}

export function autoscalerController(kinds: () => readonly AnyKind[]): Controller<HorizontalPodAutoscaler> {
  const known = new Map<string, Known>()
  return {
    name: 'horizontal-pod-autoscaler',
    kind: horizontalPodAutoscaler,
    watches: [watched({ kind: pod, keys: () => [] })],
    async reconcile(context, found) {
      const before = known.get(keyOf(found))
      const now = context.env.clock.now()
      // A clock that was set back tells nothing of what was before.
      const isSame = before !== undefined && before.uid === found.metadata.uid && before.at <= now
      if (isSame && now < before.at + PERIOD_MS) return { requeueAfterMs: before.at + PERIOD_MS - now }
      const memory = isSame ? before.memory : { recommendations: [], changes: [] }
      const note = (next: HpaMemory) =>
        known.set(keyOf(found), { uid: found.metadata.uid, memory: next, at: now })
      return look(context, found, { memory, now, note, kinds: kinds() })
    },
    async deleted(_, key) {
      known.delete(key)
      return undefined
    },
  }
}

interface Look {
  readonly memory: HpaMemory
  readonly now: number
  /** From then on nothing is looked at again before the period is over. */
  readonly note: (memory: HpaMemory) => void
  readonly kinds: readonly AnyKind[]
}

async function look(
  context: ReconcileContext,
  found: HorizontalPodAutoscaler,
  { memory, now, note, kinds }: Look,
): Promise<Outcome> {
  const target = await targetOf(context, found, kinds)
  let plan: Omit<HpaPlan, 'rescale'>
  if (target instanceof ApiError) plan = withoutScale(found, target.message, now)
  else {
    const { replicas, selector } = target
    const { pods, metrics } = await measured(context, found, selector)
    const decided = planAutoscaler({ found, target: { replicas, selector }, pods, metrics, memory, now })
    plan = decided
    if (decided.rescale) {
      const error = await rescale(context, target, decided.rescale.to)
      const done = afterRescale(
        { found, memory: decided.memory, now },
        decided.status,
        decided.rescale,
        error,
      )
      plan = { ...done, events: [...decided.events, ...done.events] }
      note(plan.memory)
    }
  }
  tell(context, found, plan.events)
  if (!deepEqual(found.status, plan.status))
    await context.client.update(
      horizontalPodAutoscaler,
      { ...found, status: plan.status },
      { subresource: 'status' },
    )
  note(plan.memory)
  return { requeueAfterMs: PERIOD_MS }
}

function tell({ events }: ReconcileContext, found: HorizontalPodAutoscaler, all: readonly HpaEvent[]): void {
  for (const { type, reason, message } of all) events.event(found, type, reason, message)
}

interface Target {
  readonly kind: AnyKind
  readonly resource: AnyResource
  readonly replicas: number
  readonly selector: string
}

/** The version of the reference does not matter: any the kind is served in has the same scale. */
async function targetOf(
  { client }: ReconcileContext,
  { spec, metadata: { namespace } }: HorizontalPodAutoscaler,
  kinds: readonly AnyKind[],
): Promise<Target | ApiError> {
  const { apiVersion = 'v1', kind: wanted, name } = spec.scaleTargetRef
  const { group } = parseApiVersion(apiVersion)
  const kind = kinds.find((each) => each.group === group && each.kind === wanted)
  if (!kind) {
    const full = group === '' ? wanted : `${wanted}.${group}`
    return new ApiError('NotFound', `no matches for kind "${wanted}" in group "${group}" (${full})`)
  }
  const { scale } = kind.subresources
  if (!scale) return new ApiError('NotFound', 'the server could not find the requested resource')
  try {
    const resource = await client.get(kind, { namespace, name })
    return { kind, resource, replicas: scale.specReplicas(resource), selector: scale.selector(resource) }
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}

async function rescale(
  { client }: ReconcileContext,
  { kind, resource }: Target,
  replicas: number,
): Promise<string | undefined> {
  const { name, namespace, resourceVersion } = resource.metadata
  const metadata = { name, namespace, resourceVersion }
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata, spec: { replicas } }
  try {
    await client.update<AnyResource>(kind, scale, { subresource: 'scale' })
    return undefined
  } catch (error) {
    // Somebody was faster: what to do is asked again of what is there now.
    if (!(error instanceof ApiError) || isReason(error, 'Conflict')) throw error
    return error.message
  }
}

async function measured(
  { client, informers }: ReconcileContext,
  { metadata: { namespace = '' } }: HorizontalPodAutoscaler,
  labelSelector: string,
): Promise<{ readonly pods: readonly Pod[]; readonly metrics: readonly PodMetrics[] | Error }> {
  if (labelSelector === '') return { pods: [], metrics: [] }
  const matches = compileRequirements(parseLabelSelector(labelSelector))
  const pods = informers
    .of(pod)
    .byIndex('namespace', namespace)
    .filter(({ metadata }) => matches(metadata.labels ?? {}))
  try {
    return { pods, metrics: (await client.list(podMetrics, { namespace, labelSelector })).items }
  } catch (error) {
    if (error instanceof ApiError) return { pods, metrics: error }
    throw error
  }
}
