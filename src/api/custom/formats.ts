import { RE2JS } from 're2js'

/** What a text must be for a format of OpenAPI; unknown formats accept everything. Own patterns are linear. */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': isDateTime,
  datetime: isDateTime,
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && isDateTime(`${text}T00:00:00Z`),
  duration: (text) => /^[-+]?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w)\s*)+$/.test(text) || text === '0',
  email: (text) => /^[^\s@<>()]+@[^\s@<>()]+$/.test(text),
  hostname: (text) =>
    text.length <= 255 &&
    /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62})*\.?$/.test(text),
  ipv4: isIpv4,
  ipv6: isIpv6,
  ip: (text) => isIpv4(text) || isIpv6(text),
  cidr: (text) => {
    const at = text.lastIndexOf('/')
    const bits = text.slice(at + 1)
    const address = text.slice(0, at)
    if (at < 0 || !/^\d{1,3}$/.test(bits)) return false
    return (isIpv4(address) && Number(bits) <= 32) || (isIpv6(address) && Number(bits) <= 128)
  },
  mac: (text) => /^(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text),
  uri: (text) => URL.canParse(text),
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid3: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid4: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  uuid5: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  byte: (text) => /^[A-Za-z0-9+/\r\n]*={0,2}$/.test(text) && text.replace(/[\r\n]/g, '').length % 4 === 0,
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  hexcolor: (text) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  creditcard: (text) => /^\d[\d -]{11,22}\d$/.test(text),
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  isbn: (text) => /^(?:\d[- ]?){9}[\dX]$|^(?:\d[- ]?){12}\d$/.test(text),
  isbn10: (text) => /^(?:\d[- ]?){9}[\dX]$/.test(text),
  isbn13: (text) => /^(?:\d[- ]?){12}\d$/.test(text),
}

export function fitsFormat(text: string, format: string): boolean {
  return !Object.hasOwn(FORMATS, format) || FORMATS[format]?.(text) === true
}

function isDateTime(text: string): boolean {
  const found = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.exec(text)
  if (!found) return false
  const [year, month, day, hour, minute, second] = found.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const days = [
    31,
    year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28,
    31,
    30,
    31,
    30,
    31,
    31,
    30,
    31,
    30,
    31,
  ]
  return month >= 1 && day >= 1 && day <= (days[month - 1] ?? 0) && hour < 24 && minute < 60 && second < 60
}

function isIpv4(text: string): boolean {
  return (
    /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text) &&
    text.split('.').every((part) => Number(part) <= 255)
  )
}

function isIpv6(text: string): boolean {
  if (!text.includes(':') || !/^[0-9a-fA-F:.]+$/.test(text)) return false
  const [head = '', tail, more] = text.split('::')
  if (more !== undefined) return false
  const parts = (half: string) => (half === '' ? [] : half.split(':'))
  const all = [...parts(head), ...parts(tail ?? '')]
  const last = all.at(-1)
  const isMapped = last?.includes('.') === true
  const words = isMapped ? all.slice(0, -1) : all
  const count = words.length + (isMapped ? 2 : 0)
  return (
    words.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word)) &&
    (!isMapped || isIpv4(last ?? '')) &&
    (tail === undefined ? count === 8 : count < 8)
  )
}

const compiled = new Map<string, RE2JS | string>()
const COMPILED_MAX = 1000

/** A pattern of a user, in RE2's syntax: takes linear time whatever it is. A text says why it cannot be compiled. */
export function compilePattern(pattern: string): RE2JS | string {
  let found = compiled.get(pattern)
  if (found === undefined) {
    try {
      found = RE2JS.compile(pattern)
    } catch (error) {
      found = (error as Error).message
    }
    if (compiled.size >= COMPILED_MAX) compiled.clear()
    compiled.set(pattern, found)
  }
  return found
}

export function matchesPattern(text: string, pattern: string): boolean {
  const compiledPattern = compilePattern(pattern)
  return typeof compiledPattern !== 'string' && compiledPattern.test(text)
}
