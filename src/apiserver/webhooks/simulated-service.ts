import { endpointSlice } from '../../api/kinds/endpoint-slice.ts'
import { node as nodeKind } from '../../api/kinds/node.ts'
import { pod as podKind } from '../../api/kinds/pod.ts'
import type { Reader } from '../admission/admission.ts'

/**
 * Whether a service leads to nothing but pods on simulated nodes: nobody listens there, so a webhook behind it can never
 * answer, and a repository that brings its webhook would lock itself out.
 */
export async function isSimulated(
  reader: Reader,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<boolean> {
  const slices = (await reader.all(endpointSlice, namespace)).filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name,
  )
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? [])
  for (const { targetRef } of endpoints) {
    if (targetRef?.kind !== 'Pod' || !targetRef.name) return false
    const pod = await reader.find(podKind, { namespace, name: targetRef.name })
    const node = pod?.spec.nodeName ? await reader.find(nodeKind, { name: pod.spec.nodeName }) : undefined
    if (node && node.status?.nodeInfo?.containerRuntimeVersion?.startsWith('simulated://') !== true)
      return false
  }
  return endpoints.length > 0
}
