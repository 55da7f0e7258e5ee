import { crc32 } from 'node:zlib'
import { decodeOnce, encodeAfter } from '../../base/json.ts'
import type { DiskHeader, DiskRecord } from './disk.ts'

/**
 * The bytes of one record: crc32 of all that follows (4), length of the header (4), header, value; both as JSON. The
 * value's bytes are those that the API sends, encoded once for both. `order` is the place within the revision.
 */
export interface OrderedHeader extends DiskHeader {
  readonly order: number
}

/** Revision (8 bytes, so that records sort by it), then the key: a key is written once per revision. */
export function recordKey(revision: number, key: string): Buffer {
  const bytes = Buffer.allocUnsafe(8 + Buffer.byteLength(key))
  bytes.writeBigUInt64BE(BigInt(revision))
  bytes.write(key, 8)
  return bytes
}

export function encodeRecord(record: OrderedHeader & DiskRecord): Buffer {
  const { type, key, revision, createRevision, order } = record
  const header = JSON.stringify([type, key, revision, createRevision, order])
  const headerLength = Buffer.byteLength(header)
  const bytes = encodeAfter(8 + headerLength, record.value)
  bytes.writeUInt32BE(headerLength, 4)
  bytes.write(header, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0)
  return bytes
}

/** Undefined when the bytes are not what was written. */
export function decodeHeader(bytes: Buffer): OrderedHeader | undefined {
  if (bytes.length < 8 || crc32(bytes.subarray(4)) !== bytes.readUInt32BE(0)) return undefined
  const [type, key, revision, createRevision, order] = JSON.parse(
    bytes.toString('utf8', 8, headerEnd(bytes)),
  ) as [DiskRecord['type'], string, number, number, number]
  return { type, key, revision, createRevision, order }
}

/** Of bytes whose header could be read. */
export function decodeValue(bytes: Buffer): object {
  return decodeOnce(bytes.subarray(headerEnd(bytes)))
}

function headerEnd(bytes: Buffer): number {
  return 8 + bytes.readUInt32BE(4)
}
