import type { Environment } from '@marcbachmann/cel-js'

const NUMBER = '(0|[1-9]\\d*)'
const SEMVER = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
)

class Semver {
  readonly numbers: readonly bigint[]
  readonly pre: readonly string[]

  constructor(text: string) {
    const found = SEMVER.exec(text)
    const pre = found?.[4]?.split('.') ?? []
    if (!found || pre.some((part) => /^0\d+$/.test(part)))
      throw new Error(`semver: ${JSON.stringify(text)} is not a semantic version`)
    this.numbers = found.slice(1, 4).map((part) => BigInt(part ?? 0))
    this.pre = pre
  }

  compare(other: Semver): number {
    for (const [i, number] of this.numbers.entries()) {
      const theirs = other.numbers[i] ?? 0n
      if (number !== theirs) return number < theirs ? -1 : 1
    }
    if (this.pre.length === 0 || other.pre.length === 0) return Math.sign(other.pre.length - this.pre.length)
    for (let i = 0; i < Math.max(this.pre.length, other.pre.length); i += 1) {
      const order = comparePart(this.pre[i], other.pre[i])
      if (order !== 0) return order
    }
    return 0
  }
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1
  if (isNumberA) return Number(BigInt(a) > BigInt(b)) - Number(BigInt(a) < BigInt(b))
  return a < b ? -1 : a > b ? 1 : 0
}

/** With `normalize`: a leading v goes, missing parts are zero, leading zeros as well. */
function normalized(text: string): string {
  const bare = text.replace(/^v/, '')
  const [, numbers = '', rest = ''] = /^([\d.]*)(.*)$/s.exec(bare) ?? []
  const parts = numbers.split('.').map((part) => part.replace(/^0+(?=\d)/, ''))
  while (parts.length < 3) parts.push('0')
  return parts.join('.') + rest
}

export function registerVersions(environment: Environment): void {
  const make = (text: string, normalize = false) => new Semver(normalize ? normalized(text) : text)
  const isOne = (text: string, normalize = false) => {
    try {
      return make(text, normalize) !== undefined
    } catch {
      return false
    }
  }
  environment.registerType('Semver', { ctor: Semver, fields: {} })
  environment.registerFunction('semver(string): Semver', (text: string) => make(text))
  environment.registerFunction('semver(string, bool): Semver', make)
  environment.registerFunction('isSemver(string): bool', (text: string) => isOne(text))
  environment.registerFunction('isSemver(string, bool): bool', isOne)
  environment.registerFunction('Semver.isLessThan(Semver): bool', (a: Semver, b: Semver) => a.compare(b) < 0)
  environment.registerFunction(
    'Semver.isGreaterThan(Semver): bool',
    (a: Semver, b: Semver) => a.compare(b) > 0,
  )
  environment.registerFunction('Semver.compareTo(Semver): int', (a: Semver, b: Semver) =>
    BigInt(a.compare(b)),
  )
  environment.registerFunction('Semver.major(): int', (a: Semver) => a.numbers[0] ?? 0n)
  environment.registerFunction('Semver.minor(): int', (a: Semver) => a.numbers[1] ?? 0n)
  environment.registerFunction('Semver.patch(): int', (a: Semver) => a.numbers[2] ?? 0n)
  environment.registerOperator('Semver == Semver', (a: Semver, b: Semver) => a.compare(b) === 0)
}
