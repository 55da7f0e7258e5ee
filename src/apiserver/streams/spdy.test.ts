import { constants, createDeflate } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { DICTIONARY, type SpdyFrame, SpdyReader, SpdyWriter } from './spdy.ts'

/** SYN_STREAM frames as a client makes them: one compression over all of them. */
function client() {
  const deflate = createDeflate({ dictionary: DICTIONARY, flush: constants.Z_SYNC_FLUSH })
  const word = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes
  }
  const text = (value: string) => Buffer.concat([word(value.length), Buffer.from(value)])
  return async (stream: number, headers: Readonly<Record<string, string>>): Promise<Buffer> => {
    const plain = Buffer.concat([
      word(Object.keys(headers).length),
      ...Object.entries(headers).flatMap(([name, value]) => [text(name), text(value)]),
    ])
    await new Promise<void>((resolve) => deflate.write(plain, () => resolve()))
    const block = deflate.read() as Buffer
    const body = Buffer.concat([word(stream), word(0), Buffer.from([0, 0]), block])
    const head = Buffer.from([0x80, 3, 0, 1, 0, 0, body.length >> 8, body.length & 255])
    return Buffer.concat([head, body])
  }
}

async function read(reader: SpdyReader, bytes: Uint8Array): Promise<SpdyFrame[]> {
  const frames: SpdyFrame[] = []
  for await (const frame of reader.read(bytes)) frames.push(frame)
  return frames
}

describe('The SPDY reader', () => {
  test('has the dictionary of SPDY/3', () => {
    expect(DICTIONARY.length).toBe(1423)
  })

  test('reads streams that are opened one after another, however their bytes are cut', async () => {
    const open = client()
    const bytes = Buffer.concat([
      await open(1, { streamtype: 'error', port: '80', requestid: '0' }),
      await open(3, { streamtype: 'data', port: '80', requestid: '0' }),
    ])
    const reader = new SpdyReader()
    const frames: SpdyFrame[] = []
    for (const byte of bytes) frames.push(...(await read(reader, Buffer.from([byte]))))
    expect(
      frames.map((frame) => frame.type === 'open' && [frame.stream, frame.headers.get('streamtype')]),
    ).toEqual([
      [1, 'error'],
      [3, 'data'],
    ])
    reader.close()
  })

  test('reads what the writer writes', async () => {
    const [writer, reader] = [new SpdyWriter(), new SpdyReader()]
    const bytes = Buffer.concat([writer.data(3, Buffer.from('abc'), true), writer.reset(5), writer.pong(7)])
    expect(await read(reader, bytes)).toEqual([
      { type: 'data', stream: 3, bytes: Buffer.from('abc'), isLast: true },
      { type: 'reset', stream: 5 },
      { type: 'ping', id: 7 },
    ])
    reader.close()
  })

  test.each([
    ['another version', [0x80, 2, 0, 1, 0, 0, 0, 0]],
    ['a frame that is too large', [0, 0, 0, 3, 0, 0xff, 0xff, 0xff]],
    [
      'headers that are not compressed',
      [0x80, 3, 0, 1, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
    ],
  ])('refuses %s', async (_, bytes) => {
    const reader = new SpdyReader()
    await expect(read(reader, Buffer.from(bytes))).rejects.toThrow()
    reader.close()
  })
})
