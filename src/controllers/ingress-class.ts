/**
 * The entrance of IngressClasses that are served here: those of the controller seamark.dev/ingress, and those that say
 * so by an annotation whatever their controller is elsewhere. As an ingress controller's chart does, each has one Service
 * of type LoadBalancer, which gets an address of the declared pools; ingress.ts publishes it.
 */
import { type IngressClass, ingressClass } from '../api/kinds/ingress-class.ts'
import { type Service, service } from '../api/kinds/service.ts'
import { controllerOf, controllerReference, isBeingDeleted } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import type { Informers } from '../client/informers.ts'
import { type Controller, watched } from './controller.ts'

const CONTROLLER = 'seamark.dev/ingress'
const SERVED = 'seamark.dev/serve-ingress'
const HOME = 'kube-system'

export function isServed({ spec, metadata }: IngressClass): boolean {
  return spec.controller === CONTROLLER || metadata.annotations?.[SERVED] === 'true'
}

/** The class whose entrance a Service is. */
export function classOfEntrance(found: Service): string | undefined {
  const owner = controllerOf(found)
  return owner?.kind === 'IngressClass' && found.metadata.namespace === HOME ? owner.name : undefined
}

export function entranceOf({ metadata }: IngressClass, informers: Informers): Service | undefined {
  return informers
    .of(service)
    .byIndex('owner', metadata.uid ?? '')
    .find((each) => !isBeingDeleted(each))
}

export const ingressClassController: Controller<IngressClass> = {
  name: 'ingress-class',
  kind: ingressClass,
  watches: [
    // Owned across the border of namespaces: the owner's key has none.
    watched({
      kind: service,
      keys: ({ type, resource }) => {
        const name = classOfEntrance(resource)
        return type === 'updated' || name === undefined ? [] : [name]
      },
    }),
  ],
  async reconcile({ client, informers }, found) {
    if (isBeingDeleted(found)) return undefined
    const entrance = entranceOf(found, informers)
    if (!isServed(found)) {
      if (!entrance) return undefined
      const { namespace, name, uid } = entrance.metadata
      try {
        await client.delete(service, { namespace, name }, { preconditions: { uid } })
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
      return undefined
    }
    if (!entrance) await client.create(service, newEntrance(found))
    return undefined
  },
}

function newEntrance(found: IngressClass): Service {
  const name = `ingress-${found.metadata.name.replaceAll('.', '-')}`.slice(0, 57)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: '',
      generateName: `${name}-`,
      namespace: HOME,
      ownerReferences: [controllerReference(found)],
    },
    spec: {
      type: 'LoadBalancer',
      allocateLoadBalancerNodePorts: false,
      ports: [
        { name: 'http', port: 80 },
        { name: 'https', port: 443 },
      ],
    },
  }
}
