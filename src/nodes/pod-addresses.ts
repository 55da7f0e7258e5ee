/** Pod IPs of one node, from its podCIDR (a /24 leaves 253). Handed out in turn, so that an address rests before it comes again. */
export class PodAddresses {
  readonly #prefix: string
  readonly #used = new Map<string, string>()
  #next = 2

  constructor(podCidr: string) {
    this.#prefix = podCidr.split('/')[0]?.split('.').slice(0, 3).join('.') ?? '10.244.0'
  }

  /** The address of a pod that has one already. */
  keep(uid: string, address: string): void {
    this.#used.set(address, uid)
  }

  take(uid: string): string | undefined {
    for (let i = 0; i < 253; i += 1) {
      const address = `${this.#prefix}.${this.#next}`
      this.#next = this.#next === 254 ? 2 : this.#next + 1
      if (this.#used.has(address)) continue
      this.#used.set(address, uid)
      return address
    }
    return undefined
  }

  release(uid: string): void {
    for (const [address, owner] of this.#used) if (owner === uid) this.#used.delete(address)
  }
}
