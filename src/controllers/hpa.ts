/**
 * Scales what HorizontalPodAutoscalers point at, through its scale subresource, by what the metrics APIs say of its
 * pods, of objects and of what is outside. Every 15 s and no oftener: each step must show in the metrics before the
 * next. Decided in hpa-plan.ts.
 */
import type { AnyKind } from '../api/kind.ts'
import {
  type HorizontalPodAutoscaler,
  horizontalPodAutoscaler,
} from '../api/kinds/horizontal-pod-autoscaler.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { type AnyResource, keyOf, parseApiVersion } from '../api/resource.ts'
import { ApiError, isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import { type Controller, type Outcome, type ReconcileContext, watched } from './controller.ts'
import type { HpaEvent } from './hpa-measure.ts'
import { afterRescale, type HpaPlan, planAutoscaler, withoutScale } from './hpa-plan.ts'
import type { HpaMemory } from './hpa-rate.ts'
import { figuresOf, podsOf, resourcesOf, type Selector, selectorOf, selectsOne } from './hpa-sources.ts'

const PERIOD_MS = 15_000

interface Known {
  readonly uid: string | undefined
  readonly memory: HpaMemory
  /** Epoch ms of the last look. */
  readonly at: number
}

export function autoscalerController(kinds: () => readonly AnyKind[]): Controller<HorizontalPodAutoscaler> {
  const known = new Map<string, Known>()
  /** What was last seen of the targets of all autoscalers, by key. */
  const selectors = new Map<string, Selector>()
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
      // Whoever looks is counted among those that select these pods.
      const select = (pods: readonly Pod[], own: Selector) => {
        selectors.set(keyOf(found), own)
        return [...selectors].filter(([, each]) => selectsOne(each, pods)).map(([key]) => key)
      }
      return look(context, found, { memory, now, note, select, kinds: kinds() })
    },
    async deleted(_, key) {
      known.delete(key)
      selectors.delete(key)
      return undefined
    },
  }
}

interface Look {
  readonly memory: HpaMemory
  readonly now: number
  /** From then on nothing is looked at again before the period is over. */
  readonly note: (memory: HpaMemory) => void
  /** Keys of the autoscalers that select one of these pods. */
  readonly select: (pods: readonly Pod[], own: Selector) => readonly string[]
  readonly kinds: readonly AnyKind[]
}

async function look(
  context: ReconcileContext,
  found: HorizontalPodAutoscaler,
  { memory, now, note, select, kinds }: Look,
): Promise<Outcome> {
  const target = await targetOf(context, found, kinds)
  let plan: Omit<HpaPlan, 'rescale'>
  if (target instanceof ApiError) plan = withoutScale({ found, memory, now }, target.message)
  else {
    const pods = podsOf(context, found, target.selector)
    const selectedBy = target.selector === '' ? [] : select(pods, selectorOf(found, target.selector))
    const metrics = await resourcesOf(context, found, target.selector)
    const figures = await figuresOf(context, found, target.selector, kinds)
    const decided = planAutoscaler({ found, target, pods, selectedBy, metrics, figures, memory, now })
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
  readonly statusReplicas: number
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
  if (!kind) return new ApiError('NotFound', `no matches for kind "${wanted}" in group "${group}"`)
  const { scale } = kind.subresources
  if (!scale) return new ApiError('NotFound', 'the server could not find the requested resource')
  try {
    const resource = await client.get(kind, { namespace, name })
    return {
      kind,
      resource,
      replicas: scale.specReplicas(resource),
      statusReplicas: scale.statusReplicas(resource),
      selector: scale.selector(resource),
    }
  } catch (error) {
    if (isReason(error, 'NotFound') && !kind.custom) return withoutObject(kind, name)
    if (error instanceof ApiError) return error
    throw error
  }
}

/** As a request for the scale of what is not there is answered. */
function withoutObject({ plural, group }: AnyKind, name: string): ApiError {
  return new ApiError('NotFound', `${plural}/scale.${group || 'autoscaling'} "${name}" not found`)
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
