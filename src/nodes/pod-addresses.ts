/**
 * Pod IPs of one node, from its podCIDR; the network's own address, the first and the last are not given to pods. Handed
 * out in turn, so that an address rests before it comes again.
 */
export class PodAddresses {
  readonly #base: number
  readonly #size: number
  readonly #owners = new Map<string, string>()
  readonly #addresses = new Map<string, string>()
  #next = FIRST

  constructor(podCidr: string) {
    const [network = '', bits = '24'] = podCidr.split('/')
    this.#size = 2 ** (32 - Number(bits))
    const number = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    this.#base = number - (number % this.#size)
  }

  /** The address of a pod that has one already. */
  keep(uid: string, address: string): void {
    this.#owners.set(address, uid)
    this.#addresses.set(uid, address)
  }

  /** Undefined when all are taken. */
  take(uid: string): string | undefined {
    const known = this.#addresses.get(uid)
    if (known !== undefined) return known
    for (let tried = FIRST; tried < this.#size - 1; tried += 1) {
      const address = dotted(this.#base + this.#next)
      this.#next = this.#next + 2 >= this.#size ? FIRST : this.#next + 1
      if (this.#owners.has(address)) continue
      this.keep(uid, address)
      return address
    }
    return undefined
  }

  release(uid: string): void {
    const address = this.#addresses.get(uid)
    if (address === undefined) return
    this.#addresses.delete(uid)
    if (this.#owners.get(address) === uid) this.#owners.delete(address)
  }
}

const FIRST = 2

function dotted(number: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.')
}
