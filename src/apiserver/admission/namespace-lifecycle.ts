import { namespace as namespaceKind } from '../../api/kinds/namespace.ts'
import { ApiError, forbidden, notFound } from '../../api/status.ts'
import type { Admission } from './admission.ts'

const PROTECTED = ['default', 'kube-system', 'kube-public']

/** Nothing is made in a namespace that is not there or is going; the system's own namespaces stay. */
export const namespaceLifecycle: Admission = {
  name: 'NamespaceLifecycle',
  concerns: ({ operation, kind, subresource }) =>
    operation === 'DELETE'
      ? kind === namespaceKind
      : operation === 'CREATE' && kind.scope === 'Namespaced' && subresource === '',
  validate({ operation, kind, object }) {
    if (operation === 'DELETE' && PROTECTED.includes(object.metadata.name)) {
      throw forbidden(kind, object.metadata.name, 'this namespace may not be deleted')
    }
  },
  // Among the mutating ones, as in Kubernetes: a missing namespace is said before anything else about the object.
  async mutate({ operation, kind, object, reader }) {
    if (operation !== 'CREATE') return object
    const name = object.metadata.namespace ?? ''
    const namespace = await reader.find(namespaceKind, { name })
    if (!namespace) throw notFound(namespaceKind, name)
    if (namespace.metadata.deletionTimestamp === undefined && namespace.status?.phase !== 'Terminating')
      return object
    const why = `unable to create new content in namespace ${name} because it is being terminated`
    const refusal = forbidden(kind, object.metadata.name, why)
    throw new ApiError('Forbidden', refusal.message, {
      ...(refusal.details ? { details: refusal.details } : {}),
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${name} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    })
  },
}
