import { persistentVolume } from '../../api/kinds/persistent-volume.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { volumeAttachment } from '../../api/kinds/volume-attachment.ts'
import { type PodReferences, podReferences } from '../../api/pod-references.ts'
import { keyOf, type Resource } from '../../api/resource.ts'
import type { Env } from '../../base/env.ts'
import type { Reader } from '../admission/admission.ts'
import { collectionPrefix } from '../storage-keys.ts'
import type { Store } from '../store/store.ts'
import type { ResourceAttributes } from './attributes.ts'
import type { Authorizer, Verdict } from './authorize.ts'
import { follow } from './follow.ts'
import { nodeNameOf } from './node-names.ts'
import { readRule } from './rbac/default-objects.ts'
import { defaultClusterRoles } from './rbac/default-roles.ts'
import { ruleAllows } from './rbac/rules.ts'

const NODE_RULES = (defaultClusterRoles['system:node']?.rules ?? []).map(readRule)
const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch'])
const NO_OPINION: Verdict = { allowed: false, reason: '' }

/**
 * What a kubelet may do: what the role system:node says, but of secrets, configuration, claims, volumes and accounts
 * only those that pods on its node use, and of pods, leases and itself only its own. Pods are followed from the first
 * request of a kubelet on: where nodes run in this process there is none.
 */
export class NodeAuthorizer implements Authorizer {
  readonly #env: Env
  readonly #store: Store
  readonly #reader: Reader
  readonly #signal: AbortSignal
  readonly #byNode = new Map<string, Map<string, Pod>>()
  /** Of each pod by its key; a pod's place in #byNode follows from it. */
  readonly #nodeOf = new Map<string, string>()
  #started: Promise<void> | undefined

  constructor(env: Env, store: Store, reader: Reader, signal: AbortSignal) {
    this.#env = env
    this.#store = store
    this.#reader = reader
    this.#signal = signal
  }

  async authorize(attributes: Parameters<Authorizer['authorize']>[0]): Promise<Verdict> {
    const node = nodeNameOf(attributes.user)
    if (node === undefined || attributes.type === 'path') return NO_OPINION
    if (node === '') return refuse(`unknown node for user ${JSON.stringify(attributes.user.name)}`)
    this.#started ??= this.#follow()
    await this.#started
    const why = await this.#whyNot(node, attributes)
    if (why !== undefined) return refuse(why)
    return NODE_RULES.some((rule) => ruleAllows(rule, attributes))
      ? { allowed: true, reason: '' }
      : NO_OPINION
  }

  /** Undefined: what the rules say. */
  async #whyNot(node: string, attributes: ResourceAttributes): Promise<string | undefined> {
    const { group, resource, subresource, verb, name, namespace } = attributes
    const unrelated = `no relationship found between node '${node}' and this object`
    const referred = (kind: keyof PodReferences) => this.#refers(node, namespace, kind, name)
    switch (`${group}/${resource}`) {
      case '/secrets':
      case '/configmaps':
        if (!READS.has(verb)) return `can only read resources of this type`
        if (name === '') return 'No Object name found'
        return referred(resource as 'secrets' | 'configmaps') ? undefined : unrelated
      case '/persistentvolumeclaims':
        if (verb !== 'get' && subresource === '') return 'can only get individual resources of this type'
        return referred('persistentvolumeclaims') ? undefined : unrelated
      case 'resource.k8s.io/resourceclaims':
        return verb === 'get' && referred('resourceclaims') ? undefined : unrelated
      case '/persistentvolumes':
        return (await this.#usesVolume(node, name)) ? undefined : unrelated
      case '/serviceaccounts':
        if (subresource === 'token' && verb !== 'create')
          return 'can only create tokens for individual service accounts'
        return referred('serviceaccounts') ? undefined : unrelated
      case 'storage.k8s.io/volumeattachments': {
        const attachment = await this.#reader.find(volumeAttachment, { name })
        return attachment?.spec.nodeName === node ? undefined : unrelated
      }
      case 'coordination.k8s.io/leases':
        if (namespace !== 'kube-node-lease')
          return 'can only access leases in the "kube-node-lease" system namespace'
        return verb === 'create' || name === node
          ? undefined
          : 'can only access node lease with the same name as the requesting node'
      case 'storage.k8s.io/csinodes':
        return verb === 'create' || name === node
          ? undefined
          : 'can only access CSINode with the same name as the requesting node'
      case '/nodes':
        return verb === 'create' || name === node
          ? undefined
          : `node '${node}' cannot read '${name}', only its own Node object`
      case '/pods':
        return this.#whyNotPods(node, attributes, unrelated)
      default:
        return undefined
    }
  }

  #whyNotPods(node: string, { verb, name, namespace, fieldSelector }: ResourceAttributes, unrelated: string) {
    if (verb === 'create') return undefined
    if (name !== '') return this.#nodeOf.get(`${namespace}/${name}`) === node ? undefined : unrelated
    const isOwn = fieldSelector
      .split(',')
      .some((part) => /^spec\.nodeName==?/.exec(part) && part.endsWith(`=${node}`))
    return isOwn ? undefined : `can only list/watch pods with spec.nodeName field selector`
  }

  #refers(node: string, namespace: string, kind: keyof PodReferences, name: string): boolean {
    for (const pod of this.#byNode.get(node)?.values() ?? [])
      if (pod.metadata.namespace === namespace && podReferences(pod)[kind].has(name)) return true
    return false
  }

  async #usesVolume(node: string, name: string): Promise<boolean> {
    const claim = (await this.#reader.find(persistentVolume, { name }))?.spec.claimRef
    return (
      claim?.name !== undefined &&
      this.#refers(node, claim.namespace ?? '', 'persistentvolumeclaims', claim.name)
    )
  }

  #follow(): Promise<void> {
    const forget = (key: string) => {
      const node = this.#nodeOf.get(key)
      if (node === undefined) return
      this.#nodeOf.delete(key)
      const pods = this.#byNode.get(node)
      pods?.delete(key)
      if (pods?.size === 0) this.#byNode.delete(node)
    }
    const follower = {
      clear: () => {
        this.#nodeOf.clear()
        this.#byNode.clear()
      },
      put: (_key: string, object: Resource) => {
        const pod = object as Pod
        const key = keyOf(pod)
        forget(key)
        const { nodeName } = pod.spec
        if (!nodeName) return
        this.#nodeOf.set(key, nodeName)
        const pods = this.#byNode.get(nodeName) ?? new Map<string, Pod>()
        this.#byNode.set(nodeName, pods)
        pods.set(key, pod)
      },
      remove: (_key: string, object: Resource) => forget(keyOf(object)),
    }
    return follow(this.#env, this.#store, collectionPrefix(podKind), follower, this.#signal)
  }
}

function refuse(reason: string): Verdict {
  return { allowed: false, reason }
}
