import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import type { V1ValidatingAdmissionPolicy } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { validateExpression } from '../match-condition-validation.ts'
import { validatePolicy, validateValidation, withPolicyDefaults } from '../policy-validation.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ValidatingAdmissionPolicy = Stored<V1ValidatingAdmissionPolicy>

export const validatingAdmissionPolicy = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  scope: 'Cluster',
  categories: ['api-extensions'],
  schema: 'V1ValidatingAdmissionPolicy',
  hasGeneration: true,
  applyWave: WAVE.admission,
  subresources: { status: true },
  setDefaults: (resource) => ({ ...resource, spec: withPolicyDefaults(resource.spec) }),
  validate({ spec }) {
    const faults: StatusCause[] = validatePolicy(spec)
    const { validations = [], auditAnnotations = [] } = spec
    if (validations.length === 0 && auditAnnotations.length === 0)
      faults.push(
        fault.required('spec.validations', 'validations or auditAnnotations must contain at least one item'),
      )
    faults.push(...validations.flatMap((each, i) => validateValidation(each, `spec.validations[${i}]`)))
    for (const [i, { key, valueExpression }] of auditAnnotations.entries()) {
      const at = `spec.auditAnnotations[${i}]`
      if (!key) faults.push(fault.required(`${at}.key`))
      faults.push(
        ...validateExpression(valueExpression, `${at}.valueExpression`, 'policy', ['string', 'null']),
      )
    }
    return faults
  },
  columns: [
    nameColumn,
    {
      name: 'Validations',
      type: 'integer',
      description: 'Validations indicates the number of validation rules defined in this configuration',
      value: ({ spec }) => spec.validations?.length ?? 0,
    },
    textColumn(
      'ParamKind',
      'ParamKind specifies the kind of resources used to parameterize this policy',
      ({ spec: { paramKind } }) => (paramKind ? `${paramKind.apiVersion}/${paramKind.kind}` : '<unset>'),
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'few-replicas' },
    spec: {
      matchConstraints: {
        resourceRules: [
          {
            operations: ['CREATE', 'UPDATE'],
            apiGroups: ['apps'],
            apiVersions: ['v1'],
            resources: ['deployments'],
          },
        ],
      },
      validations: [{ expression: 'object.spec.replicas <= 5' }],
    },
  },
})
