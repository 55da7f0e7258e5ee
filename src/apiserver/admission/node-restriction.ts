import { csiNode } from '../../api/kinds/csi-node.ts'
import { lease } from '../../api/kinds/lease.ts'
import { type Node, node as nodeKind } from '../../api/kinds/node.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { apiObjectReference, CONFIG_MIRROR } from '../../api/static-pods.ts'
import { forbidden } from '../../api/status.ts'
import { deepEqual } from '../../base/json.ts'
import { nodeNameOf } from '../auth/node-names.ts'
import type { Admission, AdmissionRequest } from './admission.ts'

/** Labels that say what may run on a node are not the node's to set. */
const RESTRICTED = /^(?:[^/]+\.)?node-restriction\.kubernetes\.io\//

/** A kubelet changes its own node, its own pods and its own leases, and nothing else's. */
export const nodeRestriction: Admission = {
  name: 'NodeRestriction',
  concerns: ({ context }) => nodeNameOf(context.user) !== undefined,
  async validate(request) {
    const { kind, context, object } = request
    const node = nodeNameOf(context.user)
    if (node === undefined) return
    const why =
      node === ''
        ? 'could not determine node from user'
        : kind === podKind
          ? await whyNotPod(node, request)
          : kind === nodeKind
            ? whyNotNode(node, request)
            : kind === lease || kind === csiNode
              ? whyNotNamed(node, request)
              : undefined
    if (why !== undefined) throw forbidden(kind, object.metadata.name, why)
  },
}

async function whyNotPod(
  node: string,
  { operation, subresource, object, old, reader }: AdmissionRequest,
): Promise<string | undefined> {
  const who = `node ${JSON.stringify(node)}`
  const isOwn = ((old ?? object) as unknown as Pod).spec.nodeName === node
  if (operation === 'CREATE' && subresource === '') {
    const found = await reader.find(nodeKind, { name: node })
    return whyNoMirror(node, object as unknown as Pod, found?.metadata.uid)
  }
  if (operation === 'DELETE')
    return isOwn ? undefined : `${who} can only delete pods with spec.nodeName set to itself`
  if (subresource === 'status')
    return isOwn ? undefined : `${who} can only update pod status for pods with spec.nodeName set to itself`
  if (subresource === 'eviction')
    return isOwn ? undefined : `${who} can only evict pods with spec.nodeName set to itself`
  return `unexpected operation ${JSON.stringify(operation)}, ${who} can only create and delete mirror pods`
}

/** A mirror pod is the node's own, and needs nothing that the node could only read through it. */
function whyNoMirror(node: string, { metadata, spec }: Pod, uid = ''): string | undefined {
  const who = `node ${JSON.stringify(node)}`
  if (!metadata.annotations?.[CONFIG_MIRROR])
    return `pod does not have ${JSON.stringify(CONFIG_MIRROR)} annotation, ${who} can only create mirror pods`
  if (spec.nodeName !== node) return `${who} can only create pods with spec.nodeName set to itself`
  const [owner, ...more] = metadata.ownerReferences ?? []
  if (!owner) return `${who} can only create pods with an owner reference set to itself`
  if (more.length > 0) return `${who} can only create pods with a single owner reference set to itself`
  if (owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `${who} can only create pods with an owner reference set to itself`
  if (!owner.controller) return `${who} can only create pods with a controller owner reference set to itself`
  if (owner.blockOwnerDeletion) return `${who} must not set blockOwnerDeletion on an owner reference`
  if (owner.uid !== uid) return `${who} UID mismatch: expected ${owner.uid} got ${uid}`
  const reference = apiObjectReference(spec)
  return reference === undefined ? undefined : `${who} can not create pods that reference ${reference}`
}

function whyNotNode(node: string, { operation, object, old }: AdmissionRequest): string | undefined {
  const who = `node ${JSON.stringify(node)}`
  const { metadata, spec } = object as unknown as Node
  if (metadata.name !== node) return `${who} is not allowed to modify node ${JSON.stringify(metadata.name)}`
  if (operation === 'DELETE') return `${who} is not allowed to delete itself`
  const before = old as unknown as Node | undefined
  const labels = metadata.labels ?? {}
  const held = before?.metadata.labels ?? {}
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(held)])].filter(
    (key) => labels[key] !== held[key] && RESTRICTED.test(key),
  )
  if (changed.length > 0) return `is not allowed to modify labels: ${changed.sort().join(', ')}`
  if (before && !deepEqual(spec.taints ?? [], before.spec.taints ?? []))
    return `${who} is not allowed to modify taints`
  return before && !deepEqual(metadata.ownerReferences ?? [], before.metadata.ownerReferences ?? [])
    ? `${who} is not allowed to update ownerReferences`
    : undefined
}

function whyNotNamed(node: string, { kind, object }: AdmissionRequest): string | undefined {
  const { name, namespace } = object.metadata
  if (kind === lease && namespace !== 'kube-node-lease')
    return 'can only access leases in the "kube-node-lease" system namespace'
  return name === node
    ? undefined
    : `can only access ${kind === lease ? 'node lease' : 'CSINode'} with the same name as the requesting node`
}
