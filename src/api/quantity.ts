/**
 * Kubernetes quantities: "100m", "1.5Gi", "1e3". Exact: a value is a whole number of nano units in a BigInt; finer ones
 * round away from zero, as upstream does. `parseQuantity` is the fast way to a plain number for sums and comparisons.
 */
export interface Quantity {
  /** In thousandths of thousandths of thousandths. */
  readonly nano: bigint
  readonly format: 'decimal' | 'binary' | 'exponent'
}

const NANO = 1_000_000_000n
const MICRO = 1_000_000n
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const
const SYNTAX = /^([+-]?)(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/
const DIGITS_MAX = 64

export const QUANTITY_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

/** Undefined when the text is not a quantity. */
export function readQuantity(text: string): Quantity | undefined {
  let quantity = quantities.get(text)
  if (quantity === undefined) {
    quantity = parseText(text)
    if (quantity) remember(quantities, text, quantity)
  }
  return quantity
}

function parseText(text: string): Quantity | undefined {
  if (text.length > DIGITS_MAX) return undefined
  const match = SYNTAX.exec(text)
  if (!match) return undefined
  const [, sign, digits = '', suffix = ''] = match
  const [whole = '', fraction = ''] = digits.split('.')
  const { numerator, denominator, format } = scaleOf(suffix)
  const scaled = BigInt(whole + fraction || '0') * NANO * numerator
  const divisor = 10n ** BigInt(fraction.length) * denominator
  const rounded = (scaled + divisor - 1n) / divisor
  return { nano: sign === '-' ? -rounded : rounded, format }
}

function scaleOf(suffix: string): { numerator: bigint; denominator: bigint; format: Quantity['format'] } {
  const binary = BINARY.indexOf(suffix as (typeof BINARY)[number])
  if (binary > 0) return { numerator: 1024n ** BigInt(binary), denominator: 1n, format: 'binary' }
  const decimal = DECIMAL.indexOf(suffix as (typeof DECIMAL)[number])
  const exponent = decimal >= 0 ? 3 * (decimal - 3) : Math.max(-30, Math.min(30, Number(suffix.slice(1))))
  const format = decimal >= 0 ? 'decimal' : 'exponent'
  return exponent >= 0
    ? { numerator: 10n ** BigInt(exponent), denominator: 1n, format }
    : { numerator: 1n, denominator: 10n ** BigInt(-exponent), format }
}

/** The canonical form, as Kubernetes stores it: "1000m" -> "1", "1024Mi" -> "1Gi", "0.5Gi" -> "512Mi", "1e3" -> "1e3". */
export function canonicalQuantity(text: string): string | undefined {
  let canonical = canonicals.get(text)
  if (canonical === undefined) {
    const quantity = readQuantity(text)
    if (!quantity) return undefined
    canonical = formatExact(quantity)
    remember(canonicals, text, canonical)
  }
  return canonical
}

/** Amounts of resources are kept in thousandths at the finest: "1500u" -> "2m". Takes and gives the canonical form. */
export function roundUpToMilli(canonical: string): string {
  if (!canonical.endsWith('u') && !canonical.endsWith('n') && !canonical.includes('e-')) return canonical
  const { nano, format } = readQuantity(canonical) ?? { nano: 0n, format: 'decimal' }
  const milli = nano / MICRO + (nano > 0n && nano % MICRO !== 0n ? 1n : 0n)
  return formatExact({ nano: milli * MICRO, format })
}

function formatExact({ nano, format }: Quantity): string {
  if (nano === 0n) return '0'
  const size = nano < 0n ? -nano : nano
  const sign = nano < 0n ? '-' : ''
  // Below 1024, or with a fraction, a binary quantity is written as a decimal one.
  if (format === 'binary' && size >= 1024n * NANO && size % NANO === 0n) {
    let value = size / NANO
    let step = 0
    while (value % 1024n === 0n && step < BINARY.length - 1) {
      value /= 1024n
      step += 1
    }
    return `${sign}${value}${BINARY[step]}`
  }
  let value = size
  let step = 0
  while (value % 1000n === 0n && step < DECIMAL.length - 1) {
    value /= 1000n
    step += 1
  }
  const exponent = 3 * (step - 3)
  if (format === 'exponent') return `${sign}${value}${exponent === 0 ? '' : `e${exponent}`}`
  return `${sign}${value}${DECIMAL[step]}`
}

/** The few texts that a cluster uses are read once. Nothing depends on what is remembered but speed. */
const REMEMBERED_MAX = 10_000
const quantities = new Map<string, Quantity>()
const numbers = new Map<string, number>()
const canonicals = new Map<string, string>()

function remember<V>(memory: Map<string, V>, text: string, value: V): void {
  if (memory.size >= REMEMBERED_MAX) memory.clear()
  memory.set(text, value)
}

/** The value in base units (cores, bytes) as a number; NaN when it is not a quantity. Exact up to 2^53. */
export function parseQuantity(text: string | number): number {
  if (typeof text === 'number') return text
  let value = numbers.get(text)
  if (value === undefined) {
    const quantity = readQuantity(text)
    value = quantity === undefined ? Number.NaN : toNumber(quantity.nano)
    remember(numbers, text, value)
  }
  return value
}

function toNumber(nano: bigint): number {
  return nano % NANO === 0n ? Number(nano / NANO) : Number(nano) / 1e9
}

/** Thousandths, rounded up, as Quantity.MilliValue(). */
export function milliValue(text: string | number): number {
  return Math.ceil(Number((parseQuantity(text) * 1000).toFixed(6)))
}

/** Negative when a is less than b, 0 when they are the same amount ("1" and "1000m"). */
export function compareQuantities(a: string, b: string): number {
  const left = readQuantity(a)?.nano ?? 0n
  const right = readQuantity(b)?.nano ?? 0n
  return left < right ? -1 : left > right ? 1 : 0
}

/** The sum, in the format of the first that is not zero. */
export function addQuantities(a: string, b: string): string {
  const left = readQuantity(a) ?? { nano: 0n, format: 'decimal' as const }
  const right = readQuantity(b) ?? { nano: 0n, format: 'decimal' as const }
  return formatExact({ nano: left.nano + right.nano, format: left.nano === 0n ? right.format : left.format })
}

/** Whole bytes in the largest binary unit that writes them exactly: 104857600 is "100Mi". */
export function binaryQuantity(bytes: number): string {
  return formatExact({ nano: BigInt(Math.floor(bytes)) * NANO, format: 'binary' })
}

export function subtractQuantities(a: string, b: string): string {
  const left = readQuantity(a) ?? { nano: 0n, format: 'decimal' as const }
  return formatExact({ nano: left.nano - (readQuantity(b)?.nano ?? 0n), format: left.format })
}

/** A number as a canonical quantity: 0.5 -> "500m"; with `binary`, 1073741824 -> "1Gi". */
export function formatQuantity(value: number, format: 'decimal' | 'binary' = 'decimal'): string {
  return formatExact({ nano: BigInt(Math.ceil(value * 1e3)) * 1_000_000n, format })
}
