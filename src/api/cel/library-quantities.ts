import type { Environment } from '@marcbachmann/cel-js'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  parseQuantity,
  subtractQuantities,
} from '../quantity.ts'

class Quantity {
  readonly text: string

  constructor(text: string) {
    const canonical = canonicalQuantity(text)
    if (canonical === undefined)
      throw new Error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
      )
    this.text = canonical
  }

  get sign(): bigint {
    return BigInt(compareQuantities(this.text, '0'))
  }

  get isInteger(): boolean {
    return Number.isSafeInteger(parseQuantity(this.text))
  }

  plus(other: Quantity | bigint): Quantity {
    return new Quantity(addQuantities(this.text, textOf(other)))
  }

  minus(other: Quantity | bigint): Quantity {
    return new Quantity(subtractQuantities(this.text, textOf(other)))
  }

  toString(): string {
    return this.text
  }

  valueOf(): string {
    return this.text
  }
}

const textOf = (value: Quantity | bigint) => (typeof value === 'bigint' ? String(value) : value.text)

/** quantity and isQuantity, their comparison and sums. */
export function registerQuantities(environment: Environment): void {
  const compare = (a: Quantity, b: Quantity) => compareQuantities(a.text, b.text)
  environment.registerType('Quantity', { ctor: Quantity, fields: {} })
  environment.registerFunction('quantity(string): Quantity', (text: string) => new Quantity(text))
  environment.registerFunction(
    'isQuantity(string): bool',
    (text: string) => canonicalQuantity(text) !== undefined,
  )
  environment.registerFunction('Quantity.sign(): int', (a: Quantity) => a.sign)
  environment.registerFunction('Quantity.isInteger(): bool', (a: Quantity) => a.isInteger)
  environment.registerFunction('Quantity.asInteger(): int', (a: Quantity) => {
    if (!a.isInteger) throw new Error('cannot convert value to integer')
    return BigInt(parseQuantity(a.text))
  })
  environment.registerFunction('Quantity.asApproximateFloat(): double', (a: Quantity) =>
    parseQuantity(a.text),
  )
  environment.registerFunction(
    'Quantity.isLessThan(Quantity): bool',
    (a: Quantity, b: Quantity) => compare(a, b) < 0,
  )
  environment.registerFunction(
    'Quantity.isGreaterThan(Quantity): bool',
    (a: Quantity, b: Quantity) => compare(a, b) > 0,
  )
  environment.registerFunction('Quantity.compareTo(Quantity): int', (a: Quantity, b: Quantity) =>
    BigInt(Math.sign(compare(a, b))),
  )
  environment.registerFunction('Quantity.add(Quantity): Quantity', (a: Quantity, b: Quantity) => a.plus(b))
  environment.registerFunction('Quantity.add(int): Quantity', (a: Quantity, b: bigint) => a.plus(b))
  environment.registerFunction('Quantity.sub(Quantity): Quantity', (a: Quantity, b: Quantity) => a.minus(b))
  environment.registerFunction('Quantity.sub(int): Quantity', (a: Quantity, b: bigint) => a.minus(b))
  environment.registerOperator('Quantity == Quantity', (a: Quantity, b: Quantity) => compare(a, b) === 0)
}
