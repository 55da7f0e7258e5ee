/** Keeps one IPAddress for each cluster IP of each Service, as kube-apiserver shows what it has given out. */

import { isIpv6 } from '../api/ip-networks.ts'
import { type IPAddress, ipAddress } from '../api/kinds/ip-address.ts'
import { type Service, service } from '../api/kinds/service.ts'
import { keyOf, parseKey } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { type Controller, type ReconcileContext, watched } from './controller.ts'

export const IP_MANAGED_BY = 'ipaddress.kubernetes.io/managed-by'
export const IP_MANAGER = 'ipallocator.k8s.io'

export const ipAddressController: Controller<Service> = {
  name: 'ip-address',
  kind: service,
  watches: [watched({ kind: ipAddress, keys: ({ resource }) => parentOf(resource) ?? [] })],
  async reconcile(context, found) {
    const wanted = (found.spec.clusterIPs ?? []).filter((ip) => ip !== 'None')
    for (const ip of wanted) await ensure(context, found, ip)
    await release(context, keyOf(found), wanted)
    return undefined
  },
  async deleted(context, key) {
    await release(context, key, [])
    return undefined
  },
}

function parentOf({ spec: { parentRef } }: IPAddress): string[] | undefined {
  return parentRef.resource === 'services' && !parentRef.group
    ? [keyOf({ metadata: { namespace: parentRef.namespace, name: parentRef.name } })]
    : undefined
}

async function ensure({ client, informers }: ReconcileContext, found: Service, ip: string): Promise<void> {
  const held = informers.of(ipAddress).get(ip)
  const { namespace, name } = found.metadata
  if (held && parentOf(held)?.[0] === keyOf(found)) return
  // The address is the Service's by now: who had it before has it no more.
  if (held) await remove({ client }, held)
  try {
    await client.create(ipAddress, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: {
        name: ip,
        labels: {
          'ipaddress.kubernetes.io/ip-family': isIpv6(ip) ? 'IPv6' : 'IPv4',
          [IP_MANAGED_BY]: IP_MANAGER,
        },
      },
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
