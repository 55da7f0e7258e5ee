/**
 * Says of ServiceCIDRs that they are ready, and keeps one that is being deleted for as long as addresses of it are in
 * use that no other ServiceCIDR has. Once free it stays another 10 s, so that nothing is given out of it meanwhile.
 */
import { findCondition, setCondition } from '../api/conditions.ts'
import type { V1Condition } from '../api/generated/types.ts'
import { isStrictSubset } from '../api/ip-networks.ts'
import { isInNetwork } from '../api/ip-range.ts'
import { ipAddress } from '../api/kinds/ip-address.ts'
import { type ServiceCIDR, serviceCidr } from '../api/kinds/service-cidr.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { formatTime, parseTime } from '../base/date.ts'
import type { Informers } from '../client/informers.ts'
import { type Controller, type ReconcileContext, watched } from './controller.ts'
import { IP_MANAGED_BY, IP_MANAGER } from './ip-address.ts'

const FINALIZER = 'networking.k8s.io/service-cidr-finalizer'
const GRACE_MS = 10_000

const READY = {
  type: 'Ready',
  status: 'True',
  reason: '',
  message: 'Kubernetes Service CIDR is ready',
}
const HELD = {
  type: 'Ready',
  status: 'False',
  reason: 'Terminating',
  message:
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
}

const going = (_: unknown, informers: Informers): string[] =>
  informers
    .of(serviceCidr)
    .list()
    .filter(isBeingDeleted)
    .map(({ metadata }) => metadata.name)

export const serviceCidrController: Controller<ServiceCIDR> = {
  name: 'service-cidr',
  kind: serviceCidr,
  watches: [
    watched({ kind: serviceCidr, keys: going }),
    watched({
      kind: ipAddress,
      keys: (change, informers) => (change.type === 'updated' ? [] : going(change, informers)),
    }),
  ],
  async reconcile(context, found) {
    const { client, informers, env } = context
    const { finalizers = [], deletionTimestamp } = found.metadata
    if (!isBeingDeleted(found)) {
      const held = finalizers.includes(FINALIZER)
        ? found
        : await client.update(serviceCidr, {
            ...found,
            metadata: { ...found.metadata, finalizers: [...finalizers, FINALIZER] },
          })
      await say(context, held, READY)
      return undefined
    }
    if (!finalizers.includes(FINALIZER)) return undefined
    const others = informers
      .of(serviceCidr)
      .list()
      .filter(({ metadata }) => metadata.name !== found.metadata.name)
    const given = informers
      .of(ipAddress)
      .list()
      .filter(({ metadata }) => metadata.labels?.[IP_MANAGED_BY] === IP_MANAGER)
    if (
      isNeeded(
        found,
        others,
        given.map(({ metadata }) => metadata.name),
      )
    ) {
      await say(context, found, HELD)
      return undefined
    }
    const leftMs = (parseTime(deletionTimestamp) ?? 0) + GRACE_MS - env.clock.now()
    if (leftMs > 0) return { requeueAfterMs: leftMs }
    const left = finalizers.filter((each) => each !== FINALIZER)
    await client.update(serviceCidr, { ...found, metadata: { ...found.metadata, finalizers: left } })
    return undefined
  },
}

async function say({ client, env }: ReconcileContext, found: ServiceCIDR, said: typeof READY): Promise<void> {
  const known = findCondition(found.status?.conditions, said.type)
  if (known?.status === said.status && known.message === said.message) return
  const now = env.clock.now()
  const told: V1Condition = { ...said, lastTransitionTime: formatTime(now) }
  const conditions = setCondition(found.status?.conditions, told, now)
  await client.update(
    serviceCidr,
    { ...found, status: { ...found.status, conditions } },
    { subresource: 'status' },
  )
}

/** Whether an address would be left without any ServiceCIDR. Pure. */
export function isNeeded(
  { spec }: ServiceCIDR,
  others: readonly ServiceCIDR[],
  given: readonly string[],
): boolean {
  const cidrs = spec.cidrs ?? []
  const left = others.flatMap((other) => other.spec.cidrs ?? [])
  const isCovered = (cidr: string) => left.some((other) => other === cidr || isStrictSubset(cidr, other))
  return cidrs
    .filter((cidr) => !isCovered(cidr))
    .some((cidr) =>
      given.some((ip) => isInNetwork(cidr, ip) && !left.some((other) => isInNetwork(other, ip))),
    )
}
