import { ageColumn, nameColumn } from '../age.ts'
import type { V1PodTemplate } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import { validatePodTemplate } from '../pod-validation.ts'
import type { Stored } from '../resource.ts'
import { WAVE } from '../waves.ts'
import { templateColumns } from '../workload.ts'

export type PodTemplate = Stored<V1PodTemplate>

export const podTemplate = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  scope: 'Namespaced',
  schema: 'V1PodTemplate',
  hasGeneration: true,
  applyWave: WAVE.configuration,
  setDefaults: (resource) => ({ ...resource, template: defaultPodTemplate(resource.template) }),
  validate: ({ template }) => (template ? validatePodTemplate(template, 'template') : []),
  columns: [
    nameColumn,
    ...templateColumns<PodTemplate>(
      ({ template }) => template,
      ({ template }) => labelsText(template?.metadata?.labels),
    ).map((column) => ({
      ...column,
      priority: 0,
      name: column.name === 'Selector' ? 'Pod Labels' : column.name,
    })),
    ageColumn,
  ],
  example: {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: { name: 'web', namespace: 'default' },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'app', image: 'registry.example/web:1' }] },
    },
  },
})

function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',')
}
