import { describe, expect, test } from 'vitest'
import { canonicalJson, deepEqual, deepFreeze, Encodings, encodeOnce, withoutUndefined } from './json.ts'

describe('json', () => {
  test.each([
    ['equal objects in another order', { a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }, true],
    ['an undefined member and none', { a: 1, b: undefined }, { a: 1 }, true],
    ['a null member and none', { a: null }, {}, false],
    ['lists in another order', [1, 2], [2, 1], false],
    ['a list and an object', [], {}, false],
    ['keys that objects have as methods', { valueOf: 'x', toString: 1 }, { valueOf: 'x', toString: 1 }, true],
    ['an inherited method and an own member', { valueOf: Object.prototype.valueOf }, {}, false],
  ])('deepEqual on %s', (_, a, b, equal) => expect(deepEqual(a, b)).toBe(equal))

  test('withoutUndefined keeps a member called __proto__ a plain member', () => {
    const copy = withoutUndefined(JSON.parse('{"__proto__":{"x":1}}')) as object
    expect(Object.keys(copy)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
  })

  test('canonicalJson is the same for equal values', () =>
    expect(canonicalJson({ b: { d: 1, c: 2 }, a: [{ z: 1, y: 2 }] })).toBe(
      '{"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}',
    ))

  test('deepFreeze freezes what is inside', () => {
    const value = deepFreeze({ a: { b: [{}] } })
    expect([value, value.a, value.a.b, value.a.b[0]].every(Object.isFrozen)).toBe(true)
  })

  test('encodeOnce gives the same bytes for the same object', () => {
    const value = { a: 1 }
    expect(encodeOnce(value)).toBe(encodeOnce(value))
    expect(encodeOnce(value).toString()).toBe('{"a":1}')
  })

  test('Encodings keep what was asked for lately, and forget the rest', () => {
    const encodings = new Encodings(10)
    const [a, b, c, d] = [{ a: 1 }, { b: 1 }, { c: 1 }, { d: 1 }]
    const first = encodings.of(a)
    // Two of 7 bytes fill a generation, so the third begins the next; what is asked for again goes along.
    encodings.of(b)
    encodings.of(c)
    expect(encodings.of(a)).toBe(first)
    const second = encodings.of(b)
    encodings.of(d)
    encodings.of(a)
    encodings.of({ e: 1 })
    expect(encodings.of(a)).toBe(first)
    encodings.of({ f: 1 })
    encodings.of({ g: 1 })
    expect(encodings.of(b)).not.toBe(second)
    expect(encodings.of(b)).toEqual(second)
  })

  test('Encodings keep what is offered while anybody asks', () => {
    const encodings = new Encodings(10)
    const offered = () => {
      const value = {}
      const bytes = Buffer.from('offered')
      encodings.offer(value, bytes)
      return encodings.wanted && encodings.of(value) === bytes
    }
    expect(offered()).toBe(false)
    encodings.of({})
    expect(offered()).toBe(true)
    for (let n = 0; n < 8; n += 1) encodings.offer({}, Buffer.from('offered'))
    expect(encodings.wanted).toBe(false)
  })

  test('withoutUndefined copies only what has some', () => {
    const value = { a: { x: 1 }, b: [{ y: 1, z: undefined }], c: undefined }
    const without = withoutUndefined(value)
    expect(Object.keys(without)).toEqual(['a', 'b'])
    expect(without.b).toEqual([{ y: 1 }])
    expect(without.a).toBe(value.a)
    expect(withoutUndefined(without)).toBe(without)
  })
})
