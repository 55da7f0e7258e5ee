import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterAll, expect, test } from 'vitest'
import { createEnv } from '../../base/env.ts'
import { openEmbeddedStore } from './embedded.ts'
import { decodeHeader, decodeValue, encodeRecord } from './record.ts'

const root = mkdtempSync(join(tmpdir(), 'seamark-disk-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const openAt = (directory: string) => openEmbeddedStore(createEnv(), { directory })

async function storedAt(directory: string): Promise<void> {
  const store = await openAt(directory)
  await store.txn({ conditions: [], writes: [{ type: 'put', key: '/a', value: { text: 'anchor' } }] })
  await store.close()
}

test('A second opening of one data directory is refused, and does not disturb the first', async () => {
  const directory = mkdtempSync(join(root, 'data-'))
  const store = await openAt(directory)
  await expect(openAt(directory)).rejects.toMatchObject({
    reason: 'Conflict',
    message: expect.stringContaining(`is in use by process ${process.pid}`),
  })
  await store.txn({ conditions: [], writes: [{ type: 'put', key: '/a', value: {} }] })
  await store.close()
})

test('A data directory that cannot be made is one clear line', async () => {
  const file = join(root, 'a-file')
  writeFileSync(file, '')
  await expect(openAt(join(file, 'data'))).rejects.toMatchObject({
    reason: 'ServiceUnavailable',
    message: `Data directory "${file}/data" cannot be written (ENOTDIR); make it writable, or choose another with --data`,
  })
})

test('Another format is refused by its number, and left as it is', async () => {
  const directory = mkdtempSync(join(root, 'data-'))
  await storedAt(directory)
  const db = open({ path: join(directory, 'store.lmdb'), noSubdir: true, maxDbs: 4 })
  const state = db.openDB({ name: 'state', encoding: 'json' })
  await state.put('state', { format: 9, revision: 2, compactedRevision: 0 })
  await db.close()
  for (let again = 0; again < 2; again += 1)
    await expect(openAt(directory)).rejects.toThrow('holds store format 9, this version reads 1')
})

test('A flipped byte in a value is found when the store opens, never served', async () => {
  const directory = mkdtempSync(join(root, 'data-'))
  await storedAt(directory)
  const path = join(directory, 'store.lmdb')
  const bytes = readFileSync(path)
  for (let at = bytes.indexOf('anchor'); at >= 0; at = bytes.indexOf('anchor', at + 1)) bytes[at] = 0x58
  writeFileSync(path, bytes)
  await expect(openAt(directory)).rejects.toThrow('does not match its checksum; restore a backup')
})

test('The longest legal resource key survives a restart', async () => {
  const directory = mkdtempSync(join(root, 'data-'))
  const key = `/registry/${['g'.repeat(253), 'p'.repeat(253), 'n'.repeat(63), 'o'.repeat(253)].join('/')}`
  const store = await openAt(directory)
  await store.txn({ conditions: [], writes: [{ type: 'put', key, value: {} }] })
  await store.close()
  const again = await openAt(directory)
  expect(await again.get(key)).toMatchObject({ key, revision: 2 })
  await again.close()
})

test('A record says what it was, and any flipped bit is noticed', () => {
  const value = { text: 'é', list: [1, null] }
  const record = { type: 'put', key: '/ü', value, revision: 2 ** 40, createRevision: 7, order: 3 } as const
  const bytes = encodeRecord(record)
  const { value: _, ...header } = record
  expect(decodeHeader(bytes)).toEqual(header)
  expect(decodeValue(bytes)).toEqual(value)
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    expect(decodeHeader(flipped)).toBeUndefined()
  }
  expect(decodeHeader(bytes.subarray(0, 5))).toBeUndefined()
})
