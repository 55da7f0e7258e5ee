/**
 * Says in the status of each Ingress where its class takes traffic in: the addresses of the class's entrance
 * (ingress-class.ts), as ingress-nginx publishes those of its Service. An Ingress of a class of somebody else is theirs.
 */
import type { V1IngressLoadBalancerIngress } from '../api/generated/types.ts'
import { type Ingress, ingress } from '../api/kinds/ingress.ts'
import { ingressClass } from '../api/kinds/ingress-class.ts'
import { service } from '../api/kinds/service.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import { deepEqual } from '../base/json.ts'
import type { Informers } from '../client/informers.ts'
import { type Controller, watched } from './controller.ts'
import { classOfEntrance, entranceOf, isServed } from './ingress-class.ts'

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

const classOf = ({ spec, metadata }: Ingress): string | undefined =>
  spec.ingressClassName ?? metadata.annotations?.[CLASS_ANNOTATION]

const ofClass = (name: string | undefined, informers: Informers): string[] =>
  name === undefined
    ? []
    : informers
        .of(ingress)
        .list()
        .filter((each) => classOf(each) === name)
        .map(keyOf)

export const ingressController: Controller<Ingress> = {
  name: 'ingress',
  kind: ingress,
  watches: [
    watched({
      kind: ingressClass,
      keys: ({ resource }, informers) => ofClass(resource.metadata.name, informers),
    }),
    watched({
      kind: service,
      keys: ({ resource }, informers) => ofClass(classOfEntrance(resource), informers),
    }),
  ],
  async reconcile({ client, informers }, found) {
    const served = informers.of(ingressClass).get(classOf(found) ?? '')
    if (isBeingDeleted(found) || !served || !isServed(served)) return undefined
    const addresses = entranceOf(served, informers)?.status?.loadBalancer?.ingress ?? []
    const wanted = addresses.map(
      ({ ip, hostname }): V1IngressLoadBalancerIngress => ({
        ...(ip ? { ip } : {}),
        ...(hostname ? { hostname } : {}),
      }),
    )
    if (deepEqual(found.status?.loadBalancer?.ingress ?? [], wanted)) return undefined
    const loadBalancer = wanted.length > 0 ? { ingress: wanted } : {}
    await client.update(
      ingress,
      { ...found, status: { ...found.status, loadBalancer } },
      { subresource: 'status' },
    )
    return undefined
  },
}
