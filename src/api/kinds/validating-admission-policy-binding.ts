import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { oneOf } from '../field-rules.ts'
import type { V1ValidatingAdmissionPolicyBinding } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { validateBinding, withBindingDefaults } from '../policy-validation.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ValidatingAdmissionPolicyBinding = Stored<V1ValidatingAdmissionPolicyBinding>

export const validatingAdmissionPolicyBinding = defineKind<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  scope: 'Cluster',
  categories: ['api-extensions'],
  schema: 'V1ValidatingAdmissionPolicyBinding',
  hasGeneration: true,
  applyWave: WAVE.admission,
  setDefaults: (resource) => ({ ...resource, spec: withBindingDefaults(resource.spec) }),
  validate({ spec }) {
    const faults: StatusCause[] = validateBinding(spec)
    const { validationActions } = spec
    if (validationActions.length === 0) faults.push(fault.required('spec.validationActions'))
    for (const [i, action] of validationActions.entries()) {
      faults.push(...oneOf(action, ['Audit', 'Deny', 'Warn'], `spec.validationActions[${i}]`))
      if (validationActions.indexOf(action) < i)
        faults.push(fault.duplicate(`spec.validationActions[${i}]`, action))
    }
    if (validationActions.includes('Deny') && validationActions.includes('Warn'))
      faults.push(
        fault.invalid(
          'spec.validationActions',
          validationActions,
          'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
        ),
      )
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
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'few-replicas' },
    spec: { policyName: 'few-replicas', validationActions: ['Deny'] },
  },
})
