import {
  boolYaml11Tag,
  CORE_SCHEMA,
  constructFromEvents,
  defineScalarTag,
  EVENT_ID,
  getScalarValue,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
} from 'js-yaml'

/**
 * YAML as kubectl reads it: 1.1 booleans (on, yes, y), integers and floats as Go's parser resolves them, merge keys,
 * !!binary decoded, unknown tags ignored; with the place of every value. Aliases, depth and merge keys are bounded.
 */
export interface YamlDocument {
  readonly value: unknown
  /** Where the document's value begins. */
  readonly start: number
  /** JSON pointer -> offset in the text; POINTER#key is where the key itself stands. Found when first asked for. */
  readonly offsets: ReadonlyMap<string, number>
}

/** What is wrong with a text that YAML itself allows; shaped as js-yaml's own exception. Lines and columns from 0. */
class YamlFault extends Error {
  readonly reason: string
  readonly mark: { readonly line: number; readonly column: number } | undefined
  constructor(reason: string, mark: YamlFault['mark']) {
    super(reason)
    this.reason = reason
    this.mark = mark
  }
}

const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/
const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/
const FIRST = ['+', '-', '.', ...'0123456789']
const DEPTH_MAX = 100
const ALIASES_MAX = 1000
const MERGE_KEYS_MAX = 10_000
/** Values of a document with every alias written out: a few aliases can stand for billions. */
const VALUES_MAX = 1_000_000

function integerOf(text: string): number | typeof NOT_RESOLVED {
  const [, sign, digits = ''] = INTEGER.exec(text.replaceAll('_', '')) ?? []
  if (sign === undefined) return NOT_RESOLVED
  const big = /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits.toLowerCase())
  if (big > 18_446_744_073_709_551_615n) return NOT_RESOLVED
  return Number(sign === '-' ? -big : big)
}

