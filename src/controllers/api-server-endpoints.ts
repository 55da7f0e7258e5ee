/**
 * The endpoints of the Service "kubernetes": where the API server is. As kube-apiserver it says the address it listens
 * on, or this machine's where that is every address. One that listens on its loopback only is said at the machine's
 * address too, but as not ready: endpoints may not be loopback addresses, and nobody else can reach it.
 */

import { isIpv6, specialIp } from '../api/ip-networks.ts'
import type { KindRef } from '../api/kind.ts'
import { type EndpointSlice, endpointSlice } from '../api/kinds/endpoint-slice.ts'
import { type Endpoints, endpoints } from '../api/kinds/endpoints.ts'
import type { Resource } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import { ownAddress } from '../base/own-address.ts'
import { WorkQueue } from '../base/work-queue.ts'
import type { Client } from '../client/client.ts'
import type { Loop } from './controller.ts'
import { SERVICE_NAME } from './service-pods.ts'

const KEY = { namespace: 'default', name: 'kubernetes' }
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror'

export interface Listening {
  /** As it was asked for: an address, or a name for one. */
  readonly host: string
  readonly port: number
}

interface Wanted {
  readonly endpoints: Endpoints
  readonly slice: EndpointSlice
}

/** Undefined when there is no address that could be said. Pure. */
export function apiServerEndpoints({ host, port }: Listening, own: string | undefined): Wanted | undefined {
  const isAddress = /^[\d.]+$|:/.test(host)
  const why = isAddress ? specialIp(host) : 'a name'
  const ip = isAddress && why === undefined ? host : own
  if (ip === undefined) return undefined
  const isReady = why === undefined || /unspecified/.test(why)
  const ports = [{ name: 'https', port, protocol: 'TCP' }]
  return {
    endpoints: {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { ...KEY, labels: { [SKIP_MIRROR]: 'true' } },
      subsets: [{ [isReady ? 'addresses' : 'notReadyAddresses']: [{ ip }], ports }],
    },
    slice: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...KEY, labels: { [SERVICE_NAME]: KEY.name } },
      addressType: isIpv6(ip) ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [ip], conditions: { ready: isReady } }],
      ports,
    },
  }
}

export function apiServerEndpointsLoop(listening: Listening): Loop {
  return {
    name: 'api-server-endpoints',
    start({ client: given, informers, env }) {
      const client = given.as('kube-apiserver')
      const wanted = apiServerEndpoints(listening, ownAddress())
      const queue = new WorkQueue(env.clock, {
        backoffMaxMs: 30_000,
        async work() {
          if (!wanted) return
          await keep(client, endpoints, wanted.endpoints, ({ metadata, subsets }) => [
            metadata.labels,
            subsets,
          ])
          await keep(
            client,
            endpointSlice,
            wanted.slice,
            ({ metadata, addressType, endpoints: all, ports }) => [metadata.labels, addressType, all, ports],
          )
        },
        // The namespace is made a moment after the start.
        onError: (_, error) => env.log.debug({ err: error }, 'endpoints of the API server not written'),
      })
      const look = ({ resource: { metadata } }: { readonly resource: Resource }) => {
        if (metadata.namespace === KEY.namespace && metadata.name === KEY.name) queue.add(KEY.name)
      }
      queue.add(KEY.name)
      const cancels = [informers.of(endpoints).onChange(look), informers.of(endpointSlice).onChange(look)]
      return {
        async stop() {
          for (const cancel of cancels) cancel()
          await queue.close()
        },
      }
    },
  }
}

/** Made anew where its address family is another now, which nobody may change. */
async function keep<R extends Resource>(
  client: Client,
  kind: KindRef<R>,
  wanted: R,
  factsOf: (resource: R) => unknown,
): Promise<void> {
  const held = await client.get(kind, KEY).catch((error: unknown) => {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  })
  if (held && deepEqual(factsOf(held), factsOf(wanted))) return
  if (!held) return void (await client.create(kind, wanted))
  try {
    await client.update(kind, { ...wanted, metadata: { ...held.metadata, ...wanted.metadata } })
  } catch (error) {
    if (!isReason(error, 'Invalid')) throw error
    await client.delete(kind, KEY)
    await client.create(kind, wanted)
  }
}
