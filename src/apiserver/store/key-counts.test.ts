import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyCounts } from './key-counts.ts'

test('KeyCounts knows of each path how many keys are below it', () => {
  const key = fc
    .array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 })
    .map((parts) => `/${parts.join('/')}`)
  fc.assert(
    fc.property(fc.array(key), (keys) => {
      const counts = new KeyCounts()
      const there = new Set<string>()
      for (const each of keys) {
        counts.add(each, there.has(each) ? -1 : 1)
        if (!there.delete(each)) there.add(each)
      }
      for (const path of ['/', '/a/', '/b/', '/a/b/', '/b/a/', '/c/'])
        expect(counts.count(path)).toBe([...there].filter((one) => one.startsWith(path)).length)
    }),
  )
})
