import { protobufFields } from '../api/generated/protobuf-fields.ts'
import { badRequest } from '../api/status.ts'
import { formatMicroTime, formatTime } from '../base/date.ts'

/**
 * Reads bodies of type application/vnd.kubernetes.protobuf, which kubectl sends from its typed clients (create, drain):
 * the four bytes "k8s\0", then an Unknown { typeMeta = 1, raw = 2 } whose raw is the object. Only reading: answers are
 * JSON, which every client accepts. Field numbers are in tools/protobuf-facts.json.
 */
const MAGIC = Buffer.from('k8s\0')
const DEPTH_MAX = 100

export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'

export function decodeProtobuf(bytes: Buffer): Record<string, unknown> {
  if (!bytes.subarray(0, 4).equals(MAGIC))
    throw badRequest('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  try {
    const unknown = fieldsOf(bytes.subarray(4))
    const typeMeta = fieldsOf(asBytes(unknown.get(1)?.[0]))
    const apiVersion = asBytes(typeMeta.get(1)?.[0]).toString('utf8')
    const kind = asBytes(typeMeta.get(2)?.[0]).toString('utf8')
    const message = messageOf(apiVersion, kind)
    return { apiVersion, kind, ...readMessage(asBytes(unknown.get(2)?.[0]), message, 0) }
  } catch (error) {
    if (error instanceof RangeError) throw badRequest('cannot read the body as protobuf: it is cut short')
    throw error
  }
}

/** "apps/v1" Deployment is apps.v1.Deployment; the package is the first word of the group. DeleteOptions is of meta. */
function messageOf(apiVersion: string, kind: string): string {
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion]
  const names = [`${group.split('.')[0]}.${version}.${kind}`, `meta.v1.${kind}`]
  const found = names.find((name) => Object.hasOwn(protobufFields, name))
  if (!found)
    throw badRequest(
      `no kind ${JSON.stringify(kind)} is known in version ${JSON.stringify(apiVersion)} as protobuf; send JSON`,
    )
  return found
}

type Wire = bigint | Buffer

/** Field number -> its values, in order. Throws RangeError when the bytes end too early. */
function fieldsOf(bytes: Buffer): Map<number, Wire[]> {
  const fields = new Map<number, Wire[]>()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes.readUInt8(at)
      at += 1
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
    throw new RangeError('varint too long')
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    let value: Wire
    if ((tag & 7) === 0) value = varint()
    else if ((tag & 7) === 1) {
      value = bytes.readBigInt64LE(at)
      at += 8
    } else if ((tag & 7) === 5) {
      value = BigInt(bytes.readInt32LE(at))
      at += 4
    } else if ((tag & 7) === 2) {
      const length = Number(varint())
      if (length < 0 || at + length > bytes.length) throw new RangeError('length beyond the end')
      value = bytes.subarray(at, at + length)
      at += length
    } else throw badRequest('cannot read the body as protobuf: unknown wire type')
    const known = fields.get(tag >> 3)
    if (known) known.push(value)
    else fields.set(tag >> 3, [value])
  }
  return fields
}

function asBytes(value: Wire | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0)
}

function readMessage(bytes: Buffer, message: string, depth: number): Record<string, unknown> {
  if (depth > DEPTH_MAX) throw badRequest('cannot read the body as protobuf: nested too deep')
  const known = protobufFields[message] ?? {}
  const object: Record<string, unknown> = {}
  for (const [number, values] of fieldsOf(bytes)) {
    const field = known[String(number)]
    if (!field) continue
    const [name, type] = field
    // A Go struct embedded in another one is a message of its own here, and its fields are the other's in JSON.
    if (name === '') Object.assign(object, readValue(values.at(-1) as Wire, type, depth))
    else if (type.startsWith('[]'))
      object[name] = values.map((value) => readValue(value, type.slice(2), depth))
    else if (type.startsWith('map:'))
      object[name] = Object.fromEntries(values.map((value) => readEntry(value, type.slice(4), depth)))
    else object[name] = readValue(values.at(-1) as Wire, type, depth)
  }
  return withoutZeros(object)
}

function readEntry(value: Wire, type: string, depth: number): [string, unknown] {
  const entry = fieldsOf(asBytes(value))
  const member = entry.get(2)?.[0]
  return [
    asBytes(entry.get(1)?.[0]).toString('utf8'),
    member === undefined ? (type === 'string' ? '' : {}) : readValue(member, type, depth),
  ]
}

function readValue(value: Wire, type: string, depth: number): unknown {
  switch (type) {
    case 'string':
      return asBytes(value).toString('utf8')
    case 'bytes':
      return asBytes(value).toString('base64')
    case 'bool':
      return value === 1n
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
      return Number(value)
    case 'double':
      return typeof value === 'bigint' ? doubleOf(value) : 0
    case 'api.resource.Quantity':
      return asBytes(fieldsOf(asBytes(value)).get(1)?.[0]).toString('utf8')
    case 'util.intstr.IntOrString': {
      const fields = fieldsOf(asBytes(value))
      return fields.get(1)?.[0] === 1n
        ? asBytes(fields.get(3)?.[0]).toString('utf8')
        : Number(fields.get(2)?.[0] ?? 0n)
    }
    case 'meta.v1.Time':
    case 'meta.v1.MicroTime': {
      const fields = fieldsOf(asBytes(value))
      if (fields.size === 0) return undefined
      const ms = Number(fields.get(1)?.[0] ?? 0n) * 1000 + Math.floor(Number(fields.get(2)?.[0] ?? 0n) / 1e6)
      return type === 'meta.v1.Time' ? formatTime(ms) : formatMicroTime(ms)
    }
    case 'runtime.RawExtension':
    case 'meta.v1.FieldsV1': {
      const raw = asBytes(fieldsOf(asBytes(value)).get(1)?.[0]).toString('utf8')
      return raw === '' ? undefined : (JSON.parse(raw) as unknown)
    }
    default:
      return readMessage(asBytes(value), type, depth + 1)
  }
}

function doubleOf(bits: bigint): number {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(bits)
  return bytes.readDoubleLE()
}

/**
 * Go writes strings, and structs that are not pointers, also when they are empty; JSON leaves them out. What defaulting
 * or validation would take for a value that somebody set must go.
 */
function withoutZeros(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([, value]) =>
        value !== undefined &&
        value !== '' &&
        !(
          typeof value === 'object' &&
          value !== null &&
          !Array.isArray(value) &&
          Object.keys(value).length === 0
        ),
    ),
  )
}
