import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { findCondition } from '../conditions.ts'
import type { V1APIService } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ApiService = Stored<V1APIService>

/** What is said of a group version that this server serves itself. */
export const LOCAL = {
  type: 'Available',
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
} as const

export const apiService = defineKind<ApiService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  scope: 'Cluster',
  categories: ['api-extensions'],
  schema: 'V1APIService',
  hasGeneration: false,
  applyWave: WAVE.definitions,
  subresources: { status: true },
  nameRule: 'path-segment',
  setDefaults(resource) {
    const { service } = resource.spec
    if (!service || service.port !== undefined) return resource
    return { ...resource, spec: { ...resource.spec, service: { ...service, port: 443 } } }
  },
  validate: validateApiService,
  prepareForCreate: (resource) =>
    resource.spec.service
      ? resource
      : {
          ...resource,
          status: { conditions: [{ ...LOCAL, lastTransitionTime: resource.metadata.creationTimestamp }] },
        },
  columns: [
    nameColumn,
    textColumn(
      'Service',
      'The reference to the service that hosts this API endpoint.',
      ({ spec: { service } }) => (service ? `${service.namespace}/${service.name}` : 'Local'),
    ),
    textColumn('Available', 'Whether this service is available.', ({ status }) => {
      const condition = findCondition(status?.conditions, 'Available')
      if (!condition) return 'Unknown'
      return condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason ?? ''})`
    }),
    ageColumn,
  ],
  health({ status }) {
    const condition = findCondition(status?.conditions, 'Available')
    if (condition?.status === 'True') return { status: 'Healthy' }
    return { status: 'Progressing', message: condition?.message ?? 'Waiting to be processed' }
  },
  example: {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.example.com' },
    spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15 },
  },
})

function validateApiService({ metadata, spec }: ApiService): StatusCause[] {
  const { group = '', version = '', groupPriorityMinimum, versionPriority, service, caBundle } = spec
  const faults: StatusCause[] = []
  const required = `${version}.${group}`
  if (metadata.name !== required)
    faults.push(
      fault.invalid(
        'metadata.name',
        metadata.name,
        `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(required)}`,
      ),
    )
  if (!version) faults.push(fault.required('spec.version'))
  if (group === '' && version !== 'v1')
    faults.push(fault.required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000)
    faults.push(
      fault.invalid(
        'spec.groupPriorityMinimum',
        groupPriorityMinimum,
        'must be positive and less than 20000',
      ),
    )
  if (versionPriority <= 0 || versionPriority > 1000)
    faults.push(fault.invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'))
  if (!service) {
    if (caBundle)
      faults.push(
        fault.invalid(
          'spec.caBundle',
          `${caBundle.length} bytes`,
          'local APIServices may not have a caBundle',
        ),
      )
    if (spec.insecureSkipTLSVerify)
      faults.push(
        fault.invalid(
          'spec.insecureSkipTLSVerify',
          true,
          'local APIServices may not have insecureSkipTLSVerify',
        ),
      )
    return faults
  }
  if (!service.namespace) faults.push(fault.required('spec.service.namespace'))
  if (!service.name) faults.push(fault.required('spec.service.name'))
  if (spec.insecureSkipTLSVerify && caBundle)
    faults.push(fault.invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
  return faults
}
