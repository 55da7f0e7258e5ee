import type { V1PodTemplateSpec } from '../api/generated/types.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { controllerReference, type Resource } from '../api/resource.ts'

/** The pod a controller makes: the template's labels, annotations, finalizers and spec, named after its owner. */
export function podFromTemplate(template: V1PodTemplateSpec, owner: Resource): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      // The server appends five letters.
      name: '',
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template.spec ?? { containers: [] },
  }
}
