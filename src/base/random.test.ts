import { describe, expect, test } from 'vitest'
import { seededRandom, systemRandom } from './random.ts'

describe('random', () => {
  test('the same seed draws the same', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed)
      return [random.float(), random.int(100), random.uuid(), random.suffix(5)]
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  test.each([seededRandom(3), systemRandom()])('uuid is a version 4 uuid', (random) =>
    expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  )

  test('int stays below its bound and reaches every value', () => {
    const random = seededRandom(1)
    expect([...new Set(Array.from({ length: 200 }, () => random.int(5)))].sort()).toEqual([0, 1, 2, 3, 4])
  })
})
