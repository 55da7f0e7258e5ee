import { deviceClass } from '../../api/kinds/device-class.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { type ResourceClaim, resourceClaim } from '../../api/kinds/resource-claim.ts'
import { resourceSlice } from '../../api/kinds/resource-slice.ts'
import { matchesTerm } from '../../api/placement.ts'
import { keyOf, type Resource } from '../../api/resource.ts'
import { deepEqual } from '../../base/json.ts'
import type { BindingContext, Plugin } from '../plugin.ts'
import { isOwn } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import type { Snapshot } from '../snapshot.ts'
import {
  type AllocationResult,
  allocateDevices,
  deviceKey,
  missingClass,
  type Slices,
  slicesOf,
  TakenDevices,
} from './devices.ts'

const NAME = 'DynamicResources'
const rejectionOf = (reason: string, resolvable: boolean) => ({ plugin: NAME, reasons: [reason], resolvable })
const ELSEWHERE = rejectionOf('resourceclaim not available on the node', false)
const NO_DEVICES = rejectionOf('cannot allocate all claims', true)
/** Pods that may share one claim. */
const CONSUMERS_MAX = 256

interface Claims {
  readonly all: readonly ResourceClaim[]
  /** Those without devices yet. */
  readonly open: readonly ResourceClaim[]
  readonly snapshot: Snapshot
  readonly slices: Slices
  /** Devices that are in use or promised. */
  readonly taken: ReadonlySet<string>
}

type Plan = ReadonlyMap<string, readonly AllocationResult[]>

/**
 * Devices by claim: a claim that has its devices holds the pod to nodes that reach them; others need devices of the
 * node's ResourceSlices that its classes and requests select. They are promised with the node, and written into the
 * claim before the pod is bound.
 */
export function dynamicResources(): Plugin<Claims> {
  /** By pod: what its claims (by uid) get. */
  const plans = new Map<string, Plan>()
  const taken = ({ objects }: Snapshot): Set<string> => {
    const keys = new Set<string>()
    for (const claim of objects.list(resourceClaim)) for (const key of devicesIn(claim)) keys.add(key)
    for (const plan of plans.values())
      for (const results of plan.values()) for (const key of keysOf(results)) keys.add(key)
    return keys
  }
  return {
    name: NAME,
    watches: [resourceClaim, resourceSlice, deviceClass],
    preFilter(pod, snapshot) {
      if (!pod.pod.spec.resourceClaims?.length) return 'skip'
      const claims = claimsOf(pod, snapshot)
      return 'reject' in claims ? claims : { state: withDevices(claims.all, snapshot, taken(snapshot)) }
    },
    filter: (_, { node }, { all, ...free }) => {
      if (all.some(({ status }) => status?.allocation && !reaches(status.allocation, node))) return ELSEWHERE
      return planFor(free, node) ? undefined : NO_DEVICES
    },
    reserve(pod, { node }, snapshot) {
      if (!pod.pod.spec.resourceClaims?.length) return undefined
      const claims = claimsOf(pod, snapshot)
      if ('reject' in claims) return claims.reject
      const plan = planFor(withDevices(claims.all, snapshot, taken(snapshot)), node)
      if (!plan) return 'its devices have been taken by another pod'
      plans.set(pod.uid, plan)
      return undefined
    },
    unreserve: ({ uid }) => void plans.delete(uid),
    async preBind(pod, node, context) {
      const plan = plans.get(pod.uid)
      if (!plan) return
      const claims = claimsOf(pod, context.snapshot)
      if ('reject' in claims) throw new Error(claims.reject)
      for (const claim of claims.all)
        await write(claim, pod, node, plan.get(claim.metadata.uid ?? ''), context)
      const open = claims.all.filter(({ metadata }) => plan.has(metadata.uid ?? ''))
      const isSeen = () =>
        open.every((claim) => context.snapshot.objects.get(resourceClaim, keyOf(claim))?.status?.allocation)
      await context.until(isSeen, 60_000, 'its devices are allocated')
      plans.delete(pod.uid)
    },
    hints: {
      'node-added': () => true,
      'pod-updated': (pod, event) =>
        isOwn(pod, event) &&
        !deepEqual(event.pod.status?.resourceClaimStatuses, event.previous.status?.resourceClaimStatuses),
      // What was promised to a pod that could not be bound is free again.
      'pod-removed': (_, { pod }) => (pod.spec.resourceClaims?.length ?? 0) > 0,
      'object-changed': ({ pod }, { kind, change, resource, previous }) => {
        if (kind !== resourceClaim) return change !== 'deleted'
        const isGone =
          change === 'deleted' ? isAllocated(resource) : isAllocated(previous) && !isAllocated(resource)
        return isGone || (change !== 'deleted' && claimKeys(pod).includes(keyOf(resource)))
      },
    },
  }
}

