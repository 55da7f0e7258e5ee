import type { Environment } from '@marcbachmann/cel-js'
import type { RE2JS } from 're2js'
import { compilePattern } from '../custom/formats.ts'

/** What `.matches(` is called inside: the library's own is a backtracking engine that a pattern can keep busy for ever. */
export const MATCHES = 'matchRe'

const regex = (pattern: string): RE2JS => {
  const compiled = compilePattern(pattern)
  if (typeof compiled === 'string') throw new Error(compiled)
  return compiled
}

/** matches, find, findAll, replace, charAt, reverse and format of strings, in linear time. */
export function registerTexts(environment: Environment): void {
  const matches = (text: string, pattern: string) => regex(pattern).test(text)
  environment.registerFunction(`string.${MATCHES}(string): bool`, matches)
  environment.registerFunction(`${MATCHES}(string, string): bool`, matches)
  environment.registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => findAll(text, pattern, 1)[0] ?? '',
  )
  environment.registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
    findAll(text, pattern),
  )
  environment.registerFunction(
    'string.findAll(string, int): list<string>',
    (text: string, pattern: string, limit: bigint) =>
      findAll(text, pattern, limit < 0n ? undefined : Number(limit)),
  )
  environment.registerFunction(
    'string.replace(string, string): string',
    (text: string, from: string, to: string) => text.replaceAll(from, () => to),
  )
  environment.registerFunction(
    'string.replace(string, string, int): string',
    (text: string, from: string, to: string, limit: bigint) => replaceSome(text, from, to, Number(limit)),
  )
  environment.registerFunction('string.charAt(int): string', (text: string, at: bigint) => {
    if (at < 0n || at > BigInt(text.length)) throw new Error(`index out of range: ${at}`)
    return [...text][Number(at)] ?? ''
  })
  environment.registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''))
  environment.registerFunction('string.format(list): string', format)
}

function findAll(text: string, pattern: string, limit = Number.POSITIVE_INFINITY): string[] {
  const matcher = regex(pattern).matcher(text)
  const found: string[] = []
  while (found.length < limit && matcher.find()) found.push(matcher.group() ?? '')
  return found
}

function replaceSome(text: string, from: string, to: string, limit: number): string {
  if (limit < 0) return text.replaceAll(from, () => to)
  return text
    .split(from)
    .reduce((all, part, i) => (i === 0 ? part : `${all}${i <= limit ? to : from}${part}`), '')
}

/** %s, %d, %f, %e, %b, %o, %x, %X with an optional precision, as CEL's strings extension. */
function format(text: string, values: readonly unknown[]): string {
  let at = 0
  const result = text.replace(
    /%(?:%|(?:\.(\d{1,3}))?([sdfeboxX]))/g,
    (whole, precision: string | undefined, verb: string | undefined) => {
      if (whole === '%%') return '%'
      if (at >= values.length) throw new Error(`index ${at} out of range`)
      const value = values[at]
      at += 1
      return formatOne(value, verb ?? 's', precision === undefined ? 6 : Number(precision))
    },
  )
  return result
}

function formatOne(value: unknown, verb: string, precision: number): string {
  switch (verb) {
    case 'd':
      if (typeof value !== 'bigint') throw new Error('decimal clause can only be used on integers')
      return String(value)
    case 'f':
      return Number(value).toFixed(precision)
    case 'e':
      return Number(value)
        .toExponential(precision)
        .replace(/e([+-])(\d)$/, 'e$10$2')
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : BigInt(value as bigint).toString(2)
    case 'o':
      return BigInt(value as bigint).toString(8)
    case 'x':
    case 'X': {
      const hex =
        typeof value === 'string' ? Buffer.from(value).toString('hex') : BigInt(value as bigint).toString(16)
      return verb === 'X' ? hex.toUpperCase() : hex
    }
    default:
      return celText(value)
  }
}

/** A value as %s shows it. */
function celText(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return `[${value.map(celText).join(', ')}]`
  if (typeof value === 'object' && 'toISOString' in value)
    return (value as { toISOString(): string }).toISOString().replace('.000Z', 'Z')
  if (typeof value !== 'object' || Object.hasOwn(Object.getPrototypeOf(value) as object, 'toString'))
    return String(value)
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  return `{${entries
    .map(([key, member]) => `${celText(key)}: ${celText(member)}`)
    .sort()
    .join(', ')}}`
}
