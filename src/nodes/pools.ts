import { type Node, node as nodeKind } from '../api/kinds/node.ts'
import { NODE_POOL_LABEL, type NodePool, nodePool } from '../api/kinds/node-pool.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { KubeletConfiguration } from '../api/kubelet-configuration.ts'
import { deepEqual } from '../base/json.ts'
import type { Informers } from '../client/informers.ts'
import { staticPodOf } from './kubelet/static-pod.ts'

/** What a node's pool says of its kubelet: its settings, and its folder of manifests. Nothing where there is no pool. */
export class Pools {
  readonly #informers: Informers
  readonly #manifests = new Map<string, NodePool['spec']['staticPods']>()

  constructor(informers: Informers) {
    this.#informers = informers
    informers.of(nodePool)
  }

  settingsOf(node: Node | undefined): KubeletConfiguration {
    return this.#poolOf(node)?.spec.kubelet ?? {}
  }

  /** `now` is when they are first seen (epoch ms). */
  staticPodsOf(node: Node, now: number): readonly Pod[] {
    const manifests = this.#poolOf(node)?.spec.staticPods ?? []
    return manifests.map((manifest) => staticPodOf(manifest, node.metadata.name, now))
  }

  /** Tells of the nodes whose manifests may have changed. */
  onManifests(tell: (node: Node) => void): () => void {
    return this.#informers.of(nodePool).onChange(({ type, resource }) => {
      const { name } = resource.metadata
      const manifests = type === 'deleted' ? undefined : resource.spec.staticPods
      if (deepEqual(manifests, this.#manifests.get(name))) return
      this.#manifests.set(name, manifests)
      for (const node of this.#informers.of(nodeKind).list())
        if (node.metadata.labels?.[NODE_POOL_LABEL] === name) tell(node)
    })
  }

  #poolOf(node: Node | undefined): NodePool | undefined {
    const name = node?.metadata.labels?.[NODE_POOL_LABEL]
    return name === undefined ? undefined : this.#informers.of(nodePool).get(name)
  }
}