const known = new WeakMap<ResourceClaim, readonly string[]>()

/** What the claim has been given; worked out once per version of it. */
function devicesIn(claim: ResourceClaim): readonly string[] {
  const results = claim.status?.allocation?.devices?.results
  if (!results) return NONE
  let keys = known.get(claim)
  if (!keys) {
    keys = keysOf(results)
    known.set(claim, keys)
  }
  return keys
}

const NONE: readonly string[] = []

function keysOf(results: readonly AllocationResult[]): readonly string[] {
  return results.filter(({ adminAccess }) => !adminAccess).map(deviceKey)
}

function isAllocated(claim: Resource | undefined): boolean {
  return (claim as ResourceClaim | undefined)?.status?.allocation !== undefined
}

function claimKeys({ metadata, spec, status }: Pod): readonly string[] {
  return (spec.resourceClaims ?? []).flatMap(({ name, resourceClaimName }) => {
    const generated = status?.resourceClaimStatuses?.find((each) => each.name === name)?.resourceClaimName
    const claim = resourceClaimName ?? generated
    return claim === undefined ? [] : [`${metadata.namespace}/${claim}`]
  })
}

function claimsOf(
  { pod, namespace }: PodInfo,
  snapshot: Snapshot,
): { readonly all: readonly ResourceClaim[] } | { readonly reject: string } {
  const { objects } = snapshot
  const all: ResourceClaim[] = []
  for (const { name, resourceClaimName } of pod.spec.resourceClaims ?? []) {
    const generated = pod.status?.resourceClaimStatuses?.find((status) => status.name === name)
    // A template may come to nothing: the pod needs no claim then.
    if (generated && generated.resourceClaimName === undefined) continue
    const claimName = resourceClaimName ?? generated?.resourceClaimName
    if (claimName === undefined)
      return { reject: `pod "${namespace}/${pod.metadata.name}": ResourceClaim not created yet` }
    const claim = objects.get(resourceClaim, `${namespace}/${claimName}`)
    if (!claim) return { reject: `resourceclaim.resource.k8s.io "${claimName}" not found` }
    if (claim.metadata.deletionTimestamp) return { reject: `resourceclaim "${claimName}" is being deleted` }
    const consumers = claim.status?.reservedFor ?? []
    if (consumers.length >= CONSUMERS_MAX && consumers.every(({ uid }) => uid !== pod.metadata.uid))
      return { reject: 'resourceclaim in use' }
    const missing = claim.status?.allocation ? undefined : missingClass(claim, objects)
    if (missing !== undefined) return { reject: `device class ${missing} does not exist` }
    all.push(claim)
  }
  return { all }
}

function reaches(
  { nodeSelector }: NonNullable<NonNullable<ResourceClaim['status']>['allocation']>,
  node: Node,
): boolean {
  return nodeSelector === undefined || nodeSelector.nodeSelectorTerms.some((term) => matchesTerm(term, node))
}

function withDevices(all: readonly ResourceClaim[], snapshot: Snapshot, taken: ReadonlySet<string>): Claims {
  const open = all.filter(({ status }) => !status?.allocation)
  return { all, open, snapshot, taken, slices: slicesOf(snapshot.objects) }
}

function planFor({ open, snapshot, slices, taken }: Omit<Claims, 'all'>, node: Node): Plan | undefined {
  const plan = new Map<string, readonly AllocationResult[]>()
  const used = new TakenDevices(taken)
  for (const claim of open) {
    const results = allocateDevices(claim, node, snapshot.objects, slices, used)
    if (!results) return undefined
    plan.set(claim.metadata.uid ?? '', results)
  }
  return plan
}

/** The claim gets its devices, if it has none yet, and the pod as one who uses them. */
async function write(
  claim: ResourceClaim,
  { pod, uid }: PodInfo,
  node: string,
  results: readonly AllocationResult[] | undefined,
  { client }: BindingContext,
): Promise<void> {
  const { namespace, name, resourceVersion } = claim.metadata
  const others = (claim.status?.reservedFor ?? []).filter((consumer) => consumer.uid !== uid)
  const names = [{ key: 'metadata.name', operator: 'In', values: [node] }]
  const allocation = { devices: { results }, nodeSelector: { nodeSelectorTerms: [{ matchFields: names }] } }
  const reservedFor = [...others, { resource: 'pods', name: pod.metadata.name, uid }]
  await client.patch(
    resourceClaim,
    { namespace, name },
    'merge',
    { metadata: { resourceVersion }, status: { ...(results ? { allocation } : {}), reservedFor } },
    { subresource: 'status' },
  )
}
