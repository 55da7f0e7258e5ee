import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { named, oneOf } from '../field-rules.ts'
import type { V1IngressClass, V1IngressClassParametersReference } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Subdomain } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type IngressClass = Stored<V1IngressClass>

const CONTROLLER_BYTES_MAX = 250

export function isDefaultIngressClass({ metadata }: IngressClass): boolean {
  return metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true'
}

export const ingressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  scope: 'Cluster',
  schema: 'V1IngressClass',
  applyWave: WAVE.classes,
  setDefaults: (resource) => {
    const { parameters } = resource.spec
    if (!parameters || parameters.scope !== undefined) return resource
    return { ...resource, spec: { ...resource.spec, parameters: { ...parameters, scope: 'Cluster' } } }
  },
  validate: ({ spec: { controller = '', parameters } }) => [
    ...validateController(controller),
    ...(parameters ? validateParameters(parameters) : []),
  ],
  validateUpdate: ({ spec }, { spec: old }) =>
    spec.controller === old.controller
      ? []
      : [fault.invalid('spec.controller', spec.controller, 'field is immutable')],
  columns: [
    nameColumn,
    textColumn(
      'Controller',
      'Controller that is responsible for handling this class',
      ({ spec }) => spec.controller ?? '',
    ),
    textColumn(
      'Parameters',
      'A reference to a resource with additional parameters',
      ({ spec: { parameters } }) =>
        parameters
          ? `${parameters.kind}${parameters.apiGroup ? `.${parameters.apiGroup}` : ''}/${parameters.name}`
          : '<none>',
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'nginx' },
    spec: { controller: 'k8s.io/ingress-nginx' },
  },
})

function validateController(controller: string): StatusCause[] {
  const path = 'spec.controller'
  if (controller === '') return []
  if (Buffer.byteLength(controller) > CONTROLLER_BYTES_MAX) return [fault.tooLong(path, CONTROLLER_BYTES_MAX)]
  const at = controller.indexOf('/')
  if (at < 0 || at === controller.length - 1)
    return [fault.invalid(path, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  const why = dns1123Subdomain(controller.slice(0, at))
  return why ? [fault.invalid(path, controller.slice(0, at), why)] : []
}

function validateParameters(parameters: V1IngressClassParametersReference): StatusCause[] {
  const { kind, name, scope, namespace } = parameters
  const path = 'spec.parameters'
  return [
    ...named(kind, () => undefined, `${path}.kind`),
    ...named(name, () => undefined, `${path}.name`),
    ...oneOf(scope, ['Cluster', 'Namespace'], `${path}.scope`),
    ...(scope === 'Namespace' && !namespace
      ? [fault.required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'")]
      : []),
    ...(scope === 'Cluster' && namespace
      ? [fault.forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'")]
      : []),
  ]
}
