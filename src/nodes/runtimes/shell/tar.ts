/**
 * The archives `kubectl cp` sends and expects: ustar, with long names as PAX or GNU write them. Pure. Links and devices
 * are passed over, as nothing in a simulated container can hold them.
 */
export interface TarMember {
  readonly name: string
  readonly isDirectory: boolean
  readonly mode: number
  /** Epoch ms. */
  readonly modifiedAt: number
  readonly bytes: Uint8Array
}

const BLOCK = 512
const EMPTY = new Uint8Array()

export function writeTar(members: readonly TarMember[]): Uint8Array {
  const blocks: Uint8Array[] = []
  for (const member of members) {
    const name = member.isDirectory ? `${member.name.replace(/\/$/, '')}/` : member.name
    if (Buffer.byteLength(name) > 100) {
      const long = Buffer.from(`${name}\0`)
      blocks.push(header('././@LongLink', 'L', 0o644, 0, long.length), ...padded(long))
    }
    const { mode, modifiedAt, bytes } = member
    blocks.push(
      header(name, member.isDirectory ? '5' : '0', mode, modifiedAt, bytes.length),
      ...padded(bytes),
    )
  }
  blocks.push(new Uint8Array(2 * BLOCK))
  return Buffer.concat(blocks)
}

function header(name: string, type: string, mode: number, modifiedAt: number, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`
  block.write(name, 0, 100)
  block.write(octal(mode, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(size, 12), 124)
  block.write(octal(Math.floor(modifiedAt / 1000), 12), 136)
  block.write(' '.repeat(8), 148)
  block.write(type, 156)
  block.write('ustar\0' + '00', 257)
  block.write('root', 265)
  block.write('root', 297)
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return block
}

function padded(bytes: Uint8Array): Uint8Array[] {
  const rest = bytes.length % BLOCK
  return bytes.length === 0 ? [] : [bytes, new Uint8Array(rest === 0 ? 0 : BLOCK - rest)]
}

/** Throws Error for what is no archive, or a part of one. */
export function readTar(archive: Uint8Array): TarMember[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength)
  const members: TarMember[] = []
  let longName: string | undefined
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const block = bytes.subarray(at, at + BLOCK)
    if (block.every((byte) => byte === 0)) return members
    const text = (from: number, length: number) =>
      block.toString('utf8', from, from + length).split('\0')[0] ?? ''
    const number = (from: number, length: number) => Number.parseInt(text(from, length).trim() || '0', 8)
    const size = number(124, 12)
    if (!(size >= 0)) throw new Error('invalid tar header')
    const type = text(156, 1)
    const body = bytes.subarray(at + BLOCK, at + BLOCK + size)
    if (body.length < size) throw new Error('short read')
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
    if (type === 'L') longName = body.toString('utf8').split('\0')[0]
    else if (type === 'x') longName = paxPath(body.toString('utf8')) ?? longName
    else {
      const prefix = text(257, 5) === 'ustar' ? text(345, 155) : ''
      const name = longName ?? (prefix ? `${prefix}/${text(0, 100)}` : text(0, 100))
      longName = undefined
      const facts = { name, mode: number(100, 8) & 0o777, modifiedAt: number(136, 12) * 1000 }
      if (type === '5') members.push({ ...facts, isDirectory: true, bytes: EMPTY })
      else if (type === '0' || type === '') members.push({ ...facts, isDirectory: false, bytes: body })
    }
  }
  if (bytes.length > 0 && members.length === 0) throw new Error('short read')
  return members
}

/** "30 path=a/very/long/name\n…" */
function paxPath(records: string): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(records)?.[1]
}
