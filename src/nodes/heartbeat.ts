import { type Lease, lease as leaseKind } from '../api/kinds/lease.ts'
import { type Node, node as nodeKind } from '../api/kinds/node.ts'
import { isReason } from '../api/status.ts'
import { formatMicroTime } from '../base/date.ts'
import type { Env } from '../base/env.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../client/events.ts'
import { retryOnConflict } from '../client/on-conflict.ts'
import { changesOf, isNews } from './node-status.ts'

const LEASE_NAMESPACE = 'kube-node-lease'
const LEASE_SECONDS = 40
/** The status is posted when it changes, and this often at least. */
const STATUS_MS = 5 * 60_000

/** One node's signs of life: its lease at every beat, its status when it says something new or is old. */
export class Heartbeat {
  readonly #env: Env
  readonly #client: Client
  readonly #events: EventRecorder
  readonly #wantedStatus: (node: Node) => Node['status']
  #postedAt = Number.NEGATIVE_INFINITY
  #hasLease = false
  #wasCordoned: boolean | undefined

  constructor(env: Env, client: Client, events: EventRecorder, wantedStatus: (node: Node) => Node['status']) {
    this.#events = events
    this.#env = env
    this.#client = client
    this.#wantedStatus = wantedStatus
  }

  /** Neither waits for the other. Throws what the API throws. */
  async beat(node: Node): Promise<void> {
    this.#tellWhetherSchedulable(node)
    const results = await Promise.allSettled([this.#renewLease(node), this.#post(node)])
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  #tellWhetherSchedulable(node: Node): void {
    const isCordoned = node.spec?.unschedulable === true
    const was = this.#wasCordoned
    this.#wasCordoned = isCordoned
    if (was === undefined || was === isCordoned) return
    this.#say(node, isCordoned ? 'NodeNotSchedulable' : 'NodeSchedulable')
  }

  #say(node: Node, reason: string): void {
    this.#events.event(node, 'Normal', reason, `Node ${node.metadata.name} status is now: ${reason}`)
  }

  async #post(node: Node): Promise<void> {
    const { name, uid } = node.metadata
    const now = this.#env.clock.now()
    if (!isNews(this.#wantedStatus(node), node.status) && now - this.#postedAt < STATUS_MS) return
    await retryOnConflict(async () => {
      const current = await this.#client.get(nodeKind, { name })
      if (current.metadata.uid !== uid) return
      const status = this.#wantedStatus(current)
      if (!status) return
      await this.#client.update(nodeKind, { ...current, status }, { subresource: 'status' })
      for (const reason of changesOf(current.status, status)) this.#say(current, reason)
    })
    this.#postedAt = now
  }

  async #renewLease({ metadata: { name, uid } }: Node): Promise<void> {
    const renewTime = formatMicroTime(this.#env.clock.now())
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime }
    if (this.#hasLease) {
      try {
        await this.#client.patch(leaseKind, { namespace: LEASE_NAMESPACE, name }, 'merge', { spec })
        return
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    }
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid: uid ?? '' }]
    const lease: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: LEASE_NAMESPACE, ownerReferences },
      spec,
    }
    try {
      await this.#client.create(leaseKind, lease)
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error
      await this.#client.patch(leaseKind, { namespace: LEASE_NAMESPACE, name }, 'merge', {
        metadata: { ownerReferences },
        spec,
      })
    }
    this.#hasLease = true
  }
}
