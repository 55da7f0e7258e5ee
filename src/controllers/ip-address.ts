/** Keeps one IPAddress for each cluster IP of each Service, as kube-apiserver shows what it has given out. */

import { type IPAddress, ipAddress } from '../api/kinds/ip-address.ts'
import { type Service, service } from '../api/kinds/service.ts'
import { keyOf, parseKey } from '../api/resource.ts'
import { familyOf } from '../api/service-families.ts'
import { isReason } from '../api/status.ts'
import { type Controller, type ReconcileContext, watched } from './controller.ts'

export const IP_MANAGED_BY = 'ipaddress.kubernetes.io/managed-by'
export const IP_MANAGER = 'ipallocator.k8s.io'

export function ipAddressController(): Controller<Service> {
  /** What each Service had: that it is not there any more is somebody's doing, and said. */
  const held = new Map<string, readonly string[]>()
  return {
    name: 'ip-address',
    kind: service,
    watches: [watched({ kind: ipAddress, keys: ({ resource }) => parentOf(resource) ?? [] })],
    async reconcile(context, found) {
      const key = keyOf(found)
      const wanted = (found.spec.clusterIPs ?? []).filter((ip) => ip !== 'None')
      for (const ip of wanted) await ensure(context, found, ip, held.get(key)?.includes(ip) === true)
      await release(context, key, wanted)
      held.set(key, wanted)
      return undefined
    },
    async deleted(context, key) {
      held.delete(key)
      await release(context, key, [])
      return undefined
    },
  }
}

function parentOf({ spec: { parentRef } }: IPAddress): string[] | undefined {
  return parentRef.resource === 'services' && !parentRef.group
    ? [keyOf({ metadata: { namespace: parentRef.namespace, name: parentRef.name } })]
    : undefined
}

async function ensure(
  { client, informers, events }: ReconcileContext,
  found: Service,
  ip: string,
  wasHeld: boolean,
): Promise<void> {
  const known = informers.of(ipAddress).get(ip)
  const { namespace, name } = found.metadata
  const family = familyOf(ip)
  const labels = { 'ipaddress.kubernetes.io/ip-family': family, [IP_MANAGED_BY]: IP_MANAGER }
  const isOurs = known !== undefined && parentOf(known)?.[0] === keyOf(found)
  const isLabelled = Object.entries(labels).every(([key, value]) => known?.metadata.labels?.[key] === value)
  if (isOurs && isLabelled) return
  if (isOurs)
    events.event(
      found,
      'Warning',
      'IPAddressNotAllocated',
      `IPAddress: ${ip} for Service ${keyOf(found)} has corrupted labels; cleaning up`,
    )
  // The address is the Service's by now: who had it before has it no more.
  else if (known)
    events.event(
      found,
      'Warning',
      'IPAddressNotAllocated',
      `the ClusterIP [${family}]: ${ip} for Service ${keyOf(found)} has a wrong reference; repairing`,
    )
  else if (wasHeld)
    events.event(
      found,
      'Warning',
      'ClusterIPNotAllocated',
      `Cluster IP [${family}]: ${ip} is not allocated; repairing`,
    )
  if (known) await remove({ client }, known)
  try {
    await client.create(ipAddress, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: { name: ip, labels },
      spec: { parentRef: { group: '', resource: 'services', namespace, name } },
    })
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
  }
}

async function release(
  { client, informers }: ReconcileContext,
  key: string,
  wanted: readonly string[],
): Promise<void> {
  const { namespace, name } = parseKey(key)
  const mine = informers
    .of(ipAddress)
    .list()
    .filter(
      ({ metadata, spec: { parentRef } }) =>
        parentRef.name === name &&
        parentRef.namespace === namespace &&
        parentRef.resource === 'services' &&
        metadata.labels?.[IP_MANAGED_BY] === IP_MANAGER &&
        !wanted.includes(metadata.name),
    )
  for (const each of mine) await remove({ client }, each)
}

async function remove({ client }: Pick<ReconcileContext, 'client'>, { metadata }: IPAddress): Promise<void> {
  try {
    await client.delete(ipAddress, { name: metadata.name }, { preconditions: { uid: metadata.uid } })
  } catch (error) {
    if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
  }
}
