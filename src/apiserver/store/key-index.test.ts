import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareKeys, KeyIndex } from './key-index.ts'

function keysFrom(index: KeyIndex<{ key: string }>, start: string): string[] {
  const keys: string[] = []
  index.scan(start, ({ key }) => keys.push(key) > 0)
  return keys
}

test('Keys order as their UTF-8 bytes do', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  )
})

test('An index of small chunks equals a sorted list after any inserts and removals', () => {
  const step = fc.record({ key: fc.constantFrom(...'abcdefghijklmnop'), remove: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom('', 'c', 'h~', 'z'), (steps, start) => {
      const index = new KeyIndex<{ key: string }>(4)
      const model = new Set<string>()
      for (const { key, remove } of steps) {
        if (remove) index.remove(key)
        else if (!model.has(key)) index.insert({ key })
        if (remove) model.delete(key)
        else model.add(key)
        expect(index.size).toBe(model.size)
        expect(index.get(key)?.key).toBe(remove ? undefined : key)
      }
      expect(keysFrom(index, start)).toEqual([...model].sort().filter((key) => key >= start))
    }),
  )
})

test('A scan ends where the visitor says so', () => {
  const index = new KeyIndex<{ key: string }>()
  for (const key of ['c', 'a', 'b']) index.insert({ key })
  const seen: string[] = []
  index.scan('', ({ key }) => seen.push(key) < 2)
  expect(seen).toEqual(['a', 'b'])
})
