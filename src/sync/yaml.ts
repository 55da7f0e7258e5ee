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
  /** JSON pointer -> offset in the text; POINTER#key is where the key itself stands. */
  readonly offsets: ReadonlyMap<string, number>
}

const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/
const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/
const FIRST = ['+', '-', '.', ...'0123456789']
const DEPTH_MAX = 100
const ALIASES_MAX = 1000
const MERGE_KEYS_MAX = 10_000

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

/** All documents of a text. Throws js-yaml's YAMLException, whose mark has the place. */
export function parseYaml(text: string, filename: string): YamlDocument[] {
  const events = parseEvents(text, { filename, maxDepth: DEPTH_MAX })
  const values = constructFromEvents(events, {
    source: text,
    filename,
    schema: SCHEMA,
    maxAliases: ALIASES_MAX,
    maxTotalMergeKeys: MERGE_KEYS_MAX,
  })
  const places = offsetsOf(text, events)
  return values.map((value, i) => ({ value, offsets: places[i] ?? new Map<string, number>() }))
}

type Events = ReturnType<typeof parseEvents>

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
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return { line, column: offset - before.lastIndexOf('\n') }
}
