import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { oneOf } from '../field-rules.ts'
import type { V1MutatingAdmissionPolicy, V1Mutation } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { validateExpression } from '../match-condition-validation.ts'
import { validatePolicy, withPolicyDefaults } from '../policy-validation.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type MutatingAdmissionPolicy = Stored<V1MutatingAdmissionPolicy>

export const mutatingAdmissionPolicy = defineKind<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  scope: 'Cluster',
  categories: ['api-extensions'],
  schema: 'V1MutatingAdmissionPolicy',
  hasGeneration: true,
  applyWave: WAVE.admission,
  setDefaults: (resource) => ({
    ...resource,
    spec: {
      ...withPolicyDefaults(resource.spec),
      reinvocationPolicy: resource.spec.reinvocationPolicy ?? 'Never',
    },
  }),
  validate({ spec }) {
    const faults: StatusCause[] = validatePolicy(spec)
    const { mutations = [], reinvocationPolicy } = spec
    if (mutations.length === 0)
      faults.push(fault.required('spec.mutations', 'mutations must contain at least one item'))
    faults.push(...oneOf(reinvocationPolicy, ['IfNeeded', 'Never'], 'spec.reinvocationPolicy'))
    return [
      ...faults,
      ...mutations.flatMap((mutation, i) => validateMutation(mutation, `spec.mutations[${i}]`)),
    ]
  },
  columns: [
    nameColumn,
    {
      name: 'Mutations',
      type: 'integer',
      description: 'Mutation indicates the number of mutations rules defined in this configuration',
      value: ({ spec }) => spec.mutations?.length ?? 0,
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
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: 'label-pods' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] },
        ],
      },
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"team": "sea"}}}' },
        },
      ],
    },
  },
})

function validateMutation(
  { patchType, applyConfiguration, jsonPatch }: V1Mutation,
  at: string,
): StatusCause[] {
  if (!patchType) return [fault.required(`${at}.patchType`)]
  if (patchType === 'ApplyConfiguration')
    return applyConfiguration
      ? validateExpression(
          applyConfiguration.expression,
          `${at}.applyConfiguration.expression`,
          'mutation',
          [],
        )
      : [fault.required(`${at}.applyConfiguration`, 'must be specified when patchType is ApplyConfiguration')]
  if (patchType === 'JSONPatch')
    return jsonPatch
      ? validateExpression(jsonPatch.expression, `${at}.jsonPatch.expression`, 'mutation', [])
      : [fault.required(`${at}.jsonPatch`, 'must be specified when patchType is JSONPatch')]
  return [fault.notSupported(`${at}.patchType`, patchType, ['ApplyConfiguration', 'JSONPatch'])]
}
