import type { Environment } from '@marcbachmann/cel-js'
import { equalValues } from './equal-values.ts'

type Ordered = bigint | number | string

/** isSorted, sum, min, max, indexOf and lastIndexOf of lists; sets.contains, equivalent and intersects. */
export function registerLists(environment: Environment): void {
  environment.registerFunction('list<A>.isSorted(): bool', (list: readonly Ordered[]) =>
    list.every((item, i) => i === 0 || (list[i - 1] as Ordered) <= item),
  )
  environment.registerFunction('list<A>.sum(): A', (list: readonly Ordered[]) => {
    const [first, ...rest] = list
    if (first === undefined) return 0n
    return rest.reduce<unknown>((sum, item) => (sum as number) + (item as number), first)
  })
  environment.registerFunction('list<A>.min(): A', (list: readonly Ordered[]) =>
    extreme(list, 'min', (a, b) => a < b),
  )
  environment.registerFunction('list<A>.max(): A', (list: readonly Ordered[]) =>
    extreme(list, 'max', (a, b) => a > b),
  )
  environment.registerFunction('list<A>.indexOf(A): int', (list: readonly unknown[], wanted: unknown) =>
    BigInt(list.findIndex((item) => equalValues(item, wanted))),
  )
  environment.registerFunction('list<A>.lastIndexOf(A): int', (list: readonly unknown[], wanted: unknown) =>
    BigInt(list.findLastIndex((item) => equalValues(item, wanted))),
  )
  environment.registerType('Sets', Sets)
  environment.registerConstant('sets', 'Sets', new Sets())
  const has = (list: readonly unknown[], wanted: unknown) => list.some((item) => equalValues(item, wanted))
  const contains = (a: readonly unknown[], b: readonly unknown[]) => b.every((item) => has(a, item))
  environment.registerFunction(
    'Sets.contains(list<A>, list<A>): bool',
    (_: Sets, a: readonly unknown[], b: readonly unknown[]) => contains(a, b),
  )
  environment.registerFunction(
    'Sets.equivalent(list<A>, list<A>): bool',
    (_: Sets, a: readonly unknown[], b: readonly unknown[]) => contains(a, b) && contains(b, a),
  )
  environment.registerFunction(
    'Sets.intersects(list<A>, list<A>): bool',
    (_: Sets, a: readonly unknown[], b: readonly unknown[]) => a.some((item) => has(b, item)),
  )
}

class Sets {}

function extreme(
  list: readonly Ordered[],
  name: string,
  isBetter: (a: Ordered, b: Ordered) => boolean,
): Ordered {
  const [first, ...rest] = list
  if (first === undefined) throw new Error(`${name} called on empty list`)
  return rest.reduce((best, item) => (isBetter(item, best) ? item : best), first)
}
