/** The networks of nodes' pods: each node has one of its own, and what was given is not given again before it is seen. */
import type { Node } from '../api/kinds/node.ts'

const NETWORKS = 39_936

/**
 * The n-th /24 of the pods' network: 10.244.0.0/24 … 10.255.255.0/24, then on from 10.100.0.0/24 (39,936 in all, clear
 * of the services' 10.96.0.0/16).
 */
export function podCidr(n: number): string {
  const octet = 244 + Math.floor(n / 256)
  return `10.${octet <= 255 ? octet : 100 + octet - 256}.${n % 256}.0/24`
}

export class PodNetworks {
  readonly #total: number
  /** By the name of the node they were given for; perhaps not yet on it. */
  readonly #given = new Map<string, string>()

  constructor(total = NETWORKS) {
    this.#total = total
  }

  /** The first networks that no node has, one for each name; a name gets the same again. Fewer when there are no more. */
  take(nodes: readonly Node[], names: readonly string[]): string[] {
    const used = new Set(nodes.map(({ spec }) => spec.podCIDR))
    for (const [name, cidr] of this.#given) if (used.has(cidr)) this.#given.delete(name)
    for (const cidr of this.#given.values()) used.add(cidr)
    const taken: string[] = []
    let n = 0
    for (const name of names) {
      let cidr = this.#given.get(name)
      for (; cidr === undefined && n < this.#total; n += 1) if (!used.has(podCidr(n))) cidr = podCidr(n)
      if (cidr === undefined) break
      this.#given.set(name, cidr)
      taken.push(cidr)
    }
    return taken
  }

  /** The node is gone, or has none of these. */
  forget(name: string): void {
    this.#given.delete(name)
  }
}
