import { ageColumn, nameColumn } from '../age.ts'
import type { V1ServiceAccount } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { WAVE } from '../waves.ts'

export type ServiceAccount = Stored<V1ServiceAccount>

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  scope: 'Namespaced',
  shortNames: ['sa'],
  schema: 'V1ServiceAccount',
  subresources: {
    others: {
      token: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', verbs: ['create'] },
    },
  },
  applyWave: WAVE.identity,
  columns: [
    nameColumn,
    {
      name: 'Secrets',
      type: 'string',
      description:
        'Secrets is a list of the secrets in the same namespace that pods running using this ServiceAccount are allowed to use.',
      value: ({ secrets = [] }) => secrets.length,
    },
    ageColumn,
  ],
  example: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder', namespace: 'default' } },
})
