import { load } from 'js-yaml'
import { ApiError } from '../api/status.ts'
import { isObject } from '../base/json.ts'

/** What a client wants back, from its Accept header (apiserver's content negotiation). */
export interface Answer {
  readonly form: 'object' | 'table' | 'partial'
  readonly encoding: 'json' | 'yaml'
  /** meta.k8s.io version of a Table or PartialObjectMetadata. */
  readonly metaVersion: 'v1' | 'v1beta1'
}

export interface MediaRange {
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
  readonly quality: number
}

const JSON_TYPES = new Set(['application/json', '*/*', 'application/*'])
const YAML_TYPES = new Set(['application/yaml', 'application/x-yaml', 'text/yaml'])

/** Best first; equal qualities keep their order. */
export function parseAccept(header: string | undefined): readonly MediaRange[] {
  return (header || '*/*')
    .split(',')
    .slice(0, 64)
    .map((part) => {
      const [type = '', ...rest] = part.split(';').map((text) => text.trim())
      const parameters: Record<string, string> = {}
      for (const parameter of rest) {
        const at = parameter.indexOf('=')
        if (at > 0 && parameter.slice(0, at) !== '__proto__')
          parameters[parameter.slice(0, at)] = parameter.slice(at + 1)
      }
      const quality = Number(parameters['q'] ?? 1)
      return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
}

/** Throws NotAcceptable when nothing the client accepts can be given. */
export function negotiate(header: string | undefined): Answer {
  for (const { type, parameters } of parseAccept(header)) {
    const encoding = JSON_TYPES.has(type) ? 'json' : YAML_TYPES.has(type) ? 'yaml' : undefined
    if (!encoding) continue
    const as = parameters['as']
    if (as === undefined) return { form: 'object', encoding, metaVersion: 'v1' }
    const version = parameters['v']
    if (parameters['g'] !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue
    if (as === 'Table') return { form: 'table', encoding, metaVersion: version }
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
      return { form: 'partial', encoding, metaVersion: version }
  }
  throw new ApiError(
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  )
}

/** Deeper than this is refused before anything walks it recursively. */
const DEPTH_MAX = 1000

/** A JSON body; throws BadRequest that says where it breaks. */
export function parseJsonBody(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ApiError('BadRequest', `Cannot read the body as JSON: ${(error as Error).message}`)
  }
  if (isDeeperThan(value, DEPTH_MAX))
    throw new ApiError('BadRequest', `Cannot read the body: nested more than ${DEPTH_MAX} levels deep`)
  return value
}

/** Values a YAML body may stand for once its aliases are written out: a few can stand for billions. */
const VALUES_MAX = 1_000_000
const ALIASES_MAX = 1000

/** A YAML body; throws BadRequest that says where it breaks. */
export function parseYamlBody(text: string): unknown {
  let value: unknown
  try {
    value = load(text, { maxAliases: ALIASES_MAX })
  } catch (error) {
    throw new ApiError(
      'BadRequest',
      `error parsing the body as YAML: ${(error as Error).message.split('\n')[0]}`,
    )
  }
  if (isLargerThan(value, VALUES_MAX))
    throw new ApiError('BadRequest', `Cannot read the body: it stands for more than ${VALUES_MAX} values`)
  if (isDeeperThan(value, DEPTH_MAX))
    throw new ApiError('BadRequest', `Cannot read the body: nested more than ${DEPTH_MAX} levels deep`)
  return value
}

/** Counts each value as often as it is referred to; an alias of itself never ends. */
function isLargerThan(value: unknown, max: number): boolean {
  const open: unknown[] = [value]
  for (let count = 0; open.length > 0; count += 1) {
    if (count > max) return true
    const item = open.pop()
    if (typeof item !== 'object' || item === null) continue
    const members = Object.values(item)
    if (open.length + members.length > max) return true
    for (const member of members) open.push(member)
  }
  return false
}

/** Without recursion: the depth of hostile input is not bounded yet. */
export function isDeeperThan(value: unknown, max: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > max) return true
    const next: unknown[] = []
    for (const item of level) {
      if (Array.isArray(item))
        for (const member of item) typeof member === 'object' && member !== null && next.push(member)
      else if (isObject(item))
        for (const key of Object.keys(item))
          typeof item[key] === 'object' && item[key] !== null && next.push(item[key])
    }
    level = next
  }
  return false
}
