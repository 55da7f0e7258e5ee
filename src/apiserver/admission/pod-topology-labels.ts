import { node as nodeKind } from '../../api/kinds/node.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import type { Admission } from './admission.ts'

const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/** A pod that is bound carries the zone and region of its node, for whoever asks from inside (KEP-4742). */
export const podTopologyLabels: Admission = {
  name: 'PodTopologyLabels',
  concerns: ({ kind, subresource }) => kind === podKind && subresource === 'binding',
  async mutate({ object, reader }) {
    const name = (object as unknown as Pod).spec.nodeName
    const node = name ? await reader.find(nodeKind, { name }) : undefined
    const found = LABELS.flatMap((label) => {
      const value = node?.metadata.labels?.[label]
      return value === undefined ? [] : [[label, value] as const]
    })
    if (found.length === 0) return object
    const labels = { ...object.metadata.labels, ...Object.fromEntries(found) }
    return { ...object, metadata: { ...object.metadata, labels } }
  },
}
