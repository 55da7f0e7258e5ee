import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'

import type { V1MutatingAdmissionPolicyBinding } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { validateBinding, withBindingDefaults } from '../policy-validation.ts'
import type { Stored } from '../resource.ts'
import type { StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type MutatingAdmissionPolicyBinding = Stored<V1MutatingAdmissionPolicyBinding>

export const mutatingAdmissionPolicyBinding = defineKind<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  scope: 'Cluster',
  categories: ['api-extensions'],
  schema: 'V1MutatingAdmissionPolicyBinding',
  hasGeneration: true,
  applyWave: WAVE.admission,
  setDefaults: (resource) => ({ ...resource, spec: withBindingDefaults(resource.spec) }),
  validate({ spec }) {
    const faults: StatusCause[] = validateBinding(spec)
    return faults
  },
  columns: [
    nameColumn,
    textColumn(
      'PolicyName',
      'PolicyName indicates the policy definition which the policy binding binded to',
      ({ spec }) => spec.policyName ?? '',
    ),
    textColumn(
      'ParamRef',
      'ParamRef indicates the param resource which sets the configration param',
      ({ spec: { paramRef } }) =>
        paramRef?.name
          ? `${paramRef.namespace ?? '*'}/${paramRef.name}`
          : paramRef?.selector
            ? 'selector'
            : '<unset>',
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: 'label-pods' },
    spec: { policyName: 'label-pods' },
  },
})
