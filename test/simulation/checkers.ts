import { scaledValue } from '../../src/api/int-or-percent.ts'
import { type Deployment, deployment as deploymentKind } from '../../src/api/kinds/deployment.ts'
import type { Node } from '../../src/api/kinds/node.ts'
import type { Pod } from '../../src/api/kinds/pod.ts'
import type { ReplicaSet } from '../../src/api/kinds/replica-set.ts'
import { isPodReady, isPodTerminal, podRequests } from '../../src/api/pods.ts'
import { parseQuantity } from '../../src/api/quantity.ts'
import { controllerOf, type Resource } from '../../src/api/resource.ts'
import type { Store, WatchBatch } from '../../src/apiserver/store/store.ts'

/** Heartbeats and events go on for ever. */
const BOOKKEEPING = /\/(leases|events|core\/nodes)\//

/**
 * Watches the store of a simulated cluster and holds every revision against what is promised: revisions grow without a
 * gap, no pod on two nodes, no node over its capacity, no Deployment above its surge or below its availability (but for
 * pods that ended by themselves or went with their node). Violations are collected in words.
 */
export class Checkers {
  readonly violations: string[] = []
  readonly batches: WatchBatch[] = []
  /** Keys written, of anything but leases and events. */
  readonly written: string[] = []
  readonly #objects = new Map<string, Resource>()
  readonly #nodeOf = new Map<string, string>()
  #revision: number
  /** While a fault is on, availability is nobody's promise. */
  excused = true

  constructor(store: Store) {
    this.#revision = store.revision
  }

  async follow(store: Store, signal: AbortSignal): Promise<void> {
    for await (const batch of store.watch({ prefix: '/registry/', after: this.#revision, signal })) {
      this.batches.push({ revision: batch.revision, changes: [] })
      for (const change of batch.changes) {
        if (change.revision < this.#revision)
          this.violations.push(`revision ${change.revision} came after ${this.#revision}`)
        if (change.revision > this.#revision + 1)
          this.violations.push(`revision ${change.revision} came after ${this.#revision}: a gap`)
        this.#revision = Math.max(this.#revision, change.revision)
        if (!BOOKKEEPING.test(change.key)) this.written.push(change.key)
        if (change.type === 'delete') this.#objects.delete(change.key)
        else this.#objects.set(change.key, change.value as Resource)
        this.#check(change.key, change.value as Resource, change.type === 'delete')
      }
    }
  }

  objects<R extends Resource>(kind: string): R[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind) as R[]
  }

  #check(key: string, object: Resource, isGone: boolean): void {
    if (object.kind !== 'Pod') return
    const pod = object as Pod
    const uid = pod.metadata.uid ?? ''
    const before = this.#nodeOf.get(uid)
    const now = pod.spec.nodeName
    if (before !== undefined && now !== before)
      this.violations.push(`${key} moved from node ${before} to ${now}`)
    if (now !== undefined) this.#nodeOf.set(uid, now)
    if (now !== undefined && before === undefined && !isGone) this.#checkCapacity(now)
    this.#checkRollouts(pod)
  }

  #checkCapacity(name: string): void {
    const node = this.#objects.get(`/registry/core/nodes/${name}`) as Node | undefined
    const pods = this.objects<Pod>('Pod').filter((pod) => pod.spec.nodeName === name && !isPodTerminal(pod))
    for (const resource of ['cpu', 'memory']) {
      const used = pods.reduce((sum, pod) => sum + parseQuantity(podRequests(pod)[resource] ?? '0'), 0)
      const all = parseQuantity(node?.status?.allocatable?.[resource] ?? 'x')
      if (used > all + 1e-9) this.violations.push(`node ${name} has ${used} ${resource} of ${all}`)
    }
  }

  #checkRollouts(pod: Pod): void {
    const set = controllerOf(pod)
    if (set?.kind !== 'ReplicaSet') return
    const owner = [...this.#objects.values()].find((object) => object.metadata.uid === set.uid)
    const deploymentUid = owner && controllerOf(owner)?.uid
    const deployment = this.objects<Deployment>(deploymentKind.kind).find(
      ({ metadata }) => metadata.uid === deploymentUid,
    )
    if (!deployment || this.excused) return
    const wanted = deployment.spec.replicas ?? 0
    const rolling = deployment.spec.strategy?.rollingUpdate
    const pods = this.objects<Pod>('Pod').filter((other) => {
      const controller = controllerOf(other)
      const its =
        controller && [...this.#objects.values()].find((object) => object.metadata.uid === controller.uid)
      return (
        its &&
        controllerOf(its)?.uid === deploymentUid &&
        !other.metadata.deletionTimestamp &&
        !isPodTerminal(other)
      )
    })
    // What a Deployment decides are the sizes of its ReplicaSets; pods follow them.
    const sets = this.objects<ReplicaSet>('ReplicaSet').filter(
      (other) => controllerOf(other)?.uid === deploymentUid,
    )
    const sum = sets.reduce((all, { spec }) => all + (spec.replicas ?? 0), 0)
    const surge = scaledValue(rolling?.maxSurge, wanted, 'up')
    if (sum > wanted + surge)
      this.violations.push(
        `Deployment ${deployment.metadata.name} asks for ${sum} pods, more than ${wanted} + ${surge}`,
      )
    const available = pods.filter(isPodReady).length
    const unavailable = scaledValue(rolling?.maxUnavailable, wanted, 'down')
    if (available < wanted - unavailable)
      this.violations.push(
        `Deployment ${deployment.metadata.name} has ${available} pods available, fewer than ${wanted} - ${unavailable}`,
      )
  }
}
