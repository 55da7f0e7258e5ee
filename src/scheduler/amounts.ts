import { milliValue, parseQuantity } from '../api/quantity.ts'

/** Quantities as plain numbers: CPU in thousandths, the rest in whole units (bytes for memory and storage). Mutable. */
export interface Amounts {
  milliCpu: number
  memory: number
  ephemeralStorage: number
  /** Everything else: "pods", "nvidia.com/gpu", "hugepages-2Mi" … */
  readonly scalars: Map<string, number>
}

/** A resource list of the API in numbers. Values round up, as Quantity.Value() does. */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Amounts = { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: new Map() }
  for (const [name, quantity] of Object.entries(list ?? {})) {
    if (name === 'cpu') amounts.milliCpu = milliValue(quantity)
    else if (name === 'memory') amounts.memory = Math.ceil(parseQuantity(quantity))
    else if (name === 'ephemeral-storage') amounts.ephemeralStorage = Math.ceil(parseQuantity(quantity))
    else amounts.scalars.set(name, Math.ceil(parseQuantity(quantity)))
  }
  return amounts
}

export function addAmounts(to: Amounts, more: Amounts): void {
  to.milliCpu += more.milliCpu
  to.memory += more.memory
  to.ephemeralStorage += more.ephemeralStorage
  for (const [name, value] of more.scalars) to.scalars.set(name, (to.scalars.get(name) ?? 0) + value)
}

export function subtractAmounts(from: Amounts, less: Amounts): void {
  from.milliCpu -= less.milliCpu
  from.memory -= less.memory
  from.ephemeralStorage -= less.ephemeralStorage
  for (const [name, value] of less.scalars) from.scalars.set(name, (from.scalars.get(name) ?? 0) - value)
}
