import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliValue,
  parseQuantity,
  subtractQuantities,
} from './quantity.ts'

describe('quantity', () => {
  test.each([
    ['0', '0'],
    ['1', '1'],
    ['1000m', '1'],
    ['100m', '100m'],
    ['1500m', '1500m'],
    ['0.1', '100m'],
    ['.5', '500m'],
    ['5.', '5'],
    ['+1', '1'],
    ['-1.5', '-1500m'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['1000', '1k'],
    ['1024', '1024'],
    ['1Ki', '1Ki'],
    ['1024Ki', '1Mi'],
    ['0.5Gi', '512Mi'],
    ['1.5Gi', '1536Mi'],
    ['512Ki', '512Ki'],
    ['0.5Ki', '512'],
    ['1.1Ki', '1126400m'],
    ['2000000', '2M'],
    ['123456789', '123456789'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['12E', '12E'],
    ['100e-3', '100e-3'],
    ['0Gi', '0'],
  ])('the canonical form of %s is %s', (text, canonical) => expect(canonicalQuantity(text)).toBe(canonical))

  test.each([
    '',
    'x',
    '1x',
    '1.2.3',
    '1 ',
    ' 1',
    '1e',
    '1Kib',
    '1ki',
    '--1',
    'Infinity',
    '0x1',
    '1'.repeat(65),
  ])('%j is not a quantity', (text) => expect(canonicalQuantity(text)).toBeUndefined())

  test.each([
    ['100m', 0.1, 100],
    ['2', 2, 2000],
    ['1Gi', 1073741824, 1073741824000],
    ['1n', 1e-9, 1],
    ['1500m', 1.5, 1500],
    ['0.1', 0.1, 100],
    ['250m', 0.25, 250],
  ])('%s is %d and %d thousandths', (text, value, milli) =>
    expect([parseQuantity(text), milliValue(text)]).toEqual([value, milli]),
  )

  test('compares amounts, not texts', () =>
    expect([
      compareQuantities('1', '1000m'),
      compareQuantities('1Gi', '1G'),
      compareQuantities('900m', '1'),
    ]).toEqual([0, 1, -1]))

  test('adds and subtracts exactly', () =>
    expect([
      addQuantities('100m', '0.9'),
      addQuantities('1Gi', '512Mi'),
      addQuantities('0', '1Mi'),
      subtractQuantities('1Gi', '1Mi'),
    ]).toEqual(['1', '1536Mi', '1Mi', '1023Mi']))

  test('writes numbers', () =>
    expect([formatQuantity(0.5), formatQuantity(2 ** 30, 'binary'), formatQuantity(4)]).toEqual([
      '500m',
      '1Gi',
      '4',
    ]))

  test('the canonical form is canonical, and the same amount', () =>
    fc.assert(
      fc.property(
        fc.nat(10_000_000),
        fc.nat(999),
        fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-3'),
        (whole, fraction, suffix) => {
          const text = `${whole}.${fraction}${suffix}`
          const canonical = canonicalQuantity(text) ?? ''
          expect(canonicalQuantity(canonical)).toBe(canonical)
          if (!suffix.startsWith('n')) expect(compareQuantities(text, canonical)).toBe(0)
        },
      ),
    ))
})
