import { ageColumn, nameColumn } from '../age.ts'
import type { V1ValidatingWebhookConfiguration } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { WAVE } from '../waves.ts'
import { validateWebhooks, withWebhookDefaults } from '../webhook-validation.ts'

export type ValidatingWebhookConfiguration = Stored<V1ValidatingWebhookConfiguration>

export const validatingWebhookConfiguration = defineKind<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  scope: 'Cluster',
  categories: ['api-extensions'],
  schema: 'V1ValidatingWebhookConfiguration',
  hasGeneration: true,
  applyWave: WAVE.admission,
  setDefaults: (resource) =>
    resource.webhooks
      ? { ...resource, webhooks: resource.webhooks.map((webhook) => withWebhookDefaults(webhook, false)) }
      : resource,
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  columns: [
    nameColumn,
    {
      name: 'Webhooks',
      type: 'integer',
      description: 'Webhooks indicates the number of webhooks registered in this configuration',
      value: ({ webhooks }) => webhooks?.length ?? 0,
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'pods' },
    webhooks: [
      {
        name: 'pods.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        clientConfig: { url: 'https://hooks.example.com/pods' },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      },
    ],
  },
})
