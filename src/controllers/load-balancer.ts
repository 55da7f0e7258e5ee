/**
 * Gives Services of type LoadBalancer an address out of the declared pools, as a cloud's controller does: its events,
 * its finalizer (service.kubernetes.io/load-balancer-cleanup), its status. A Service with a loadBalancerClass of
 * somebody else is left to them.
 */
import { DEFAULT_LOAD_BALANCER_CIDR, loadBalancerPool } from '../api/kinds/load-balancer-pool.ts'
import { type Service, service } from '../api/kinds/service.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import { isBalancedHere } from '../api/service-changes.ts'
import type { Informers } from '../client/informers.ts'
import { type Controller, type ReconcileContext, watched } from './controller.ts'
import { freeAddress } from './load-balancer-addresses.ts'
import { balancerNews } from './load-balancer-news.ts'

const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup'
const ENSURING = ['EnsuringLoadBalancer', 'Ensuring load balancer'] as const
const ENSURED = ['EnsuredLoadBalancer', 'Ensured load balancer'] as const

const wantsLoadBalancer = ({ spec }: Service): boolean => isBalancedHere(spec)
const addressesOf = ({ status }: Service): readonly string[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
const hasFinalizer = ({ metadata }: Service): boolean => metadata.finalizers?.includes(FINALIZER) === true

export function loadBalancerController(): Controller<Service> {
  /** Given by this process: another Service's reconcile may run before the informer has the write. */
  const given = new Map<string, string>()
  /** As each Service was when it was looked at last. */
  const known = new Map<string, Service>()
  return {
    name: 'service-lb',
    kind: service,
    concurrency: 1,
    watches: [
      // A new range may have room for those that found none, and so has what another one gave back.
      watched({ kind: loadBalancerPool, keys: (_, informers) => waiting(informers) }),
      watched({
        kind: service,
        keys: ({ type, resource, previous }, informers) => {
          const before = type === 'deleted' ? resource : previous
          const isFreed =
            before !== undefined &&
            addressesOf(before).length > 0 &&
            (type === 'deleted' || addressesOf(resource).length === 0)
          return isFreed ? waiting(informers) : []
        },
      }),
    ],
    async reconcile(context, found) {
      const key = keyOf(found)
      const before = known.get(key) ?? found
      known.set(key, found)
      const isBalanced = wantsLoadBalancer(found)
      const news = balancerNews(before, found)
      if (isBalanced || wantsLoadBalancer(before))
        for (const [reason, message] of news.events) context.events.event(found, 'Normal', reason, message)
      if (isBeingDeleted(found) || !isBalanced) {
        if (hasFinalizer(found)) await release(context, found)
        given.delete(key)
        return undefined
      }
      const [current] = addressesOf(found)
      if (current === undefined || !hasFinalizer(found)) {
        await ensure(context, found, given)
        return undefined
      }
      given.set(key, current)
      if (news.isNeeded)
        for (const [reason, message] of [ENSURING, ENSURED])
          context.events.event(found, 'Normal', reason, message)
      return undefined
    },
    deleted(_, key) {
      given.delete(key)
      known.delete(key)
      return Promise.resolve(undefined)
    },
  }
}

function waiting(informers: Informers): string[] {
  return informers
    .of(service)
    .list()
    .filter((each) => wantsLoadBalancer(each) && addressesOf(each).length === 0)
    .map(keyOf)
}

async function ensure(
  { client, informers, events }: ReconcileContext,
  found: Service,
  given: Map<string, string>,
): Promise<void> {
  const key = keyOf(found)
  events.event(found, 'Normal', ...ENSURING)
  const address = addressesOf(found)[0] ?? given.get(key) ?? pick(informers, found, given)
  if (address === undefined) {
    const asked = found.spec.loadBalancerIP
      ? `address ${found.spec.loadBalancerIP} is not free in`
      : 'no address is left in'
    const why = `${asked} ${cidrsOf(informers).join(', ')}; declare a LoadBalancerPool with more`
    const message = `Error syncing load balancer: failed to ensure load balancer: ${why}`
    events.event(found, 'Warning', 'SyncLoadBalancerFailed', message)
    return
  }
  given.set(key, address)
  const { finalizers = [] } = found.metadata
  const held = hasFinalizer(found)
    ? found
    : await client.update(service, {
        ...found,
        metadata: { ...found.metadata, finalizers: [...finalizers, FINALIZER] },
      })
  const loadBalancer = { ingress: [{ ip: address, ipMode: 'VIP' }] }
  await client.update(
    service,
    { ...held, status: { ...held.status, loadBalancer } },
    { subresource: 'status' },
  )
  events.event(found, 'Normal', ...ENSURED)
}

function cidrsOf(informers: Informers): readonly string[] {
  const pools = informers
    .of(loadBalancerPool)
    .list()
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  return pools.length === 0 ? [DEFAULT_LOAD_BALANCER_CIDR] : pools.flatMap(({ spec }) => spec.cidrs)
}

function pick(informers: Informers, found: Service, given: ReadonlyMap<string, string>): string | undefined {
  const others = informers
    .of(service)
    .list()
    .filter((other) => keyOf(other) !== keyOf(found))
  const used = new Set([...given.values(), ...others.flatMap(addressesOf)])
  return freeAddress(cidrsOf(informers), used, found.spec.loadBalancerIP)
}

async function release({ client, events }: ReconcileContext, found: Service): Promise<void> {
  events.event(found, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer')
  const { loadBalancer: _, ...status } = found.status ?? {}
  const cleared =
    addressesOf(found).length === 0
      ? found
      : await client.update(
          service,
          { ...found, status: { ...status, loadBalancer: {} } },
          { subresource: 'status' },
        )
  const finalizers = cleared.metadata.finalizers?.filter((each) => each !== FINALIZER)
  await client.update(service, { ...cleared, metadata: { ...cleared.metadata, finalizers } })
  events.event(found, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer')
}
