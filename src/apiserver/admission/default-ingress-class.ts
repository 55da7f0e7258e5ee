import { ingress as ingressKind } from '../../api/kinds/ingress.ts'
import { ingressClass, isDefaultIngressClass } from '../../api/kinds/ingress-class.ts'
import { type AnyResource, newestOf } from '../../api/resource.ts'
import { type Admission, creationOf } from './admission.ts'

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

/** An Ingress that names no class gets the default one, where there is one. */
export const defaultIngressClass: Admission = {
  name: 'DefaultIngressClass',
  concerns: creationOf(ingressKind),
  async mutate({ object, reader }) {
    const isNamed =
      object.spec?.['ingressClassName'] !== undefined ||
      object.metadata.annotations?.[CLASS_ANNOTATION] !== undefined
    if (isNamed) return object
    const found = newestOf((await reader.all(ingressClass)).filter(isDefaultIngressClass))
    if (!found) return object
    return { ...object, spec: { ...object.spec, ingressClassName: found.metadata.name } } as AnyResource
  },
}