function floatOf(text: string): number | typeof NOT_RESOLVED {
  if (/^[-+]?\.(inf|Inf|INF)$/.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (/^\.(nan|NaN|NAN)$/.test(text)) return Number.NaN
  const plain = text.replaceAll('_', '')
  const value = Number(plain)
  return FLOAT.test(plain) && Number.isFinite(value) ? value : NOT_RESOLVED
}

const SCHEMA = CORE_SCHEMA.withTags(
  boolYaml11Tag,
  defineScalarTag('tag:yaml.org,2002:int', {
    implicit: true,
    implicitFirstChars: FIRST,
    resolve: integerOf,
    identify: (value: unknown) => Number.isInteger(value),
    represent: String,
  }),
  defineScalarTag('tag:yaml.org,2002:float', {
    implicit: true,
    implicitFirstChars: FIRST,
    resolve: floatOf,
    identify: (value: unknown) => typeof value === 'number' && !Number.isInteger(value),
    represent: String,
  }),
  mergeTag,
  defineScalarTag('tag:yaml.org,2002:binary', {
    resolve: (text: string) => Buffer.from(text.replace(/\s/g, ''), 'base64').toString('utf8'),
    identify: () => false,
  }),
  defineScalarTag('!', { matchByTagPrefix: true, resolve: (text: string) => text, identify: () => false }),
)

/** All documents of a text. Throws js-yaml's YAMLException, or what looks like it: `reason`, and `mark` with the place. */
export function parseYaml(text: string, filename: string): YamlDocument[] {
  const events = parseEvents(text, { filename, maxDepth: DEPTH_MAX })
  const values = constructFromEvents(events, {
    source: text,
    filename,
    schema: SCHEMA,
    maxAliases: ALIASES_MAX,
    maxTotalMergeKeys: MERGE_KEYS_MAX,
  })
  const starts = startsOf(events)
  let places: readonly ReadonlyMap<string, number>[] | undefined
  return values.map((value, i): YamlDocument => {
    const document: YamlDocument = {
      value,
      start: starts[i] ?? 0,
      get offsets() {
        places ??= offsetsOf(text, parseEvents(text, { filename, maxDepth: DEPTH_MAX }))
        return places[i] ?? NO_OFFSETS
      },
    }
    const fault = faultOf(value)
    if (fault) throw new YamlFault(fault.reason, markOf(text, document, fault.pointer))
    return document
  })
}

const NO_OFFSETS: ReadonlyMap<string, number> = new Map<string, number>()

/** What JSON cannot hold: an endless value, one of a billion parts, a number that would change on the way. */
function faultOf(root: unknown): { readonly reason: string; readonly pointer: string } | undefined {
  const sizes = new Map<object, number>()
  const open = new Set<object>()
  let fault: { reason: string; pointer: string } | undefined
  const measure = (value: unknown, pointer: string): number => {
    if (fault) return 0
    if (typeof value === 'number') {
      if (!Number.isFinite(value))
        fault = { reason: 'a number must be finite; quote it if it is text', pointer }
      else if (Number.isInteger(value) && !Number.isSafeInteger(value))
        fault = { reason: 'the number is too large to be kept exactly; quote it if it is text', pointer }
      return 1
    }
    if (typeof value !== 'object' || value === null) return 1
    const known = sizes.get(value)
    if (known !== undefined) return known
    if (open.has(value)) {
      fault = { reason: 'an alias stands inside what it stands for', pointer }
      return 0
    }
    open.add(value)
    let size = 1
    for (const [key, member] of Object.entries(value))
      size += measure(member, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    open.delete(value)
    sizes.set(value, size)
    if (size > VALUES_MAX) fault ??= { reason: `aliases make more than ${VALUES_MAX} values of it`, pointer }
    return size
  }
  measure(root, '')
  return fault
}

function markOf(text: string, { offsets, start }: YamlDocument, pointer: string): YamlFault['mark'] {
  const { line, column } = lineColumn(text, offsets.get(pointer) ?? start)
  return { line: line - 1, column: column - 1 }
}

type Events = ReturnType<typeof parseEvents>

/** The offset of each document's value. */
function startsOf(events: Events): number[] {
  const starts: number[] = []
  events.forEach((event, at) => {
    if (event.type !== EVENT_ID.DOCUMENT) return
    const next = events[at + 1]
    if (next?.type === EVENT_ID.SCALAR) starts.push(next.valueStart)
    else if (next?.type === EVENT_ID.SEQUENCE || next?.type === EVENT_ID.MAPPING) starts.push(next.start)
    else starts.push(0)
  })
  return starts
}

function offsetsOf(text: string, events: Events): ReadonlyMap<string, number>[] {
  const documents: ReadonlyMap<string, number>[] = []
  let at = 0
  const escapeKey = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')
  const read = (pointer: string, map: Map<string, number>): void => {
    const event = events[at++]
    if (!event) return
    if (event.type === EVENT_ID.SCALAR) map.set(pointer, event.valueStart)
    else if (event.type === EVENT_ID.ALIAS) map.set(pointer, event.anchorStart - 1)
    else if (event.type === EVENT_ID.SEQUENCE) {
      map.set(pointer, event.start)
      for (let n = 0; events[at] && events[at]?.type !== EVENT_ID.POP; n += 1) read(`${pointer}/${n}`, map)
      at += 1
    } else if (event.type === EVENT_ID.MAPPING) {
      map.set(pointer, event.start)
      while (events[at] && events[at]?.type !== EVENT_ID.POP) {
        const key = events[at]
        if (key?.type !== EVENT_ID.SCALAR) {
          read('?', new Map())
          read('?', new Map())
          continue
        }
        at += 1
        const name = escapeKey(getScalarValue(text, key))
        map.set(`${pointer}/${name}#key`, key.valueStart)
        read(`${pointer}/${name}`, map)
      }
      at += 1
    }
  }
  while (at < events.length) {
    at += 1
    const map = new Map<string, number>()
    if (events[at] && events[at]?.type !== EVENT_ID.POP) read('', map)
    at += 1
    documents.push(map)
  }
  return documents
}

/** Line and column from 1 of an offset. */
export function lineColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1
  let start = 0
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', end + 1)) {
    line += 1
    start = end + 1
  }
  return { line, column: offset - start + 1 }
}

/** The same for many offsets of one text. */
export function lineTable(
  text: string,
): (offset: number) => { readonly line: number; readonly column: number } {
  let starts: number[] | undefined
  return (offset) => {
    if (!starts) {
      starts = [0]
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
    }
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}
